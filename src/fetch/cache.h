/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Artifacts kept for the next time, by their digest: <dir>/sha256/ab/<hex>, of mode 0444. Only
 * sha256, sha384 and sha512 name anything. What is in there was verified before it got its name,
 * and nobody but the owner of the directory can have changed it since. Private to this folder.
 */
#ifndef FETCH_CACHE_H
#define FETCH_CACHE_H

#include "base/digest.h"
#include "fetch/source.h"

struct cache {
	int fd;                              /* <dir>; -1: there is none */
	int type_fd;                         /* <dir>/<type>/ab */
	char name[2 * DIGEST_BYTES_MAX + 1]; /* of what is wanted */
};

#define CACHE_INIT                                                                                 \
	{                                                                                          \
		.fd = -1, .type_fd = -1                                                            \
	}

/*
 * Opens, and makes where missing, the place of what is wanted. A cache that cannot be had, or that
 * others could write to, is passed over with a message: fd is -1 then.
 */
void cache_open(struct cache *cache, const char *directory, const struct checksum *wanted);

/* The file, open for reading, and marked as used now; -1: it is not there. */
int cache_find(const struct cache *cache, uint64_t *bytes);

/* Gives the file `temporary` of type_fd its name. */
int cache_keep(const struct cache *cache, int fd, const char *temporary, struct error *err);

/* Removes what was not used for longest until no more than max_bytes are left. */
void cache_trim(const struct cache *cache, uint64_t max_bytes);

void cache_release(struct cache *cache);

#endif
