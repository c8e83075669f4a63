/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of bytes as they come, and the text that a checksum is written as. The only user of
 * libcrypto, which is opened when the first digest is made. Two stages need it: fetch, which hashes
 * while it downloads and signs requests, and verify, which proves.
 *
 * Nothing here decides whether bytes are trusted. The bytes may be hostile, but are only hashed.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES_MAX 64
/* "sha512:" and its hex digits, with the NUL. */
#define CHECKSUM_TEXT_BYTES (7 + 2 * DIGEST_BYTES_MAX + 1)

/* A type and a value; type NULL: none. */
struct checksum {
	const char *type; /* a name of digest_types, never freed */
	unsigned char digest[DIGEST_BYTES_MAX];
	size_t digest_bytes;
};

struct digest_type {
	const char *name; /* "sha256" */
	size_t bytes;
};

/* md5, sha1, sha256, sha384, sha512: from the weakest to the strongest; ended by a NULL name. */
extern const struct digest_type digest_types[];

/* The type of this name, in any case; NULL: there is none such. Pure. */
const struct digest_type *digest_type_find(const char *name, size_t length);

/*
 * Whether files with the same digest of this type can be made at will today, as with md5 and sha1.
 */
bool digest_type_is_weak(const char *type);

/* "sha256:<hex>" into text, which has CHECKSUM_TEXT_BYTES. Pure. */
void checksum_format(const struct checksum *checksum, char *text);

bool checksum_equal(const struct checksum *a, const struct checksum *b);

/* A digest in the making; { 0 } is none, on which update does nothing. */
struct digest {
	const struct digest_type *type;
	struct evp_md_ctx_st *context;
	int (*update)(struct evp_md_ctx_st *, const void *, size_t);
	int (*final)(struct evp_md_ctx_st *, unsigned char *, unsigned int *);
	void (*release)(struct evp_md_ctx_st *);
};

/*
 * Begins a digest; one that was begun before is dropped. On failure, of libcrypto that is missing
 * for instance, *digest is none. Released by digest_release.
 */
int digest_begin(struct digest *digest, const char *type, enum stage stage, struct error *err);
int digest_update(struct digest *digest, const void *data, size_t size, enum stage stage,
		  struct error *err);
/* The value goes to *checksum (type NULL when there is no digest); *digest is none afterwards. */
int digest_end(struct digest *digest, struct checksum *checksum, enum stage stage,
	       struct error *err);
void digest_release(struct digest *digest);

#define AUTO_DIGEST __attribute__((cleanup(digest_release))) struct digest

/* HMAC-SHA256 (RFC 2104) of data into out, which has 32 bytes. */
int digest_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t data_bytes,
		       unsigned char *out, enum stage stage, struct error *err);

/* SHA-256 of data in lower-case hex into text, which has 65 bytes. */
int digest_sha256_hex(const void *data, size_t size, char *text, enum stage stage,
		      struct error *err);

/* The lower-case hex digits of n bytes, and a NUL, into text. Pure. */
void digest_hex(const unsigned char *bytes, size_t n, char *text);

#endif
