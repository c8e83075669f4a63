/* SPDX-License-Identifier: Apache-2.0 */
/* artifact -> verified. Runs in the launcher as root; see verify.h. */
#include "verify/verify.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "verify/crypto.h"

#define BLOCK_BYTES (256 << 10)
#define URL_FORMAT "%.300s" /* a long one never pushes the digests out of an error */

struct hash {
	const struct crypto_api *api;
	EVP_MD *md;
	EVP_MD_CTX *context;
	unsigned char digest[64];
	uint64_t bytes;
};

static int crypto_error(const struct crypto_api *api, const char *type, struct error *err)
{
	unsigned long code = api->get_error();
	char text[200];

	api->error_string(code, text, sizeof(text));
	return error_set(err, STAGE_VERIFY, 0, "make a %s digest with libcrypto: %s", type,
			 code ? text : "out of memory");
}

/*
 * By offsets, so that the descriptor stays where it is. Returns 1 when libcrypto failed, -1 when
 * reading did.
 */
static int hash_all(struct hash *hash, int fd)
{
	char block[BLOCK_BYTES];

	for (;;) {
		ssize_t n = pread(fd, block, sizeof(block), (off_t)hash->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			return hash->api->digest_final(hash->context, hash->digest, NULL) ? 0 : 1;
		if (!hash->api->digest_update(hash->context, block, (size_t)n))
			return 1;
		hash->bytes += (size_t)n;
	}
}

/* Digests all of the artifact; the type is one of those that checksum_parse knows. */
static int hash_artifact(struct hash *hash, const struct artifact *artifact,
			 const struct checksum *checksum, struct error *err)
{
	const struct crypto_api *api = hash->api;
	int bad = 1;

	hash->md = api->md_fetch(NULL, checksum->type, NULL);
	hash->context = hash->md ? api->context_new() : NULL;
	if (hash->context && (size_t)api->md_size(hash->md) == checksum->digest_bytes &&
	    api->digest_init(hash->context, hash->md, NULL))
		bad = hash_all(hash, artifact->fd);
	if (bad < 0)
		error_set(err, STAGE_VERIFY, errno, "read the artifact " URL_FORMAT " at byte %llu",
			  artifact->url, (unsigned long long)hash->bytes);
	else if (bad)
		crypto_error(api, checksum->type, err);
	api->context_free(hash->context);
	api->md_free(hash->md);
	return bad ? -1 : 0;
}

/* "sha256:<hex>" into text, which has room for the longest. */
static void format_digest(char *text, const char *type, const unsigned char *digest, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	text = stpcpy(stpcpy(text, type), ":");
	for (size_t i = 0; i < n; i++) {
		*text++ = digits[digest[i] >> 4];
		*text++ = digits[digest[i] & 15];
	}
	*text = '\0';
}

#define DIGEST_TEXT_BYTES (sizeof("sha512:") + 2 * 64)

static int compare(const struct hash *hash, const struct artifact *artifact,
		   const struct checksum *checksum, struct pool *pool, const char **digest,
		   struct error *err)
{
	char expected[DIGEST_TEXT_BYTES], got[DIGEST_TEXT_BYTES];

	format_digest(expected, checksum->type, checksum->digest, checksum->digest_bytes);
	format_digest(got, checksum->type, hash->digest, checksum->digest_bytes);
	if (memcmp(hash->digest, checksum->digest, checksum->digest_bytes) != 0)
		return error_set_kind(err, STAGE_VERIFY, ERROR_MISMATCH, 0,
				      "artifact " URL_FORMAT
				      ": expected %s, got %s (%llu bytes); nothing was kept",
				      artifact->url, expected, got,
				      (unsigned long long)hash->bytes);
	*digest = pool_strdup(pool, got);
	return *digest ? 0 : pool_error(err, STAGE_VERIFY);
}

static void move(struct artifact *artifact, struct verified *verified, uint64_t bytes,
		 const char *digest)
{
	*verified = (struct verified){ .fd = take_fd(&artifact->fd),
				       .temporary = artifact->temporary,
				       .name = artifact->name,
				       .url = artifact->url,
				       .bytes = bytes,
				       .digest = digest };
}

int verify(struct artifact *artifact, const struct checksum *checksum, struct pool *pool,
	   struct verified *verified, struct error *err)
{
	struct crypto_api api;
	struct hash hash = { .api = &api };
	const char *digest = NULL;

	*verified = (struct verified)VERIFIED_INIT;
	if (artifact->fd < 0)
		return 0;
	if (!checksum->type)
		return error_set_kind(err, STAGE_VERIFY, ERROR_USAGE, 0,
				      "artifact " URL_FORMAT ": there is no checksum",
				      artifact->url);
	if (strcmp(checksum->type, "md5") == 0 || strcmp(checksum->type, "sha1") == 0)
		log_warn(
			"checksum type %s is broken: different files with one checksum can be made; use sha256",
			checksum->type);
	if (crypto_open(&api, err) || hash_artifact(&hash, artifact, checksum, err) ||
	    compare(&hash, artifact, checksum, pool, &digest, err))
		return -1;
	move(artifact, verified, hash.bytes, digest);
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
