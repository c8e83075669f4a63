/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources in S3 and what speaks like it: from the source to a signed request. Signature version 4
 * is made here, as libcurl's own signer was too weak before 8.x. Private to this folder.
 *
 * What is signed is what is requested only if the engine sends object->url byte for byte
 * (CURLOPT_PATH_AS_IS; no `.` or `..` segment gets this far, but empty ones do) and all headers
 * that s3_sign() made. More headers, as Range, may be sent: they are not signed. The headers are
 * for this one request: on a redirect to anywhere none of them goes along.
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
	const char *safe; /* the source without secrets, for messages */
	const char *url;  /* http or https, without credentials, to be requested byte for byte */
	const char *host; /* the value of the Host header: with the port unless it is the default */
	const char *path, *query; /* of the url, as they stand in it; query NULL: none */
	const char *region;
	struct s3_credentials credentials; /* those in the source's own query; not yet checked */
};

/*
 * Whether the source is one of ours: "s3::http...", "s3://bucket/key", and without a scheme
 * "bucket.s3.REGION.amazonaws.com/key", as Nomad takes it. Pure.
 */
bool s3_is_source(const char *source);

/*
 * Reads a source that s3_is_source() takes. Pure but for the region: that of the query, else of
 * Amazon's host, else AWS_REGION or AWS_DEFAULT_REGION, else us-east-1.
 *
 * The query keys aws_access_key_id, aws_access_key_secret, aws_access_token and region do not get
 * into the url, version becomes versionId; all others are kept, in the canonical order. The file
 * name is for url_parse(object->url), which also refuses what a http URL may not have. Errors are
 * ERROR_USAGE and quote the source without secrets.
 */
int s3_parse(const char *source, struct pool *pool, struct s3_object *object, struct error *err);

/*
 * Finds credentials: the object's own, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN, else the profile (AWS_PROFILE, else "default") of the shared credentials file
 * (AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials), of which at most 64 KiB are read. None at
 * all is no error, nor is a default file that is not there; a file or profile that the environment
 * names must be. Half of a pair, and what could not stand in a header, is ERROR_USAGE. Errors never
 * quote a secret.
 */
int s3_find_credentials(const struct s3_object *object, struct pool *pool,
			struct s3_credentials *credentials, struct error *err);

/*
 * Adds the headers of a signed GET ("name: VALUE", Host among them) to the list; nothing when there
 * are no credentials. now: CLOCK_REALTIME; the server refuses a request that is more than some
 * minutes off, so each attempt is signed anew.
 */
int s3_sign(const struct s3_object *object, const struct s3_credentials *credentials, time_t now,
	    struct pool *pool, struct strings *headers, struct error *err);

/*
 * When the answer that *err tells of had the header x-amz-bucket-region (else NULL) and that is
 * another region than the object's, adds what to do. Returns -1.
 */
int s3_explain_region(const struct s3_object *object, const char *bucket_region, struct error *err);

#endif
