/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argument and environment files. Their names come from the user, their bytes from anywhere:
 * bounded, no shell rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "spec/spec.h"

#define FILE_MAX_BYTES ((size_t)2 << 20)

/* Waits for bytes, or the end, of fd; a signal that comes before, through signal_fd, is an error.
 */
static int await(int fd, int signal_fd, const char *path, struct error *err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };
	struct signalfd_siginfo info;

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return error_set(err, STAGE_SETUP, errno, "read %s", path);
	if (fds[0].revents || read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return error_set_kind(err, STAGE_SETUP, ERROR_INTERRUPTED, (int)info.ssi_signo,
			      "read %s: interrupted by SIG%s", path,
			      sigabbrev_np((int)info.ssi_signo));
}

/*
 * The whole file, NUL-terminated; its length in *length. A pipe (`<(…)`) is welcome, and so is a
 * fifo that nobody has opened for writing yet: the open does not wait for that, poll(2) does.
 */
static char *read_whole(const char *path, int signal_fd, size_t *length, struct pool *pool,
			struct error *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *data = fd < 0 ? NULL : pool_alloc(pool, FILE_MAX_BYTES + 1);
	size_t used = 0;
	ssize_t n = -1;

	do {
		if (data && await(fd, signal_fd, path, err))
			return NULL;
		n = data ? read(fd, data + used, FILE_MAX_BYTES + 1 - used) : -1;
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (data && n < 0 && errno == EAGAIN));
	if (fd < 0 || (data && n < 0))
		error_set(err, STAGE_SETUP, errno, "read %s", path);
	else if (!data)
		pool_error(err, STAGE_SETUP);
	if (n < 0)
		return NULL;
	if (used > FILE_MAX_BYTES) {
		error_set(err, STAGE_SETUP, EFBIG, "read %s (at most 2 MiB)", path);
		return NULL;
	}
	data[used] = '\0';
	*length = used;
	return data;
}

int read_args_file(const char *path, int signal_fd, struct strings *args, struct pool *pool,
		   struct error *err)
{
	size_t length;
	char *data = read_whole(path, signal_fd, &length, pool, err);

	if (!data)
		return -1;
	for (char *p = data; p < data + length; p += strlen(p) + 1)
		if (strings_add(pool, args, p))
			return pool_error(err, STAGE_SETUP);
	return 0;
}

static int add_env_line(const char *path, int line, char *text, struct strings *env,
			struct pool *pool, struct error *err)
{
	if (!*text || *text == '#')
		return 0;
	if (*text == '=')
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "%s, line %d: no name before \"=\"; expected KEY=VALUE", path,
				      line);
	return strings_add(pool, env, text) ? pool_error(err, STAGE_SETUP) : 0;
}

int read_env_file(const char *path, int signal_fd, struct strings *env, struct pool *pool,
		  struct error *err)
{
	size_t length;
	char *data = read_whole(path, signal_fd, &length, pool, err), *rest = data;

	if (!data)
		return -1;
	if (strlen(data) != length)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "%s: holds a NUL byte",
				      path);
	for (int line = 1; rest; line++) {
		char *text = strsep(&rest, "\n");

		if (add_env_line(path, line, text, env, pool, err))
			return -1;
	}
	return 0;
}

int read_header_file(const char *path, struct strings *headers, struct pool *pool,
		     struct error *err)
{
	size_t length;
	char *data = read_whole(path, -1, &length, pool, err), *rest = data;

	if (!data)
		return -1;
	if (strlen(data) != length)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "%s: holds a NUL byte",
				      path);
	while (rest) {
		char *line = strsep(&rest, "\n");
		size_t end = strlen(line);

		if (end && line[end - 1] == '\r')
			line[end - 1] = '\0';
		if (*line && strings_add(pool, headers, line))
			return pool_error(err, STAGE_SETUP);
	}
	return 0;
}
