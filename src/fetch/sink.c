/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what arrives, within its limit. Runs in the launcher as root; the bytes are hostile and
 * never looked at.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fetch/source.h"

static int too_large(const struct sink *sink, struct error *err)
{
	return error_set(err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": it is larger than %llu GiB",
			 sink->safe, ARTIFACT_BYTES_MAX >> 30);
}

static int no_space_remedy(struct error *err)
{
	return error_remedy(err, "free some space, or choose another --alloc-dir");
}

int sink_expect(const struct sink *sink, uint64_t bytes, struct error *err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (bytes > ARTIFACT_BYTES_MAX)
		return too_large(sink, err);
	if (fstatvfs(sink->fd, &fs) || !fs.f_blocks) /* a file system that does not count */
		return 0;
	free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize;
	if (bytes <= free_bytes)
		return 0;
	error_set(err, STAGE_FETCH, ENOSPC,
		  "fetch " URL_FORMAT ": it has %llu bytes, free are %llu", sink->safe,
		  (unsigned long long)bytes, (unsigned long long)free_bytes);
	return no_space_remedy(err);
}

int sink_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
	const char *at = data;

	if (size > ARTIFACT_BYTES_MAX - sink->bytes)
		return too_large(sink, err);
	while (size) {
		ssize_t n = write(sink->fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": write byte %llu",
				  sink->safe, (unsigned long long)sink->bytes);
			return err->errnum == ENOSPC || err->errnum == EDQUOT ?
				       no_space_remedy(err) :
				       -1;
		}
		at += n;
		size -= (size_t)n;
		sink->bytes += (size_t)n;
	}
	return 0;
}

int sink_interrupted(const struct sink *sink, struct error *err)
{
	struct pollfd ready = { .fd = sink->interrupt_fd, .events = POLLIN };
	struct signalfd_siginfo info;
	const char *name;

	if (sink->interrupt_fd < 0 || poll(&ready, 1, 0) <= 0 ||
	    read(sink->interrupt_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	name = sigabbrev_np((int)info.ssi_signo);
	return error_set_kind(err, STAGE_FETCH, ERROR_INTERRUPTED, (int)info.ssi_signo,
			      "fetch " URL_FORMAT ": interrupted by SIG%s", sink->safe,
			      name ? name : "?");
}
