/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name, as bits of a set: bit n is capability n. Pure. Source: capabilities(7). */
#ifndef BASE_CAPABILITY_H
#define BASE_CAPABILITY_H

#include <stdint.h>

/*
 * A name in any case, with or without CAP_, into a set with its one bit; "all" is every bit. -1:
 * unknown.
 */
int capability_parse(const char *text, uint64_t *set);

/* The name of capability n without CAP_, in lower case; NULL when there is none such. */
const char *capability_name(int capability);

#endif
