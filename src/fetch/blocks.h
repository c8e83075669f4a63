/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of a file several connections have brought, and which one is next. Pure. Private to
 * this folder.
 */
#ifndef FETCH_BLOCKS_H
#define FETCH_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

#define BLOCK_BYTES_EACH (8ULL << 20)

struct block {
	uint32_t filled; /* bytes from its start on */
	bool taken;      /* by a connection */
};

struct blocks {
	struct block *v; /* NULL: not in use */
	size_t n;
	uint64_t total;
};

/* All before `bytes` is there. */
int blocks_begin(struct blocks *blocks, uint64_t total, uint64_t bytes, struct pool *pool);

/* No block. */
#define BLOCK_NONE SIZE_MAX

/* Takes the first block that nobody has, and tells what is missing of it; BLOCK_NONE: there is
 * none. */
size_t blocks_take(struct blocks *blocks, uint64_t *from, uint64_t *end);

/* Takes the block that goes on at this offset; BLOCK_NONE: somebody has been there, or it is full.
 */
size_t blocks_take_at(struct blocks *blocks, uint64_t offset, uint64_t *end);

/* size bytes came at offset; they go on where the block ended. */
void blocks_fill(struct blocks *blocks, uint64_t offset, uint64_t size);

/* Gives back a block that was taken, with what came of it; BLOCK_NONE is nothing. */
void blocks_give_back(struct blocks *blocks, size_t block);

/* How much of the file is there without a gap, when all before `from` is. */
uint64_t blocks_whole(const struct blocks *blocks, uint64_t from);

#endif
