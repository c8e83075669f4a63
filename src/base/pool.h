/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lifetime for all strings and arrays of a run: taken from a pool, released together.
 *
 * A pool has a maximum from birth, so that no input, however large, chooses our memory. Every
 * function returns NULL or -1 when the pool is exhausted or malloc fails; the caller reports it
 * with pool_error(). Nothing is ever freed singly. One thread at a time.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/error.h"

struct pool {
	struct pool_block *blocks;
	size_t left_bytes; /* still allowed */
};

#define POOL_INIT(max_bytes)                                                                       \
	{                                                                                          \
		.left_bytes = (max_bytes)                                                          \
	}

/* Frees everything; the pool may be used again with what is left of its maximum. */
void pool_release(struct pool *pool);

#define AUTO_POOL __attribute__((cleanup(pool_release))) struct pool

/* size bytes, zeroed, aligned for any type; size 0 gives a valid pointer. */
void *pool_alloc(struct pool *pool, size_t size);

/* A copy with a NUL behind it. */
char *pool_strdup(struct pool *pool, const char *text);
char *pool_strndup(struct pool *pool, const char *text, size_t length);

__attribute__((format(printf, 2, 3))) char *pool_printf(struct pool *pool, const char *format, ...);

/* Sets "out of memory" for what was being done. Returns -1. */
int pool_error(struct error *err, enum stage stage);

/*
 * A growing list of strings. v[n] is NULL once something was added, so it can serve as argv or
 * envp. The strings themselves are not copied.
 */
struct strings {
	const char **v;
	size_t n;
	size_t capacity;
};

int strings_add(struct pool *pool, struct strings *list, const char *text);

/* A growing list of structs of one kind, each in a place of its own. */
struct elements {
	void **v;
	size_t n, capacity;
};

/* The new last element, a copy of the `size` bytes at `initial`; NULL without memory. */
void *elements_add(struct pool *pool, struct elements *list, const void *initial, size_t size);

#endif
