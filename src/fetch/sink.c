/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what arrives, within its limit, and digests it in order. Runs in the launcher as root; the
 * bytes are hostile and never looked at.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "fetch/source.h"

static int too_large(const struct sink *sink, struct error *err)
{
	error_set(err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": it is larger than %llu bytes",
		  sink->safe, (unsigned long long)sink->max_bytes);
	return sink->max_bytes < ARTIFACT_BYTES_MAX ? error_remedy(err, "see --max-size") : -1;
}

static int no_space_remedy(struct error *err)
{
	return error_remedy(err, "free some space, or choose another place");
}

int sink_cut(struct sink *sink, struct error *err)
{
	return ftruncate(sink->fd, (off_t)sink->bytes) ?
		       error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": cut its file",
				 sink->safe) :
		       0;
}

int sink_begin(struct sink *sink, uint64_t bytes, struct error *err)
{
	sink->bytes = bytes;
	if (sink_cut(sink, err))
		return -1;
	if (!sink->digest_type)
		return 0;
	if (follower_begin(&sink->follower, sink->fd, sink->digest_type, err))
		return -1;
	follower_advance(&sink->follower, bytes);
	return 0;
}

int sink_expect(const struct sink *sink, uint64_t bytes, struct error *err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (bytes > sink->max_bytes)
		return too_large(sink, err);
	if (fstatvfs(sink->fd, &fs) || !fs.f_blocks) /* a file system that does not count */
		return 0;
	free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize;
	if (bytes <= sink->bytes || bytes - sink->bytes <= free_bytes)
		return 0;
	error_set(err, STAGE_FETCH, ENOSPC,
		  "fetch " URL_FORMAT ": it has %llu bytes, free are %llu", sink->safe,
		  (unsigned long long)bytes, (unsigned long long)free_bytes);
	return no_space_remedy(err);
}

int sink_write_at(struct sink *sink, const void *data, size_t size, uint64_t offset,
		  struct error *err)
{
	const char *at = data;

	if (offset > sink->max_bytes || size > sink->max_bytes - offset)
		return too_large(sink, err);
	while (size) {
		ssize_t n = pwrite(sink->fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set(err, STAGE_FETCH, errno, "fetch " URL_FORMAT ": write byte %llu",
				  sink->safe, (unsigned long long)offset);
			return err->errnum == ENOSPC || err->errnum == EDQUOT ?
				       no_space_remedy(err) :
				       -1;
		}
		at += n;
		offset += (size_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int sink_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
	if (sink_write_at(sink, data, size, sink->bytes, err))
		return -1;
	sink_advance(sink, sink->bytes + size);
	return 0;
}

void sink_advance(struct sink *sink, uint64_t bytes)
{
	sink->bytes = bytes;
	follower_advance(&sink->follower, bytes);
}

int sink_end(struct sink *sink, struct checksum *checksum, struct error *err)
{
	return follower_end(&sink->follower, sink->bytes, sink->interrupt_fd, checksum, err);
}

void sink_release(struct sink *sink)
{
	follower_release(&sink->follower);
	progress_hide(&sink->progress);
}

int sink_interrupted(const struct sink *sink, int wait_ms, struct error *err)
{
	return interrupted(sink->interrupt_fd, wait_ms, STAGE_FETCH, err) ?
		       error_prefix(err, "fetch " URL_FORMAT, sink->safe) :
		       0;
}
