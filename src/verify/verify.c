/* SPDX-License-Identifier: Apache-2.0 */
/* artifact -> verified. Runs in the launcher as root; see verify.h. */
#include "verify/verify.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

#define BLOCK_BYTES (256 << 10)
#define URL_FORMAT "%.300s" /* a long one never pushes the digests out of an error */

/*
 * Digests all of the artifact, by offsets, so that the descriptor stays where it is; how many bytes
 * that were goes to *bytes.
 */
static int hash_file(const struct artifact *artifact, const char *type, struct checksum *got,
		     uint64_t *bytes, struct error *err)
{
	AUTO_DIGEST digest = { 0 };
	char block[BLOCK_BYTES];

	if (digest_begin(&digest, type, STAGE_VERIFY, err))
		return -1;
	for (*bytes = 0;;) {
		ssize_t n = pread(artifact->fd, block, sizeof(block), (off_t)*bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, STAGE_VERIFY, errno,
					 "read the artifact " URL_FORMAT " at byte %llu",
					 artifact->url, (unsigned long long)*bytes);
		if (n == 0)
			return digest_end(&digest, got, STAGE_VERIFY, err);
		if (digest_update(&digest, block, (size_t)n, STAGE_VERIFY, err))
			return -1;
		*bytes += (size_t)n;
	}
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
	if (digest_type_is_weak(checksum->type))
		log_warn(
			"checksum type %s is broken: different files with one checksum can be made; use sha256",
			checksum->type);
	if ((!got.type || strcmp(got.type, checksum->type) != 0) &&
	    hash_file(artifact, checksum->type, &got, &bytes, err))
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
	log_warn("artifact " URL_FORMAT ": not verified, because no --checksum was given",
		 artifact->url);
	move(artifact, verified, artifact->bytes, NULL);
	return 0;
}

void verified_release(struct verified *verified)
{
	drop_fd(&verified->fd);
}
