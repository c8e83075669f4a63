/* SPDX-License-Identifier: Apache-2.0 */
/* A compressed file as the bytes that it holds. In the child. Private to this folder. */
#ifndef PLACE_STREAM_H
#define PLACE_STREAM_H

#include <stdbool.h>

#include "place/archive.h"
#include "place/format.h"
#include "place/gunzip.h"

/* The libraries that take compression off. */
struct unpackers {
	struct archive_api archive;
	struct zlib_api zlib; /* for gzip */
};

struct stream {
	const struct archive_api *api;
	struct archive *reader; /* or */
	struct gunzip *gunzip;
	uint64_t file_bytes, left_bytes, given_bytes;
	const unsigned char *last; /* what was given last */
	size_t last_bytes;
	bool ended;
};

/*
 * Begins to read fd, a file of file_bytes whose compression must be the filter's and no other. More
 * than bytes_max is an error when it comes.
 */
int stream_open(const struct unpackers *unpackers, enum filter filter, int fd, uint64_t file_bytes,
		uint64_t bytes_max, struct stream *stream, struct error *err);

/* The next bytes, until the next call; *size 0: the end. */
int stream_read(struct stream *stream, const void **data, size_t *size, struct error *err);

/*
 * Reads on to the end, and proves that nothing but zeros comes after the first used_bytes, and that
 * the file has nothing behind what is compressed: the checks of the compression stand at its end.
 */
int stream_finish(struct stream *stream, uint64_t used_bytes, struct error *err);

void stream_release(struct stream *stream);

#define AUTO_STREAM __attribute__((cleanup(stream_release))) struct stream

#endif
