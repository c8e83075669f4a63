/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a destination for a short time under a name of ours. Private to this folder. */
#ifndef PLACE_STAGING_H
#define PLACE_STAGING_H

#include "base/error.h"

#define STAGING_NAME_BYTES 40

/* A directory in the destination, mode 0700, locked as long as someone holds fd. */
struct staging {
	int directory_fd; /* the destination; borrowed */
	int fd;
	char name[STAGING_NAME_BYTES];
};

#define STAGING_INIT                                                                               \
	{                                                                                          \
		.directory_fd = -1, .fd = -1                                                       \
	}

/* A new name that place_clean() knows as ours, into name, which has STAGING_NAME_BYTES. */
void staging_name(char *name);

int staging_make(int directory_fd, struct staging *staging, struct error *err);

/* Removes the directory and what is left in it. */
void staging_remove(struct staging *staging);

#define AUTO_STAGING __attribute__((cleanup(staging_remove))) struct staging

#endif
