/* SPDX-License-Identifier: Apache-2.0 */
/* What is used of libcrypto, opened when the first digest is made. Private to this folder. */
#ifndef VERIFY_CRYPTO_H
#define VERIFY_CRYPTO_H

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"

struct crypto_api {
	__typeof__(EVP_MD_fetch) *md_fetch;
	__typeof__(EVP_MD_free) *md_free;
	__typeof__(EVP_MD_get_size) *md_size;
	__typeof__(EVP_MD_CTX_new) *context_new;
	__typeof__(EVP_MD_CTX_free) *context_free;
	__typeof__(EVP_DigestInit_ex2) *digest_init;
	__typeof__(EVP_DigestUpdate) *digest_update;
	__typeof__(EVP_DigestFinal_ex) *digest_final;
	__typeof__(ERR_get_error) *get_error;
	__typeof__(ERR_error_string_n) *error_string;
};

/* Opens libcrypto. It stays open; the second time costs nothing. */
int crypto_open(struct crypto_api *api, struct error *err);

#endif
