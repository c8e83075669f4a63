/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a tree of files below one directory, by clean names (entry.h). In the child that unpacks.
 * Private to this folder.
 *
 * Each directory on the way is opened by itself, and never through a link; those of the last entry
 * stay open, because the next one mostly lies there too. What a directory gets for its content, its
 * time, is set when it is left.
 */
#ifndef PLACE_WRITER_H
#define PLACE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "place/entry.h"

#define WRITER_DEPTH_MAX 128

struct level {
	int fd;
	char name[ENTRY_PART_BYTES];
	struct timespec mtime; /* tv_nsec UTIME_OMIT: the time of its last change */
};

struct writer {
	bool set_owner;
	uid_t uid;
	gid_t gid;
	uint64_t directories_left; /* that no entry names */
	unsigned int depth;        /* levels in use; level 0 is the top */
	struct level levels[WRITER_DEPTH_MAX + 1];
};

/* What an entry is given. */
struct dress {
	mode_t mode; /* only permissions */
	struct timespec mtime;
};

/* At most so many directories are made that no entry names. */
void writer_init(struct writer *writer, int top_fd, uint64_t directories_max);

/* All that is made from now on belongs to them. */
void writer_own(struct writer *writer, uid_t uid, gid_t gid);

/* Each returns -1 with a reason that completes "entry NAME: …". */
int writer_directory(struct writer *writer, const char *name, const struct dress *dress,
		     struct error *err);
/* A new file, to be written to; one of that name is removed first. The descriptor, or -1. */
int writer_file(struct writer *writer, const char *name, const struct dress *dress,
		struct error *err);
/* When all is written: its time and owner, and a close that is checked. */
int writer_file_end(const struct writer *writer, int fd, const struct dress *dress,
		    struct error *err);
int writer_symlink(struct writer *writer, const char *name, const char *target,
		   const struct dress *dress, struct error *err);
/* Another name for a file that was written before. */
int writer_hard_link(struct writer *writer, const char *name, const char *target,
		     struct error *err);

/* Leaves all directories. */
int writer_end(struct writer *writer, struct error *err);

#endif
