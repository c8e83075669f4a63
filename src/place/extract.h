/* SPDX-License-Identifier: Apache-2.0 */
/* What the reading of an archive and the making of its members share. In the child. Private to this
 * folder. */
#ifndef PLACE_EXTRACT_H
#define PLACE_EXTRACT_H

#include "place/stream.h"
#include "place/unpack.h"
#include "place/writer.h"

struct extraction {
	const struct unpacking *unpacking;
	const struct archive_api *api;
	struct archive *reader;    /* of the archive; a compressed file has none */
	struct stream stream;      /* what a zip archive does not have */
	struct error stream_error; /* of a read that the reader asked for */
	struct writer writer;
	uint64_t bytes_max;
	struct unpacked done;
	bool any; /* something came out, if only a directory */
};

/* Adds to what came out, within bytes_max. */
int extract_count(struct extraction *x, uint64_t bytes, struct error *err);

int extract_write(int fd, const char *data, size_t size, struct error *err);

/* Why the reader failed: what it says, or what the stream said when it was asked for bytes. */
int extract_damaged(const struct extraction *x, struct error *err);

/* Judges one entry and makes what it is; errors name it. */
int extract_member(struct extraction *x, struct archive_entry *entry, struct error *err);

#endif
