/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verified -> placed: verified bytes become files at their destination, all of them or none. A
 * plain file gets its name by one rename; an archive is unpacked by a confined process into a
 * directory of its own beside the destination, and comes out of it by renames. The only user of
 * libarchive.
 *
 * Runs in the launcher as root. The bytes are what was asked for, but whoever made them may be
 * hostile: names, links, sizes, modes and owners in an archive are never believed.
 */
#ifndef PLACE_PLACE_H
#define PLACE_PLACE_H

#include "base/error.h"
#include "task.h"

/* What an archive may unpack to, at most; it is refused whole beyond that. */
#define PLACE_BYTES_MAX (100ULL << 30)
#define PLACE_ENTRIES_MAX 200000
#define PLACE_DEPTH_MAX 64

struct placing {
	enum artifact_mode mode;
	/*
	 * "auto" (or NULL): by the suffix of the artifact's name, proved by its content; "no":
	 * never unpacked; else one of place_formats.
	 */
	const char *format;
	unsigned int strip_components; /* leading directories of each entry that are left out */
	const char *name; /* of a single file; NULL: the artifact's own, without .gz and so on */
	bool set_permissions, set_owner;
	mode_t permissions; /* of a file, or of every file that was unpacked */
	uid_t uid;          /* of everything that is placed */
	gid_t gid;
	bool no_clobber; /* what is there already is an error instead of being replaced */
};

/* "tar", "tar.gz", "tgz", …, "zip", "gz", "bz2", "xz", "zst"; NULL-terminated. */
extern const char *const place_formats[];

/*
 * Whether this format (as in struct placing) and this file name mean an archive or a compressed
 * file that would be unpacked. Pure.
 */
bool place_unpacks(const char *format, const char *name);

/*
 * Places the file in the directory. Its permissions are 0644 unless set; nothing is set-user-ID. A
 * file that is there is replaced by one rename, a directory in its place is an error, a link is
 * replaced itself and never followed. What is unpacked over an existing tree replaces its files one
 * by one. On success verified->fd is closed and its temporary name is gone; on failure the
 * destination is as it was, no staging directory is left, and *verified is still the caller's.
 *
 * Errors name the entry and the reason; what is unsafe in an archive is ERROR_FAILED. interrupt_fd
 * (a signalfd, or -1) ends an unpacking with ERROR_INTERRUPTED.
 */
int place(const struct placing *how, int directory_fd, struct verified *verified, int interrupt_fd,
	  struct pool *pool, struct placed *placed, struct error *err);

/* Removes staging directories that killed runs left in the directory; a live one is locked. */
void place_clean(int directory_fd);

#endif
