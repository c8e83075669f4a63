/* SPDX-License-Identifier: Apache-2.0 */
/* From the forms of a source in S3 to a host, a path and a region. Private to s3.c. */
#ifndef FETCH_S3_HOST_H
#define FETCH_S3_HOST_H

#include "fetch/s3.h"

/* Where the request goes, before it is put together. */
struct s3_target {
	const char *scheme; /* "https" */
	const char *host;   /* lower case; of IPv6 with its brackets */
	const char *port;   /* ":9000"; "" when it is the scheme's */
	char *path;         /* behind the host, as in the source; "", or it begins with a slash */
	bool bucket_in_path;
};

/*
 * Finds the target and object->region, which is that of the query before. location: the source
 * without its query, which is taken apart.
 */
int s3_find_target(struct s3_object *object, char *location, struct s3_target *target,
		   struct pool *pool, struct error *err);

/* Whether text begins with the prefix, in any case. */
bool s3_begins(const char *text, const char *prefix);

/* Sets an error of kind ERROR_USAGE that quotes the source without secrets. Returns -1. */
int s3_refuse(const struct s3_object *object, struct error *err, const char *problem);

#endif
