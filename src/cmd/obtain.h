/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to cmd: how one artifact is brought, the part of the pipeline that `run` and `fetch` have
 * in common: fetch, verify, keep, place.
 */
#ifndef CMD_OBTAIN_H
#define CMD_OBTAIN_H

#include "fetch/fetch.h"
#include "place/place.h"
#include "spec/spec.h"
#include "verify/verify.h"

/* An artifact, understood as far as that goes without asking anybody. */
struct wanted {
	struct source source;
	struct checksum checksum; /* type NULL: none was given, or it stands in `sums` */
	const char *sums;         /* the URL of a file of checksums; NULL: none */
	const char *name, *safe;  /* the name its file will have; the source without secrets */
};

/* Everything that can be wrong before any network is. Errors are ERROR_USAGE. */
int obtain_inspect(const struct source *source, const struct fetch_options *options,
		   struct pool *pool, struct wanted *wanted, struct error *err);

/*
 * Takes what may be secret of an artifact away from those who list processes: what is in its URL,
 * headers, checksum.
 */
void obtain_hide(const struct wanted *wanted, const char *url, const struct strings *headers,
		 const char *checksum, const struct arguments *arguments, struct pool *pool);

/* Reads the checksum from the file of checksums, if that is where it stands; target is not
 * resumable. */
int obtain_checksum(struct wanted *wanted, const struct fetch_options *options,
		    const struct fetch_target *target, int interrupt_fd, struct pool *pool,
		    struct error *err);

/* What came of it, for reports. */
struct obtained {
	struct artifact artifact; /* its facts; the descriptors are closed */
	const char *digest;       /* "sha256:<hex>"; NULL: not verified */
	struct placed placed;
	int64_t fetch_us, verify_us, place_us; /* -1: not reached */
};

#define OBTAINED_INIT                                                                              \
	{                                                                                          \
		.artifact = ARTIFACT_INIT, .fetch_us = -1, .verify_us = -1, .place_us = -1         \
	}

/*
 * Fetches, verifies and places, in that order. On failure *obtained says how far it came; the
 * destination is as it was. When target->look_again, it may have done nothing but wait:
 * artifact.waited says so.
 */
int obtain(const struct wanted *wanted, const struct fetch_options *options,
	   const struct fetch_target *target, const struct placing *placing, int destination_fd,
	   int interrupt_fd, struct pool *pool, struct obtained *obtained, struct error *err);

/*
 * Prints what came of it as one line of JSON. path: of the result, NULL: there is none; failure:
 * the error that ended it, or NULL.
 */
int fetch_report_print(const struct wanted *wanted, const struct obtained *obtained, bool unchanged,
		       const char *path, const struct timespec *started_at,
		       const struct error *failure, struct error *err);

#endif
