/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 of a request, for any method, service and headers. No I/O but libcrypto,
 * which base/digest opens; the caller gives the time. Private to this folder.
 *
 * Source: "Create a signed AWS API request", AWS Identity and Access Management User Guide, and for
 * what S3 does otherwise (a path is encoded once and not normalized) "Signature Calculations for
 * the Authorization Header", Amazon S3 API reference.
 */
#ifndef FETCH_SIGV4_H
#define FETCH_SIGV4_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"

/* SHA-256 of no bytes at all: of the body of a GET. */
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_header {
	const char *name;  /* in lower case */
	const char *value; /* without blanks at its ends, never two together */
};

struct sigv4_request {
	const char *method;
	const char *path;                   /* as sigv4_encode() makes it */
	const char *query;                  /* as sigv4_query() makes it; "": none */
	const struct sigv4_header *headers; /* sorted by name, no name twice, x-amz-date included */
	size_t headers_n;
	const char *payload_sha256; /* lower-case hex */
	const char *date;           /* YYYYMMDDTHHMMSSZ */
	const char *region, *service;
};

/*
 * The text with every byte as %XX but those that RFC 3986 calls unreserved, and but '/' if slashes
 * are kept. NULL: no memory.
 */
char *sigv4_encode(const char *text, bool keep_slashes, struct pool *pool);

/*
 * The canonical form of a query, which is also a query to be sent: each name and value decoded (a
 * '+' is a blank) and encoded again, sorted. Every % in it must have its two hex digits, and none
 * be %00. NULL: no memory.
 */
const char *sigv4_query(const char *query, struct pool *pool);

/* The canonical request. NULL: no memory. */
const char *sigv4_canonical_request(const struct sigv4_request *request, struct pool *pool);

/* The string to sign, made of the canonical request. NULL: it failed. */
const char *sigv4_string_to_sign(const struct sigv4_request *request, struct pool *pool,
				 struct error *err);

/* The value of the Authorization header. What secret there is does not show in it. */
int sigv4_authorization(const struct sigv4_request *request, const char *key_id, const char *secret,
			struct pool *pool, const char **value, struct error *err);

#endif
