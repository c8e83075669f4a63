/* SPDX-License-Identifier: Apache-2.0 */
/* artifact -> verified. Runs in the launcher as root; see verify.h. */
#include "verify/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

#define URL_FORMAT "%.300s" /* a long one never pushes the digests out of an error */

/* Digests all of the artifact, and rewinds it for whoever gets it. */
static int hash_artifact(const struct artifact *artifact, const char *type, struct checksum *got,
			 uint64_t *bytes, struct error *err)
{
	char what[400];

	snprintf(what, sizeof(what), "the artifact " URL_FORMAT, artifact->url);
	got->type = type;
	if (hash_fd(artifact->fd, what, got, 1, bytes, -1, err))
		return -1;
	if (lseek(artifact->fd, 0, SEEK_SET))
		return error_set(err, STAGE_VERIFY, errno, "rewind %s", what);
	return 0;
}

static int compare(const struct artifact *artifact, const struct checksum *checksum,
		   const struct checksum *got, uint64_t bytes, struct pool *pool,
		   const char **digest, struct error *err)
{
	char expected[CHECKSUM_TEXT_BYTES], text[CHECKSUM_TEXT_BYTES];

	checksum_format(checksum, expected);
	checksum_format(got, text);
	if (!checksum_equal(checksum, got))
		return error_set_kind(err, STAGE_VERIFY, ERROR_MISMATCH, 0,
				      "artifact " URL_FORMAT
				      ": expected %s, got %s (%llu bytes); nothing was kept",
				      artifact->url, expected, text, (unsigned long long)bytes);
	*digest = pool_strdup(pool, text);
	return *digest ? 0 : pool_error(err, STAGE_VERIFY);
}

static void move(struct artifact *artifact, struct verified *verified, uint64_t bytes,
		 const char *digest)
{
	*verified = (struct verified){ .fd = take_fd(&artifact->fd),
				       .directory_fd = artifact->directory_fd,
				       .temporary = artifact->temporary,
				       .name = artifact->name,
				       .url = artifact->url,
				       .bytes = bytes,
				       .digest = digest };
}

int verify(struct artifact *artifact, const struct checksum *checksum, struct pool *pool,
	   struct verified *verified, struct error *err)
{
	struct checksum got = artifact->digest;
	uint64_t bytes = artifact->bytes;
	const char *digest = NULL;

	*verified = (struct verified)VERIFIED_INIT;
	if (artifact->fd < 0)
		return 0;
	if (!checksum->type)
		return error_set_kind(err, STAGE_VERIFY, ERROR_USAGE, 0,
				      "artifact " URL_FORMAT ": there is no checksum",
				      artifact->url);
	checksum_warn_if_weak(checksum->type);
	if ((!got.type || strcmp(got.type, checksum->type) != 0) &&
	    hash_artifact(artifact, checksum->type, &got, &bytes, err))
		return -1;
	if (compare(artifact, checksum, &got, bytes, pool, &digest, err))
		return -1;
	move(artifact, verified, bytes, digest);
	return 0;
}

int verify_nothing_and_trust(struct artifact *artifact, struct verified *verified)
{
	*verified = (struct verified)VERIFIED_INIT;
	if (artifact->fd < 0)
		return 0;
	log_warn("artifact " URL_FORMAT ": not verified, because no --checksum was given%s",
		 artifact->url,
		 strncasecmp(artifact->url, "http:", 5) == 0 ?
			 "; over plain http anyone on the way can replace it" :
			 "");
	move(artifact, verified, artifact->bytes, NULL);
	return 0;
}

void verified_release(struct verified *verified)
{
	drop_fd(&verified->fd);
}
