/* SPDX-License-Identifier: Apache-2.0 */
/* The table of libcrypto's functions, and digests with them. Runs wherever bytes come in. */
#include "base/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/lazy.h"

struct crypto_api {
	__typeof__(EVP_MD_fetch) *md_fetch;
	__typeof__(EVP_MD_free) *md_free;
	__typeof__(EVP_MD_CTX_new) *context_new;
	__typeof__(EVP_MD_CTX_free) *context_free;
	__typeof__(EVP_DigestInit_ex2) *digest_init;
	__typeof__(EVP_DigestUpdate) *digest_update;
	__typeof__(EVP_DigestFinal_ex) *digest_final;
	__typeof__(EVP_sha256) *sha256;
	__typeof__(HMAC) *hmac;
	__typeof__(ERR_get_error) *get_error;
	__typeof__(ERR_error_string_n) *error_string;
};

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct crypto_api, md_fetch, EVP_MD_fetch),
	LAZY_SYMBOL(struct crypto_api, md_free, EVP_MD_free),
	LAZY_SYMBOL(struct crypto_api, context_new, EVP_MD_CTX_new),
	LAZY_SYMBOL(struct crypto_api, context_free, EVP_MD_CTX_free),
	LAZY_SYMBOL(struct crypto_api, digest_init, EVP_DigestInit_ex2),
	LAZY_SYMBOL(struct crypto_api, digest_update, EVP_DigestUpdate),
	LAZY_SYMBOL(struct crypto_api, digest_final, EVP_DigestFinal_ex),
	LAZY_SYMBOL(struct crypto_api, sha256, EVP_sha256),
	LAZY_SYMBOL(struct crypto_api, hmac, HMAC),
	LAZY_SYMBOL(struct crypto_api, get_error, ERR_get_error),
	LAZY_SYMBOL(struct crypto_api, error_string, ERR_error_string_n),
};

static const struct lazy_library libcrypto = {
	.purpose = "checksums",
	.package = "libssl3 (Debian 12) or libssl3t64 (Debian 13)",
	.sonames = { "libcrypto.so.3" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(crypto, "[{\"soname\":[\"libcrypto.so.3\"],\"feature\":\"checksum\","
		  "\"description\":\"checksums of artifacts\",\"priority\":\"recommended\"}]");

const struct digest_type digest_types[] = { { "md5", 16 },    { "sha1", 20 },   { "sha256", 32 },
					    { "sha384", 48 }, { "sha512", 64 }, { NULL, 0 } };

const struct digest_type *digest_type_find(const char *name, size_t length)
{
	for (const struct digest_type *type = digest_types; type->name; type++)
		if (strlen(type->name) == length && strncasecmp(type->name, name, length) == 0)
			return type;
	return NULL;
}

bool digest_type_is_weak(const char *type)
{
	return strcmp(type, "md5") == 0 || strcmp(type, "sha1") == 0;
}

void digest_hex(const unsigned char *bytes, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

void checksum_format(const struct checksum *checksum, char *text)
{
	text = stpcpy(stpcpy(text, checksum->type), ":");
	digest_hex(checksum->digest, checksum->digest_bytes, text);
}

bool checksum_equal(const struct checksum *a, const struct checksum *b)
{
	return a->type && b->type && strcmp(a->type, b->type) == 0 &&
	       memcmp(a->digest, b->digest, a->digest_bytes) == 0;
}

static int crypto_error(const char *type, enum stage stage, struct error *err)
{
	char text[200] = "out of memory";
	struct crypto_api api;
	unsigned long code;

	if (lazy_open(&libcrypto, &api, stage, err))
		return -1;
	code = api.get_error();
	if (code)
		api.error_string(code, text, sizeof(text));
	return error_set(err, stage, 0, "make a %s digest with libcrypto: %s", type, text);
}

int digest_begin(struct digest *digest, const char *type, enum stage stage, struct error *err)
{
	struct crypto_api api;
	EVP_MD *md;
	int good;

	digest_release(digest);
	if (lazy_open(&libcrypto, &api, stage, err))
		return -1;
	*digest = (struct digest){ .type = digest_type_find(type, strlen(type)),
				   .update = api.digest_update,
				   .final = api.digest_final,
				   .release = api.context_free };
	md = digest->type ? api.md_fetch(NULL, digest->type->name, NULL) : NULL;
	digest->context = md ? api.context_new() : NULL;
	good = digest->context && api.digest_init(digest->context, md, NULL);
	api.md_free(md); /* the context holds it */
	if (good)
		return 0;
	digest_release(digest);
	return crypto_error(type, stage, err);
}

int digest_update(struct digest *digest, const void *data, size_t size, enum stage stage,
		  struct error *err)
{
	if (!digest->context || digest->update(digest->context, data, size))
		return 0;
	return crypto_error(digest->type->name, stage, err);
}

int digest_end(struct digest *digest, struct checksum *checksum, enum stage stage,
	       struct error *err)
{
	const struct digest_type *type = digest->type;
	int good;

	*checksum = (struct checksum){ 0 };
	if (!digest->context)
		return 0;
	good = digest->final(digest->context, checksum->digest, NULL);
	digest_release(digest);
	if (!good)
		return crypto_error(type->name, stage, err);
	checksum->type = type->name;
	checksum->digest_bytes = type->bytes;
	return 0;
}

void digest_release(struct digest *digest)
{
	if (digest->context)
		digest->release(digest->context);
	*digest = (struct digest){ 0 };
}

int digest_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t data_bytes,
		       unsigned char *out, enum stage stage, struct error *err)
{
	struct crypto_api api;
	unsigned int n = 0;

	if (lazy_open(&libcrypto, &api, stage, err))
		return -1;
	return api.hmac(api.sha256(), key, (int)key_bytes, data, data_bytes, out, &n) && n == 32 ?
		       0 :
		       crypto_error("hmac-sha256", stage, err);
}

int digest_sha256_hex(const void *data, size_t size, char *text, enum stage stage,
		      struct error *err)
{
	AUTO_DIGEST digest = { 0 };
	struct checksum checksum;

	if (digest_begin(&digest, "sha256", stage, err) ||
	    digest_update(&digest, data, size, stage, err) ||
	    digest_end(&digest, &checksum, stage, err))
		return -1;
	digest_hex(checksum.digest, checksum.digest_bytes, text);
	return 0;
}
