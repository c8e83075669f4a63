/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the compression off, with libarchive's filters and its "raw" format. Runs in the child that
 * unpacks; every byte is hostile. That tar archives are read in two steps, of which this is one, is
 * because the reader of a tar archive stops at its last entry: neither a checksum of the
 * compression nor what follows would be looked at.
 */
#include "place/stream.h"

#include <errno.h>

#define BLOCK_BYTES (1 << 20)

static int failed(const struct stream *stream, struct error *err)
{
	const char *why = stream->api->error_string(stream->reader);

	return error_set(err, STAGE_CHROOT, 0, "it is damaged: %s", why ? why : "no reason given");
}

static int add_filter(const struct archive_api *api, struct archive *reader, enum filter filter)
{
	switch (filter) {
	case FILTER_GZIP:
		return api->filter_gzip(reader);
	case FILTER_BZIP2:
		return api->filter_bzip2(reader);
	case FILTER_XZ:
		return api->filter_xz(reader);
	case FILTER_ZSTD:
		return api->filter_zstd(reader);
	case FILTER_NONE:
	default:
		return ARCHIVE_OK;
	}
}

int stream_open(const struct archive_api *api, enum filter filter, int fd, uint64_t file_bytes,
		uint64_t bytes_max, struct stream *stream, struct error *err)
{
	struct archive_entry *entry;
	int got;

	*stream = (struct stream){ .api = api,
				   .reader = api->read_new(),
				   .file_bytes = file_bytes,
				   .left_bytes = bytes_max };
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
	/* One filter is the file itself. More than that: it was compressed more than once. */
	if (api->filter_count(stream->reader) != (filter ? 2 : 1))
		return error_set(err, STAGE_CHROOT, 0, "it is compressed in another way");
	stream->ended = got == ARCHIVE_EOF;
	return got != ARCHIVE_OK && !stream->ended ? failed(stream, err) : 0;
}

int stream_read(struct stream *stream, const void **data, size_t *size, struct error *err)
{
	la_int64_t offset;
	int got;

	*size = 0;
	while (!stream->ended && !*size) {
		got = stream->api->data_block(stream->reader, data, size, &offset);
		stream->ended = got == ARCHIVE_EOF;
		if (got != ARCHIVE_OK && !stream->ended)
			return failed(stream, err);
		if (stream->ended)
			*size = 0;
	}
	if (*size > stream->left_bytes)
		return error_set(err, STAGE_CHROOT, 0, "it unpacks to more than is allowed");
	stream->left_bytes -= *size;
	return 0;
}

static bool is_zero(const unsigned char *data, size_t size)
{
	while (size && !*data) {
		data++;
		size--;
	}
	return size == 0;
}

int stream_finish(struct stream *stream, struct error *err)
{
	const void *data;
	size_t size;

	do {
		if (stream_read(stream, &data, &size, err))
			return -1;
		if (size && !is_zero(data, size))
			return error_set(err, STAGE_CHROOT, 0, "there is something behind its end");
	} while (size);
	if ((uint64_t)stream->api->filter_bytes(stream->reader, -1) != stream->file_bytes)
		return error_set(err, STAGE_CHROOT, 0, "there is something behind its end");
	return 0;
}

void stream_release(struct stream *stream)
{
	if (stream->reader)
		stream->api->read_free(stream->reader);
	stream->reader = NULL;
}
