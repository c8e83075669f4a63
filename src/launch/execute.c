/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the command inside the root and executes it. Runs in the task's process with the task's
 * privileges, so what it may not reach is not found. Every path is resolved by the kernel inside
 * the root; there is no other tree to reach.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/become.h"

#define ARGUMENT_PATH_MAX 4096

struct search {
	const struct task *task;
	const char **argv;
	char path[ARGUMENT_PATH_MAX];
	int errnum; /* why the first file that was met is not executed; 0: none was met */
	char met[ARGUMENT_PATH_MAX];
};

static void remember(struct search *search, int errnum)
{
	if (search->errnum)
		return;
	search->errnum = errnum;
	strcpy(search->met, search->path);
}

/* Whether a file is at directory + command, whose path goes to search->path. */
static bool is_there(struct search *search, const char *directory)
{
	const char *command = search->task->command;
	struct stat st;

	errno = ENAMETOOLONG;
	if (snprintf(search->path, ARGUMENT_PATH_MAX, "%s%s%s", directory,
		     *command == '/' ? "" : "/", command) < ARGUMENT_PATH_MAX &&
	    stat(search->path, &st) == 0)
		return !S_ISDIR(st.st_mode);
	if (errno != ENOENT && errno != ENOTDIR)
		remember(search, errno);
	return false;
}

static int not_found(const char *command, struct error *err)
{
	struct stat st;

	if (*command == '/' && stat(command, &st) == 0 && S_ISDIR(st.st_mode))
		return error_set_kind(err, STAGE_LAUNCH, ERROR_CANNOT_EXECUTE, EISDIR, "execute %s",
				      command);
	error_set_kind(err, STAGE_LAUNCH, ERROR_NOT_FOUND, 0,
		       "command %s: not found inside the chroot", command);
	if (strchr(command, '/'))
		return error_remedy(err, "looked at /local and / there");
	return error_remedy(err, "looked in /local, /, /usr/local/bin, /usr/bin and /bin there");
}

static int cannot_execute(const char *path, int errnum, struct error *err)
{
	struct stat st;

	error_set_kind(err, STAGE_LAUNCH, ERROR_CANNOT_EXECUTE, errnum, "execute %.500s", path);
	switch (err->errnum) {
	case ENOENT:
		return stat(path, &st) ?
			       -1 :
			       error_remedy(
				       err,
				       "the file is there, but not the interpreter that it names");
	case EACCES:
		return error_remedy(
			err,
			"is it an executable file, and may the task's user read the way to it?");
	case ENOEXEC:
		return error_remedy(err,
				    "it is no program for this machine; a script begins with #!");
	case E2BIG:
		return error_remedy(err, "shorten the arguments or the environment");
	default:
		return -1;
	}
}

/* Room for the path, and the arguments, as execve(2) wants them; the memory goes with the process.
 */
static const char **make_argv(const char *const *args)
{
	const char **argv;
	size_t n = 0;

	while (args && args[n])
		n++;
	argv = calloc(n + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = args[i];
	return argv;
}

/*
 * The order: the task directory's local/, then the root, then, for a bare name, the usual
 * directories, where a file that may not be executed is passed over, as execvp(3) does. A path that
 * was given as absolute means the root first, so that nothing in local/ can pass for /bin/sh.
 */
static int search_and_execute(struct search *search, struct error *err)
{
	static const char *const places[] = { "/local", "", "/usr/local/bin", "/usr/bin", "/bin" };
	const struct task *task = search->task;
	static const char *const absolute[] = { "", "/local" };
	const bool is_absolute = *task->command == '/';
	const char *const *place = is_absolute ? absolute : places;
	size_t n =
		is_absolute || strchr(task->command, '/') ? 2 : sizeof(places) / sizeof(places[0]);

	for (size_t i = 0; i < n; i++) {
		if (!is_there(search, place[i]))
			continue;
		search->argv[0] = search->path;
		/* execve(2) takes char *const[] and writes to none of them. */
		execve(search->path, (char *const *)(uintptr_t)search->argv,
		       (char *const *)(uintptr_t)task->env);
		if (i < 2 || errno != EACCES)
			return cannot_execute(search->path, errno, err);
		remember(search, errno);
	}
	return search->errnum ? cannot_execute(search->met, search->errnum, err) :
				not_found(task->command, err);
}

int task_execute(const struct task *task, struct error *err)
{
	struct search search = { .task = task, .argv = make_argv(task->args) };
	int bad;

	if (!search.argv)
		return error_set(err, STAGE_LAUNCH, ENOMEM, "the arguments of %s", task->command);
	bad = search_and_execute(&search, err);
	free(search.argv);
	return bad;
}
