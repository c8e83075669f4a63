/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Global options, the choice of the subcommand, the one place where an error is printed and an exit
 * status is chosen. Everything in argv and in the environment may be hostile.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"

/* All strings of a run; arguments and environment of a process are at most 6 MiB (execve(2)). */
#define POOL_MAX_BYTES ((size_t)256 << 20)

static const struct exit_statuses launcher_statuses = { 125, 125, 125, 126, 127 };

/*
 * A caller may have closed 0, 1 or 2: then the next file that is opened would be written to as
 * stderr.
 */
static void open_missing_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(launcher_statuses.failed);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int status_of(const struct exit_statuses *statuses, const struct error *err)
{
	switch (err->kind) {
	case ERROR_FAILED:
		return statuses->failed;
	case ERROR_USAGE:
		return statuses->usage;
	case ERROR_MISMATCH:
		return statuses->mismatch;
	case ERROR_CANNOT_EXECUTE:
		return statuses->cannot_execute;
	case ERROR_NOT_FOUND:
		return statuses->not_found;
	case ERROR_INTERRUPTED:
		return 128 + err->errnum;
	}
	return statuses->failed;
}

static int report_error(const struct command *command, const struct error *err)
{
	log_error("%s", err->text);
	if (err->kind == ERROR_USAGE)
		log_error("try: nomad-exec %s%s--help", command ? command->name : "",
			  command ? " " : "");
	return status_of(command ? &command->statuses : &launcher_statuses, err);
}

static int usage(struct error *err, const char *problem, const char *word)
{
	return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "%s%s", problem, word);
}

static int run_command(const struct command *command, struct arguments *arguments,
		       struct pool *pool, int *status, struct error *err)
{
	void *target = pool_alloc(pool, command->target_bytes);

	if (!target)
		return pool_error(err, STAGE_SETUP);
	memcpy(target, command->defaults, command->target_bytes);
	arguments->anywhere = !command->takes_command;
	if (options_parse(command->options, arguments, target, pool, err)) {
		if (command->refuse)
			command->refuse(target, pool, err);
		return -1;
	}
	if (arguments->help) {
		help_print(command);
		return 0;
	}
	if (!command->takes_operands && arguments->operands_from < arguments->argc)
		return usage(err,
			     "unexpected argument: ", arguments->argv[arguments->operands_from]);
	return command->run(arguments, target, pool, status, err);
}

/* `nomad-exec [GLOBAL OPTIONS] COMMAND …`; version and help need no privilege and no file. */
static int run_program(struct arguments *arguments, struct pool *pool,
		       const struct command **command, int *status, struct error *err)
{
	struct global_options options = { .log_level = LOG_WARN };
	const char *name;

	if (options_parse(global_options, arguments, &options, pool, err))
		return -1;
	log_setup(options.quiet ? LOG_ERROR : (enum log_level)options.log_level, options.log_json);
	arguments->argc -= arguments->operands_from;
	arguments->argv += arguments->operands_from;
	name = arguments->argc > 0 ? arguments->argv[0] : NULL;
	if (arguments->help || (name && strcmp(name, "help") == 0)) {
		name = !arguments->help && arguments->argc > 1 ? arguments->argv[1] : NULL;
		if (name && !find_command(name))
			return usage(err, "unknown command ", name);
		help_print(name ? find_command(name) : NULL);
		return 0;
	}
	if (options.version || (name && strcmp(name, "version") == 0)) {
		version_print();
		return 0;
	}
	if (!name)
		return usage(err, "no command; ",
			     "the one that runs tasks is: nomad-exec run --command PATH");
	*command = find_command(name);
	if (!*command)
		return usage(err, "unknown command ", name);
	return run_command(*command, arguments, pool, status, err);
}

int main(int argc, char **argv)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX_BYTES);
	struct arguments arguments = { .argc = argc, .argv = argv };
	const struct command *command = NULL;
	struct error err;
	int status = 0;

	if (getauxval(AT_SECURE) || geteuid() != getuid()) {
		log_error(
			"nomad-exec must not be setuid: its caller would choose what runs as root; chmod u-s it");
		return launcher_statuses.failed;
	}
	open_missing_stdio();
	/* A caller may have left it ignored: then the status of a child would be lost. */
	signal(SIGCHLD, SIG_DFL);
	/* A reader that went away, a limit of ulimit -f: errors of write(2), not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (arguments_copy(&arguments, &pool)) {
		pool_error(&err, STAGE_SETUP);
		return report_error(NULL, &err);
	}
	if (run_program(&arguments, &pool, &command, &status, &err))
		return report_error(command, &err);
	if (fflush(stdout) || ferror(stdout)) {
		error_set(&err, STAGE_RUN, errno, "write to standard output");
		return report_error(command, &err);
	}
	return status;
}
