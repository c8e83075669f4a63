/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources in S3 and what speaks like it: from the source to a signed request. Signature version 4
 * is made here, as libcurl's own signer was too weak before 8.x. Private to this folder.
 *
 * Source: "Signature Calculations for the Authorization Header: Transferring Payload in a Single
 * Chunk (AWS Signature Version 4)", Amazon S3 API reference.
 */
#ifndef FETCH_S3_H
#define FETCH_S3_H

#include <stdbool.h>
#include <time.h>

#include "base/error.h"
#include "base/pool.h"

struct s3_credentials {
	const char *key_id; /* NULL: there are none, the request is not signed */
	const char *secret, *token;
};

struct s3_object {
	const char *url;  /* http or https, without credentials, to be requested byte for byte */
	const char *host; /* the value of the Host header: with the port unless it is the default */
	const char *path, *query; /* of the url, as they stand in it; query NULL: none */
	const char *region;
	struct s3_credentials
		credentials; /* those in the source's own query, as go-getter takes them */
};

/* Whether the source is one of ours: "s3::http…", "s3://bucket/key". Pure. */
bool s3_is_source(const char *source);

/*
 * Reads a source. Pure but for the region, which comes from the source, else from AWS_REGION or
 * AWS_DEFAULT_REGION, else is us-east-1. Errors are ERROR_USAGE and quote the source without
 * secrets.
 */
int s3_parse(const char *source, struct pool *pool, struct s3_object *object, struct error *err);

/*
 * Finds credentials: the object's own, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN, else the profile (AWS_PROFILE, else "default") of the shared credentials file
 * (AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials). None at all is no error.
 */
int s3_find_credentials(const struct s3_object *object, struct pool *pool,
			struct s3_credentials *credentials, struct error *err);

/*
 * Adds the headers of a signed GET ("NAME: VALUE") to the list. now: CLOCK_REALTIME; the server
 * refuses a request that is more than some minutes off.
 */
int s3_sign(const struct s3_object *object, const struct s3_credentials *credentials, time_t now,
	    struct pool *pool, struct strings *headers, struct error *err);

#endif
