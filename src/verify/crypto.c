/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of libcrypto's functions. Runs in the launcher as root; nothing here comes from
 * outside.
 */
#include "verify/crypto.h"

#include "base/lazy.h"

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct crypto_api, md_fetch, EVP_MD_fetch),
	LAZY_SYMBOL(struct crypto_api, md_free, EVP_MD_free),
	LAZY_SYMBOL(struct crypto_api, md_size, EVP_MD_get_size),
	LAZY_SYMBOL(struct crypto_api, context_new, EVP_MD_CTX_new),
	LAZY_SYMBOL(struct crypto_api, context_free, EVP_MD_CTX_free),
	LAZY_SYMBOL(struct crypto_api, digest_init, EVP_DigestInit_ex2),
	LAZY_SYMBOL(struct crypto_api, digest_update, EVP_DigestUpdate),
	LAZY_SYMBOL(struct crypto_api, digest_final, EVP_DigestFinal_ex),
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

int crypto_open(struct crypto_api *api, struct error *err)
{
	return lazy_open(&libcrypto, api, STAGE_VERIFY, err);
}
