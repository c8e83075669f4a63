/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the compression off, with libarchive's filters and its "raw" format, or with zlib. Runs in
 * the child that unpacks; every byte is hostile. That tar archives are read in two steps, of which
 * this is one, is because the reader of a tar archive stops at its last entry: neither a checksum
 * of the compression nor what follows would be looked at.
 */
#include "place/stream.h"

#include <errno.h>
#include <string.h>

#define BLOCK_BYTES (1 << 20)

static int failed(const struct stream *stream, struct error *err)
{
	const char *why = stream->api->error_string(stream->reader);

	return error_set(err, STAGE_CHROOT, 0, "it is damaged: %s", why ? why : "no reason given");
}

static int add_filter(const struct archive_api *api, struct archive *reader, enum filter filter)
{
	switch (filter) {
	case FILTER_BZIP2:
		return api->filter_bzip2(reader);
	case FILTER_XZ:
		return api->filter_xz(reader);
	case FILTER_ZSTD:
		return api->filter_zstd(reader);
	case FILTER_GZIP: /* gunzip.h */
	case FILTER_NONE:
	default:
		return ARCHIVE_OK;
	}
}

static int open_gzip(const struct zlib_api *api, int fd, struct stream *stream, struct error *err)
{
	stream->gunzip = gunzip_open(api, fd);
	return stream->gunzip ? 0 : error_set(err, STAGE_CHROOT, ENOMEM, "read it");
}

int stream_open(const struct unpackers *unpackers, enum filter filter, int fd, uint64_t file_bytes,
		uint64_t bytes_max, struct stream *stream, struct error *err)
{
	const struct archive_api *api = &unpackers->archive;
	struct archive_entry *entry;
	int got;

	*stream = (struct stream){ .api = api, .file_bytes = file_bytes, .left_bytes = bytes_max };
	if (filter == FILTER_GZIP)
		return open_gzip(&unpackers->zlib, fd, stream, err);
	stream->reader = api->read_new();
	if (!stream->reader)
		return error_set(err, STAGE_CHROOT, ENOMEM, "read it");
	/* Not OK: this libarchive would run a program for it. */
	if (add_filter(api, stream->reader, filter) != ARCHIVE_OK)
		return error_set(err, STAGE_CHROOT, 0,
				 "this libarchive cannot read such files by itself");
	if (api->format_raw(stream->reader) || api->format_empty(stream->reader) ||
	    api->open_fd(stream->reader, fd, BLOCK_BYTES))
		return failed(stream, err);
	got = api->next_header(stream->reader, &entry);
	/* The file itself counts as one. More than that: it was compressed more than once. */
	if (api->filter_count(stream->reader) != (filter ? 2 : 1))
		return error_set(err, STAGE_CHROOT, 0, "it is compressed more than once");
	stream->ended = got == ARCHIVE_EOF;
	return got != ARCHIVE_OK && !stream->ended ? failed(stream, err) : 0;
}

static int read_archive(struct stream *stream, const void **data, size_t *size, struct error *err)
{
	la_int64_t offset;
	int got;

	do {
		got = stream->api->data_block(stream->reader, data, size, &offset);
		if (got != ARCHIVE_OK && got != ARCHIVE_EOF)
			return failed(stream, err);
	} while (got == ARCHIVE_OK && !*size);
	if (got == ARCHIVE_EOF)
		*size = 0;
	return 0;
}

int stream_read(struct stream *stream, const void **data, size_t *size, struct error *err)
{
	*size = 0;
	if (stream->ended)
		return 0;
	if (stream->gunzip ? gunzip_read(stream->gunzip, data, size, err) :
			     read_archive(stream, data, size, err))
		return -1;
	stream->ended = *size == 0;
	if (*size > stream->left_bytes)
		return error_set(err, STAGE_CHROOT, 0, "it unpacks to more than is allowed");
	stream->left_bytes -= *size;
	stream->given_bytes += *size;
	stream->last = *data;
	stream->last_bytes = *size;
	return 0;
}

/* Each byte is as the next one, and the first is zero. */
static bool is_zero(const unsigned char *data, size_t size)
{
	return !size || (!*data && memcmp(data, data + 1, size - 1) == 0);
}

static int more_behind(struct error *err)
{
	return error_set(err, STAGE_CHROOT, 0, "there is something behind its end");
}

int stream_finish(struct stream *stream, uint64_t used_bytes, struct error *err)
{
	uint64_t left = stream->given_bytes - used_bytes;
	const void *data = NULL;
	size_t size = 0;

	/* What was given but not used is the end of the last block. */
	if (left > stream->last_bytes)
		left = stream->last_bytes;
	if (!is_zero(stream->last + stream->last_bytes - left, left))
		return more_behind(err);
	do {
		if (stream_read(stream, &data, &size, err))
			return -1;
		if (!is_zero(data, size))
			return more_behind(err);
	} while (size);
	if (stream->reader &&
	    (uint64_t)stream->api->filter_bytes(stream->reader, -1) != stream->file_bytes)
		return more_behind(err);
	return 0;
}

void stream_release(struct stream *stream)
{
	if (stream->reader)
		stream->api->read_free(stream->reader);
	gunzip_release(stream->gunzip);
	*stream = (struct stream){ 0 };
}
