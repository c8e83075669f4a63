/* SPDX-License-Identifier: Apache-2.0 */
/* A finished file gets its name by one step. Private to this folder. */
#ifndef PLACE_PUBLISH_H
#define PLACE_PUBLISH_H

#include <stdbool.h>

#include "place/place.h"

/* A file that is complete: its content, and a name that it has, if it has one. */
struct finished {
	int fd;
	int directory_fd;
	const char *temporary;     /* in directory_fd; NULL: the file has no name */
	const struct placing *how; /* whose mode and owner it gets; NULL: it has them */
};

/*
 * Gives the file the name in the directory, in place of a file or link of that name (no_clobber: of
 * nothing), never of anything else; its temporary name is gone then. What is no regular file is
 * refused. A file on another file system, or with a name that is
 * not `temporary`, is copied with mode and owner. On failure the directory is as it was.
 * interrupt_fd ends a copy, as in place().
 */
int publish(const struct finished *file, int directory_fd, const char *name, bool no_clobber,
	    int interrupt_fd, struct error *err);

/* renameat(2), but with EEXIST when there is something already. */
int rename_new(int from_fd, const char *from, int to_fd, const char *to);

#endif
