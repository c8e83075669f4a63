/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking, from the launcher's side and from the child's. Private to this folder.
 *
 *   launcher  unpack.c   makes the staging directory, forks, waits, merges
 *   child     confine.c  gives everything up but three descriptors
 *             extract.c  reads the archive and judges its entries
 *             stream.c   takes the compression off
 *             writer.c   writes files below the staging directory
 *   launcher  merge.c    moves what came out to the destination
 */
#ifndef PLACE_UNPACK_H
#define PLACE_UNPACK_H

#include "place/format.h"
#include "place/place.h"
#include "place/staging.h"
#include "place/stream.h"

/* What an archive may come to; exactly so much is allowed. */
struct place_limits {
	uint64_t bytes;                   /* written, and of holes */
	uint64_t entries;                 /* and as many directories that no entry names */
	unsigned int depth;               /* parts of a name */
	uint64_t ratio, ratio_free_bytes; /* bytes for each byte of the archive, beyond these */
};

/* As place(), with these limits instead of the usual ones. */
int place_within(const struct place_limits *limits, const struct placing *how, int directory_fd,
		 struct verified *verified, int interrupt_fd, struct pool *pool,
		 struct placed *placed, struct error *err);

/* One unpacking; the same for the launcher and the child. */
struct unpacking {
	const struct placing *how;
	const struct place_limits *limits;
	const struct format *format;
	bool single; /* one file, which gets the name UNPACKED_FILE */
	int archive_fd;
	uint64_t archive_bytes;
	struct unpackers api;
};

#define UNPACKED_FILE "file"

struct unpacked {
	uint64_t files, bytes;
};

/*
 * Unpacks into the staging directory, in a confined child. On failure there may be anything in it.
 */
int unpack(struct unpacking *unpacking, const struct staging *staging, int interrupt_fd,
	   struct unpacked *unpacked, struct error *err);

/* The descriptors of the child: all that it has. */
enum { CHILD_ARCHIVE = 3, CHILD_STAGING, CHILD_REPORT, CHILD_FDS };

/*
 * In the child: leaves it with those descriptors, the staging directory as its root, no network, no
 * capability that set_owner does not need, and few system calls, as far as the kernel and our
 * privileges allow. Where they allow the filter of system calls it can send no signal, and change
 * nothing about the archive. Fails only when what must always be possible is not.
 */
int confine(int archive_fd, int staging_fd, int report_fd, bool set_owner, struct error *err);

/* In the child: all of the archive from CHILD_ARCHIVE into CHILD_STAGING, or an error. */
int extract(const struct unpacking *unpacking, struct unpacked *unpacked, struct error *err);

/*
 * Moves what is in the staging directory to the destination: what is new by one rename, a directory
 * that is there already is filled. What cannot be replaced is found before anything is changed.
 */
int merge(const struct staging *staging, int directory_fd, bool no_clobber, struct error *err);

#endif
