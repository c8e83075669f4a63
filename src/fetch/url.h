/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an artifact's source says: its kind, the file name in it, the form that may be shown. Pure:
 * no I/O, no libcurl, any byte may come in. What is sent to a server is read by libcurl's own
 * parser; nothing here decides where to connect.
 */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/pool.h"

#define URL_BYTES_MAX 8192

struct url {
	const char *text; /* as it is asked for: as given, without what the query says to us */
	const char *path; /* of a local file; NULL: text is a http or https URL */
	const char *name; /* one clean path component */
	const char *safe; /* text without secrets */
	const struct s3_object *s3;                /* NULL: it is not in S3 */
	const char *checksum, *archive, *filename; /* go-getter's query keys; NULL: not there */
};

/*
 * Reads a source: an absolute path (taken as it is), or a file://, http:// or https:// URL.
 * Whatever could not be fetched, or would get no clean name, is refused here, before any network.
 * filename, if not NULL, is the name it gets instead of the last segment of its path.
 * errors are of kind ERROR_USAGE and quote the source without its secrets.
 */
int url_parse(const char *source, const char *filename, struct pool *pool, struct url *url,
	      struct error *err);

/*
 * A copy for messages, NULL without memory: userinfo and fragment are cut out, the values of query
 * keys that carry secrets are replaced by "***". Works on any text, not only on what url_parse
 * accepts.
 */
const char *url_redact(const char *text, struct pool *pool);

/*
 * Decodes %XX once; out has room for length + 1 bytes, and may be text. Fails at a % without two
 * hex digits and at %00.
 */
int url_decode(const char *text, size_t length, char *out);

/* The end of the userinfo that begins at authority; authority itself when there is none. */
const char *url_skip_userinfo(const char *authority, const char *stop);

/* Whether a control character is in text. */
bool url_has_control(const char *text);

/*
 * How messages print a safe URL: bounded, so that a long one never pushes the reason out of an
 * error.
 */
#define URL_FORMAT "%.300s"

#endif
