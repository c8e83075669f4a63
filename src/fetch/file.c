/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a local file. Runs in the launcher as root. The path is the user's, but the file may be
 * anybody's: it may be a fifo, grow while it is read, or be swapped before it is opened, so that
 * only what was opened is judged.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "fetch/source.h"

#define BLOCK_BYTES (256 << 10)
#define RANGE_BYTES (16 << 20) /* between two looks for a signal */

/* O_NONBLOCK: a fifo must not hold us; to a regular file it means nothing. */
static int open_regular(const char *path, struct stat *st, struct error *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st))
		return error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": open it", path);
	if (!S_ISREG(st->st_mode))
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": it is not a regular file", path);
	return take_fd(&fd);
}

/*
 * Copies inside the kernel as far as that goes. Why it ended does not matter: what is left is read
 * and written, and says so.
 */
static int copy_in_kernel(int from, struct sink *sink, struct error *err)
{
	while (sink->bytes + RANGE_BYTES <= sink->max_bytes) {
		ssize_t n = copy_file_range(from, NULL, sink->fd, NULL, RANGE_BYTES, 0);

		if (n <= 0)
			return 0;
		sink_advance(sink, sink->bytes + (size_t)n);
		if (sink_interrupted(sink, 0, err))
			return -1;
	}
	return 0;
}

static int copy_by_hand(int from, const char *path, struct sink *sink, struct error *err)
{
	char block[BLOCK_BYTES];

	for (;;) {
		ssize_t n = read(from, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": read it",
					 path);
		if (n == 0)
			return 0;
		if (sink_write(sink, block, (size_t)n, err) || sink_interrupted(sink, 0, err))
			return -1;
	}
}

/*
 * A clone shares the blocks of the file as it was at that moment, which is later than when it was
 * looked at.
 */
static int measure_clone(struct sink *sink, struct error *err)
{
	struct stat st;

	if (fstat(sink->fd, &st))
		return error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": look at the copy",
				 sink->safe);
	sink_advance(sink, (uint64_t)st.st_size);
	return 0;
}

int fetch_file(const struct url *url, struct sink *sink, struct error *err)
{
	struct stat st = { 0 };
	AUTO_FD from = open_regular(url->path, &st, err);

	if (from < 0)
		return -1;
	if ((uint64_t)st.st_size <= sink->max_bytes && ioctl(sink->fd, FICLONE, from) == 0)
		return measure_clone(sink, err);
	if (sink_expect(sink, (uint64_t)st.st_size, err) || copy_in_kernel(from, sink, err))
		return -1;
	return copy_by_hand(from, url->path, sink, err);
}
