/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an archive to its end. Runs in the confined child (confine.c): libarchive's parsers run
 * here, on hostile bytes, and if one of them is taken over it can write what the archive could have
 * held anyway.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "place/extract.h"
#include "place/zip.h"

#define HEADER_BYTES 4096 /* that an entry may take beside its content, on average */
#define ZIP_BLOCK_BYTES (256 << 10)
#define TAR_BLOCK_BYTES 512

/* The limit that is reached first. */
static uint64_t bytes_allowed(const struct unpacking *unpacking)
{
	const struct place_limits *limits = unpacking->limits;
	uint64_t by_ratio;

	if (__builtin_mul_overflow(unpacking->archive_bytes, limits->ratio, &by_ratio))
		return limits->bytes;
	if (by_ratio < limits->ratio_free_bytes)
		by_ratio = limits->ratio_free_bytes;
	return by_ratio < limits->bytes ? by_ratio : limits->bytes;
}

/* A warning is for a user who can look at what came out; here it is a refusal. */
static int stopped(const struct extraction *x, int got, struct archive_entry *entry,
		   struct error *err)
{
	const char *name = got == ARCHIVE_WARN ? x->api->pathname(entry) : NULL;

	extract_damaged(x, err);
	return name ? error_prefix(err, "entry %.255s", name) : -1;
}

/* *end is where the reader was before it found that there is no further entry. */
static int extract_entries(struct extraction *x, uint64_t *end, struct error *err)
{
	const uint64_t max = x->unpacking->limits->entries;
	struct archive_entry *entry;
	uint64_t n = 0;
	int got;

	*end = 0;
	while ((got = x->api->next_header(x->reader, &entry)) == ARCHIVE_OK) {
		if (++n > max)
			return error_set(err, STAGE_CHROOT, 0, "it has more than %llu entries",
					 (unsigned long long)max);
		if (extract_member(x, entry, err))
			return -1;
		if (x->api->data_skip(x->reader) != ARCHIVE_OK)
			return extract_damaged(x, err);
		*end = (uint64_t)x->api->filter_bytes(x->reader, 0);
	}
	return got == ARCHIVE_EOF ? 0 : stopped(x, got, entry, err);
}

static la_ssize_t feed(struct archive *reader, void *data, const void **block)
{
	struct extraction *x = data;
	size_t size;

	if (stream_read(&x->stream, block, &size, &x->stream_error) == 0)
		return (la_ssize_t)size;
	x->api->set_error(reader, EIO, "%s", x->stream_error.text);
	return -1;
}

/* Without the block of zeros that ends an archive it may have been cut between two entries. */
static int extract_tar(struct extraction *x, struct error *err)
{
	uint64_t end, used;

	if (x->api->format_tar(x->reader) || x->api->format_empty(x->reader) ||
	    x->api->open(x->reader, x, NULL, feed, NULL))
		return extract_damaged(x, err);
	if (extract_entries(x, &end, err))
		return -1;
	used = (uint64_t)x->api->filter_bytes(x->reader, 0);
	if (used < end + TAR_BLOCK_BYTES)
		return error_set(err, STAGE_CHROOT, 0, "the archive is cut: its end is missing");
	return stream_finish(&x->stream, used, err);
}

static int extract_zip(struct extraction *x, struct error *err)
{
	uint64_t end;

	if (zip_prove(CHILD_ARCHIVE, x->unpacking->archive_bytes, x->unpacking->limits->entries,
		      err))
		return -1;
	if (x->api->format_zip_seekable(x->reader) ||
	    x->api->open_fd(x->reader, CHILD_ARCHIVE, ZIP_BLOCK_BYTES))
		return extract_damaged(x, err);
	return extract_entries(x, &end, err);
}

/* One file that is compressed, and nothing else. */
static int extract_stream(struct extraction *x, struct error *err)
{
	const struct placing *how = x->unpacking->how;
	const struct dress dress = { .mode = how->set_permissions ? how->permissions & 0777 : 0644,
				     .mtime = { .tv_nsec = UTIME_OMIT } };
	AUTO_FD fd = writer_file(&x->writer, UNPACKED_FILE, &dress, err);
	const void *data;
	size_t size;

	if (fd < 0)
		return -1;
	do {
		if (stream_read(&x->stream, &data, &size, err) || extract_count(x, size, err) ||
		    extract_write(fd, data, size, err))
			return -1;
	} while (size);
	x->done.files = 1;
	return stream_finish(&x->stream, x->done.bytes, err) ||
			       writer_file_end(&x->writer, take_fd(&fd), &dress, err) ?
		       -1 :
		       0;
}

static int extract_format(struct extraction *x, struct error *err)
{
	const struct format *format = x->unpacking->format;
	const uint64_t headers = x->unpacking->limits->entries * HEADER_BYTES;

	if (format->container == CONTAINER_ZIP)
		return extract_zip(x, err);
	if (stream_open(&x->unpacking->api, format->filter, CHILD_ARCHIVE,
			x->unpacking->archive_bytes, x->bytes_max + headers, &x->stream, err))
		return -1;
	return format->container == CONTAINER_TAR ? extract_tar(x, err) : extract_stream(x, err);
}

int extract(const struct unpacking *unpacking, struct unpacked *unpacked, struct error *err)
{
	const struct placing *how = unpacking->how;
	struct extraction x = { .unpacking = unpacking,
				.api = &unpacking->api.archive,
				.reader = unpacking->api.archive.read_new(),
				.bytes_max = bytes_allowed(unpacking) };
	int bad;

	if (!x.reader)
		return error_set(err, STAGE_CHROOT, ENOMEM, "read it");
	writer_init(&x.writer, CHILD_STAGING, unpacking->limits->entries);
	if (how->set_owner)
		writer_own(&x.writer, how->uid, how->gid);
	bad = extract_format(&x, err) || writer_end(&x.writer, err);
	x.api->read_free(x.reader);
	stream_release(&x.stream);
	if (bad)
		return -1;
	if (!x.any && !x.done.files)
		return error_set(err, STAGE_CHROOT, 0, "the archive is empty");
	*unpacked = x.done;
	return 0;
}
