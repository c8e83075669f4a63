/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides about each entry of an archive, and makes what it is. Runs in the confined child
 * (confine.c); every byte is hostile.
 *
 * One entry that is not accepted refuses all of the archive. Sizes are counted as they are written;
 * what an entry says about its size only ends things earlier.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "place/extract.h"

#define SHOWN "%.255s" /* of a name: there is room for the reason */

static int refuse(struct error *err, const char *problem)
{
	return error_set(err, STAGE_CHROOT, 0, "%s", problem);
}

static int too_much(const struct extraction *x, struct error *err)
{
	const struct place_limits *limits = x->unpacking->limits;

	return x->bytes_max < limits->bytes ?
		       error_set(err, STAGE_CHROOT, 0,
				 "it unpacks to more than %llu bytes, %llu times its size",
				 (unsigned long long)x->bytes_max,
				 (unsigned long long)limits->ratio) :
		       error_set(err, STAGE_CHROOT, 0, "it unpacks to more than %llu bytes",
				 (unsigned long long)limits->bytes);
}

int extract_count(struct extraction *x, uint64_t bytes, struct error *err)
{
	if (bytes > x->bytes_max - x->done.bytes)
		return too_much(x, err);
	x->done.bytes += bytes;
	return 0;
}

int extract_write(int fd, const char *data, size_t size, struct error *err)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, STAGE_CHROOT, errno, "write it");
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* A hole counts as what it reads as, but takes no room on the disk. */
static int skip_hole(struct extraction *x, int fd, uint64_t *at, uint64_t to, struct error *err)
{
	if (to < *at)
		return refuse(err, "its content overlaps itself");
	if (to == *at)
		return 0;
	if (extract_count(x, to - *at, err))
		return -1;
	if (fd >= 0 && (ftruncate(fd, (off_t)to) || lseek(fd, (off_t)to, SEEK_SET) < 0))
		return error_set(err, STAGE_CHROOT, errno, "write it");
	*at = to;
	return 0;
}

/* What libarchive says, or what the stream said when libarchive asked it for bytes. */
int extract_damaged(const struct extraction *x, struct error *err)
{
	const char *why = x->api->error_string(x->reader);

	if (x->stream_error.text[0]) {
		*err = x->stream_error;
		return -1;
	}
	return error_set(err, STAGE_CHROOT, 0, "the archive is damaged: %s",
			 why ? why : "no reason given");
}

/* The content of the entry to fd, or nowhere if that is -1. */
static int copy_content(struct extraction *x, struct archive_entry *entry, int fd,
			struct error *err)
{
	const bool sized = x->api->size_is_set(entry);
	const uint64_t size = sized ? (uint64_t)x->api->size(entry) : 0;
	uint64_t at = 0;
	const void *data;
	la_int64_t offset;
	size_t n;
	int got;

	if (size > x->bytes_max - x->done.bytes)
		return too_much(x, err);
	while ((got = x->api->data_block(x->reader, &data, &n, &offset)) == ARCHIVE_OK) {
		if (n == 0)
			continue;
		if (skip_hole(x, fd, &at, (uint64_t)offset, err) || extract_count(x, n, err) ||
		    (fd >= 0 && extract_write(fd, data, n, err)))
			return -1;
		at += n;
	}
	if (got != ARCHIVE_EOF)
		return extract_damaged(x, err);
	if (sized && at > size)
		return refuse(err, "it is longer than it says");
	return sized ? skip_hole(x, fd, &at, size, err) : 0;
}

static struct dress dress_of(const struct extraction *x, struct archive_entry *entry)
{
	const struct placing *how = x->unpacking->how;
	struct dress dress = { .mode = x->api->perm(entry) & 0755,
			       .mtime = { .tv_sec = x->api->mtime(entry),
					  .tv_nsec = x->api->mtime_nsec(entry) } };

	if (how->set_permissions && x->api->filetype(entry) == AE_IFREG)
		dress.mode = how->permissions & 0777;
	if (dress.mtime.tv_sec == 0 || dress.mtime.tv_nsec < 0 || dress.mtime.tv_nsec > 999999999)
		dress.mtime.tv_nsec = UTIME_OMIT; /* not said: now */
	return dress;
}

static int extract_file(struct extraction *x, struct archive_entry *entry, const char *name,
			struct error *err)
{
	const struct dress dress = dress_of(x, entry);
	AUTO_FD fd = writer_file(&x->writer, name, &dress, err);

	if (fd < 0 || copy_content(x, entry, fd, err) ||
	    writer_file_end(&x->writer, take_fd(&fd), &dress, err))
		return -1;
	x->done.files++;
	return 0;
}

static int extract_hard_link(struct extraction *x, struct archive_entry *entry, const char *name,
			     struct error *err)
{
	const struct unpacking *unpacking = x->unpacking;
	const char *target = x->api->hardlink(entry);
	const char *problem = entry_name_problem(target, unpacking->limits->depth);
	char clean[ENTRY_NAME_BYTES];

	if (problem)
		return error_set(err, STAGE_CHROOT, 0, "it is a hard link to " SHOWN ": %s", target,
				 problem);
	if (x->api->size(entry) > 0)
		return refuse(err, "it is a hard link with a content");
	entry_name_clean(target, unpacking->how->strip_components, clean);
	if (writer_hard_link(&x->writer, name, clean, err))
		return -1;
	x->done.files++;
	return 0;
}

static int extract_symlink(struct extraction *x, struct archive_entry *entry, const char *name,
			   struct error *err)
{
	const struct dress dress = dress_of(x, entry);
	const char *target = x->api->symlink(entry), *problem;

	if (!target)
		return refuse(err, "it is a link to a name that is not UTF-8");
	problem = entry_link_problem(name, target);
	if (problem)
		return error_set(err, STAGE_CHROOT, 0, "it is a link to " SHOWN ": %s", target,
				 problem);
	if (writer_symlink(&x->writer, name, target, &dress, err))
		return -1;
	x->done.files++;
	return 0;
}

/* What --mode file takes: one regular file, wherever it lies. */
static int extract_single(struct extraction *x, struct archive_entry *entry, struct error *err)
{
	if (x->api->filetype(entry) == AE_IFDIR)
		return 0;
	if (x->api->filetype(entry) != AE_IFREG || x->api->hardlink(entry))
		return refuse(err, "it is a link, and one file is wanted");
	if (x->done.files)
		return refuse(err, "it is more than the one file that is wanted");
	return extract_file(x, entry, UNPACKED_FILE, err);
}

static int extract_whole(struct extraction *x, struct archive_entry *entry, const char *name,
			 struct error *err)
{
	const struct dress dress = dress_of(x, entry);

	x->any = true;
	if (x->api->hardlink(entry))
		return extract_hard_link(x, entry, name, err);
	switch (x->api->filetype(entry)) {
	case AE_IFREG:
		return extract_file(x, entry, name, err);
	case AE_IFLNK:
		return extract_symlink(x, entry, name, err);
	default:
		return writer_directory(&x->writer, name, &dress, err);
	}
}

static const char *kind_problem(const struct extraction *x, struct archive_entry *entry)
{
	if (x->api->is_encrypted(entry))
		return "it is encrypted";
	if (x->api->hardlink(entry))
		return NULL;
	return entry_kind_problem(x->api->filetype(entry));
}

/* The top itself, as "./", and what --strip-components takes all of the name of, are left out. */
int extract_member(struct extraction *x, struct archive_entry *entry, struct error *err)
{
	const struct unpacking *unpacking = x->unpacking;
	const char *name = x->api->pathname(entry);
	const char *problem = kind_problem(x, entry);
	char clean[ENTRY_NAME_BYTES];
	int bad;

	if (!name || !*name)
		return refuse(err, "an entry has no name, or one that is not UTF-8");
	if (!problem)
		problem = entry_name_problem(name, unpacking->limits->depth);
	if (problem)
		return error_set(err, STAGE_CHROOT, 0, "entry " SHOWN ": %s", name, problem);
	entry_name_clean(name, unpacking->how->strip_components, clean);
	if (!*clean)
		bad = copy_content(x, entry, -1, err);
	else
		bad = unpacking->single ? extract_single(x, entry, err) :
					  extract_whole(x, entry, clean, err);
	return bad ? error_prefix(err, "entry " SHOWN, name) : 0;
}
