/* SPDX-License-Identifier: Apache-2.0 */
/* The map of a file that comes in parts. Pure; a server chooses the total, which is bounded. */
#include "fetch/blocks.h"

static uint64_t start_of(size_t i)
{
	return i * BLOCK_BYTES_EACH;
}

static uint64_t end_of(const struct blocks *blocks, size_t i)
{
	uint64_t end = start_of(i) + BLOCK_BYTES_EACH;

	return end < blocks->total ? end : blocks->total;
}

static bool is_full(const struct blocks *blocks, size_t i)
{
	return start_of(i) + blocks->v[i].filled == end_of(blocks, i);
}

int blocks_begin(struct blocks *blocks, uint64_t total, uint64_t bytes, struct pool *pool)
{
	size_t n = (size_t)((total + BLOCK_BYTES_EACH - 1) / BLOCK_BYTES_EACH);

	*blocks = (struct blocks){ .v = pool_alloc(pool, n * sizeof(*blocks->v)),
				   .n = n,
				   .total = total };
	if (!blocks->v)
		return -1;
	for (size_t i = 0; i < n && start_of(i) < bytes; i++)
		blocks->v[i].filled =
			(uint32_t)((bytes < end_of(blocks, i) ? bytes : end_of(blocks, i)) -
				   start_of(i));
	return 0;
}

size_t blocks_take(struct blocks *blocks, uint64_t *from, uint64_t *end)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (!blocks->v[i].taken && !is_full(blocks, i)) {
			blocks->v[i].taken = true;
			*from = start_of(i) + blocks->v[i].filled;
			*end = end_of(blocks, i);
			return i;
		}
	return BLOCK_NONE;
}

size_t blocks_take_at(struct blocks *blocks, uint64_t offset, uint64_t *end)
{
	size_t i = (size_t)(offset / BLOCK_BYTES_EACH);

	if (i >= blocks->n || blocks->v[i].taken || start_of(i) + blocks->v[i].filled != offset)
		return BLOCK_NONE;
	blocks->v[i].taken = true;
	*end = end_of(blocks, i);
	return i;
}

void blocks_fill(struct blocks *blocks, uint64_t offset, uint64_t size)
{
	size_t i = (size_t)(offset / BLOCK_BYTES_EACH);

	if (i < blocks->n)
		blocks->v[i].filled += (uint32_t)size;
}

void blocks_give_back(struct blocks *blocks, size_t block)
{
	if (block < blocks->n)
		blocks->v[block].taken = false;
}

uint64_t blocks_whole(const struct blocks *blocks, uint64_t from)
{
	size_t i = (size_t)(from / BLOCK_BYTES_EACH);

	while (i < blocks->n && is_full(blocks, i))
		i++;
	return i < blocks->n ? start_of(i) + blocks->v[i].filled : blocks->total;
}
