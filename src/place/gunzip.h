/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes gzip off, with zlib. In the child; private to this folder. libarchive's own filter for gzip
 * reads past the checksum and the length at the end of each member and compares neither.
 */
#ifndef PLACE_GUNZIP_H
#define PLACE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

#include "base/error.h"

#define GUNZIP_BLOCK_BYTES (256 << 10)

struct zlib_api {
	__typeof__(inflateInit2_) *init;
	__typeof__(inflateReset) *reset;
	__typeof__(inflate) *inflate;
	__typeof__(inflateEnd) *end;
};

/* It stays open; the second time costs nothing. */
int zlib_api_open(struct zlib_api *api, struct error *err);

struct gunzip {
	const struct zlib_api *api;
	int fd;
	bool between; /* two members, or before the first one */
	z_stream state;
	unsigned char in[GUNZIP_BLOCK_BYTES], out[GUNZIP_BLOCK_BYTES];
};

/* Begins to read fd where it is. NULL: out of memory. Released by gunzip_release. */
struct gunzip *gunzip_open(const struct zlib_api *api, int fd);

/* The next bytes, until the next call; *size 0: the file ends, where a member ends. */
int gunzip_read(struct gunzip *gunzip, const void **data, size_t *size, struct error *err);

void gunzip_release(struct gunzip *gunzip);

#endif
