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

/* Whether a file is at directory + command, whose path goes to path. */
static bool is_there(char *path, const char *directory, const char *command)
{
	struct stat st;
	int n = snprintf(path, ARGUMENT_PATH_MAX, "%s%s%s", directory, *command == '/' ? "" : "/",
			 command);

	return n < ARGUMENT_PATH_MAX && stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/*
 * The order: the task directory's local/, then the root, then, for a bare name, the usual
 * directories. A path that was given as absolute means the root first, so that nothing in local/
 * can pass for /bin/sh.
 */
static bool find(const char *command, char *path)
{
	static const char *const places[] = { "/local", "", "/usr/local/bin", "/usr/bin", "/bin" };
	size_t n = strchr(command, '/') ? 2 : sizeof(places) / sizeof(places[0]);

	if (*command == '/')
		return is_there(path, "", command) || is_there(path, "/local", command);
	for (size_t i = 0; i < n; i++)
		if (is_there(path, places[i], command))
			return true;
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

static int cannot_execute(const char *path, struct error *err)
{
	struct stat st;

	error_set_kind(err, STAGE_LAUNCH, ERROR_CANNOT_EXECUTE, errno, "execute %s", path);
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

/* The path and the arguments as execve(2) wants them; the memory goes with the process. */
static const char **make_argv(const char *path, const char *const *args)
{
	const char **argv;
	size_t n = 0;

	while (args && args[n])
		n++;
	argv = calloc(n + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = path;
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = args[i];
	return argv;
}

int task_execute(const struct task *task, struct error *err)
{
	char path[ARGUMENT_PATH_MAX];
	const char **argv;

	if (!find(task->command, path))
		return not_found(task->command, err);
	argv = make_argv(path, task->args);
	if (!argv)
		return error_set(err, STAGE_LAUNCH, ENOMEM, "the arguments of %s", path);
	/* execve(2) takes char *const[] and writes to none of them. */
	execve(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)task->env);
	free(argv); /* errno survives that since glibc 2.33 */
	return cannot_execute(path, err);
}
