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

/*
 * What an archive may unpack to, at most; it is refused whole beyond that. A hole in a file counts
 * as the zeros that it reads as. The ratio is that of all that comes out to the size of the
 * archive.
 */
#define PLACE_BYTES_MAX (100ULL << 30)
#define PLACE_ENTRIES_MAX 200000
#define PLACE_DEPTH_MAX 64 /* parts of a name */
#define PLACE_RATIO_MAX 200
#define PLACE_RATIO_FREE_BYTES (64ULL << 20) /* so much may come out at any ratio */

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
	bool no_clobber; /* a file that is there already is an error instead of being replaced */
};

/* "tar", "tar.gz", "tgz", …, "zip", "gz", "bz2", "xz", "zst"; NULL-terminated. */
extern const char *const place_formats[];

/*
 * Whether this format (as in struct placing) and this file name mean an archive or a compressed
 * file that would be unpacked. Pure.
 */
bool place_unpacks(const char *format, const char *name);

/*
 * Places the file in the directory. The mode of a plain or decompressed file is 0644 unless set;
 * what comes out of an archive has its own, without set-user-ID, set-group-ID, sticky and the right
 * to write for others than the owner, and its time unless that is 0. A file or link that is there
 * is replaced by one rename, a directory, device, fifo or socket in its place is an error. What is
 * unpacked over an existing tree replaces its files one by one; directories that are there are
 * filled and stay as they are.
 *
 * On success verified->fd is closed and its temporary name is gone. On failure the destination is
 * as it was, no staging directory is left, and *verified is still the caller's; only when the disk
 * fails between two of the renames into an existing tree some of its files are replaced, each by a
 * whole one. Nothing is synced to the disk.
 *
 * Errors name the entry and the reason; what is unsafe in an archive is ERROR_FAILED, a format or
 * name that is none ERROR_USAGE. interrupt_fd (a signalfd, or -1) ends it with ERROR_INTERRUPTED,
 * errnum the signal, which was then taken from it.
 */
int place(const struct placing *how, int directory_fd, struct verified *verified, int interrupt_fd,
	  struct pool *pool, struct placed *placed, struct error *err);

/*
 * Removes what killed runs of this user left in the directory: staging directories of mode 0700 and
 * copies under way. A live one is locked.
 */
void place_clean(int directory_fd);

#endif
