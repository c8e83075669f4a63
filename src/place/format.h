/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of file a name means, and whether the bytes agree. Private to this folder. */
#ifndef PLACE_FORMAT_H
#define PLACE_FORMAT_H

#include <stddef.h>

#include "base/error.h"

enum filter { FILTER_NONE, FILTER_GZIP, FILTER_BZIP2, FILTER_XZ, FILTER_ZSTD };
enum container { CONTAINER_NONE, CONTAINER_TAR, CONTAINER_ZIP }; /* none: one file, compressed */

struct format {
	const char *name; /* one of place_formats */
	enum container container;
	enum filter filter;
};

/* The format that is called so, in any case; NULL: there is none such. Pure. */
const struct format *format_find(const char *name);

/*
 * The format with the longest suffix, in any case, that leaves something of the file's name;
 * *stem_bytes is what it leaves. NULL: a plain file, all of whose name is its stem. Pure.
 */
const struct format *format_of_name(const char *file_name, size_t *stem_bytes);

/*
 * Fails unless the file begins as this format does, and then names both. Reads by position. What is
 * compressed is not looked at.
 */
int format_prove(const struct format *format, int fd, struct error *err);

#endif
