/* SPDX-License-Identifier: Apache-2.0 */
/* A bump allocator over malloc-ed blocks. Sizes may come from hostile input: every sum is checked.
 */
#include "base/pool.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)8192)

struct pool_block {
	struct pool_block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

void pool_release(struct pool *pool)
{
	while (pool->blocks) {
		struct pool_block *block = pool->blocks;

		pool->blocks = block->next;
		pool->left_bytes += block->size;
		free(block);
	}
}

static struct pool_block *add_block(struct pool *pool, size_t size)
{
	struct pool_block *block;

	if (size > pool->left_bytes)
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	pool->left_bytes -= size;
	*block = (struct pool_block){ .next = pool->blocks, .size = size };
	pool->blocks = block;
	return block;
}

void *pool_alloc(struct pool *pool, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct pool_block *block = pool->blocks;
	size_t rounded;
	void *data;

	if (size > SIZE_MAX / 2)
		return NULL;
	rounded = (size + align - 1) & ~(align - 1);
	if (!block || block->size - block->used < rounded)
		block = add_block(pool, rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
	if (!block)
		return NULL;
	data = block->data + block->used;
	block->used += rounded;
	return memset(data, 0, size);
}

char *pool_strndup(struct pool *pool, const char *text, size_t length)
{
	char *copy = pool_alloc(pool, length + 1);

	return copy ? memcpy(copy, text, length) : NULL;
}

char *pool_strdup(struct pool *pool, const char *text)
{
	return pool_strndup(pool, text, strlen(text));
}

char *pool_printf(struct pool *pool, const char *format, ...)
{
	va_list ap, again;
	int length;
	char *text;

	va_start(ap, format);
	va_copy(again, ap);
	length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	text = length < 0 ? NULL : pool_alloc(pool, (size_t)length + 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

int pool_error(struct error *err, enum stage stage)
{
	return error_set(err, stage, ENOMEM, "the strings of this run");
}

void *elements_add(struct pool *pool, struct elements *list, const void *initial, size_t size)
{
	void *element = pool_alloc(pool, size);

	if (!element)
		return NULL;
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 4;
		void **v = pool_alloc(pool, capacity * sizeof(*v));

		if (!v)
			return NULL;
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
		list->capacity = capacity;
	}
	list->v[list->n++] = element;
	return memcpy(element, initial, size);
}

int strings_add(struct pool *pool, struct strings *list, const char *text)
{
	if (list->n + 1 >= list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 8;
		const char **v = pool_alloc(pool, capacity * sizeof(*v));

		if (!v)
			return -1;
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
		list->capacity = capacity;
	}
	list->v[list->n++] = text;
	list->v[list->n] = NULL;
	return 0;
}
