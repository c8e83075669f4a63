/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of libcurl's functions. Runs in the launcher as root; nothing here comes from outside.
 */
#include "fetch/curl.h"

#include "base/lazy.h"

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct curl_api, global_init, curl_global_init),
	LAZY_SYMBOL(struct curl_api, easy_init, curl_easy_init),
	LAZY_SYMBOL(struct curl_api, easy_setopt, curl_easy_setopt),
	LAZY_SYMBOL(struct curl_api, easy_getinfo, curl_easy_getinfo),
	LAZY_SYMBOL(struct curl_api, easy_header, curl_easy_header),
	LAZY_SYMBOL(struct curl_api, easy_strerror, curl_easy_strerror),
	LAZY_SYMBOL(struct curl_api, easy_cleanup, curl_easy_cleanup),
	LAZY_SYMBOL(struct curl_api, multi_init, curl_multi_init),
	LAZY_SYMBOL(struct curl_api, multi_add_handle, curl_multi_add_handle),
	LAZY_SYMBOL(struct curl_api, multi_remove_handle, curl_multi_remove_handle),
	LAZY_SYMBOL(struct curl_api, multi_perform, curl_multi_perform),
	LAZY_SYMBOL(struct curl_api, multi_poll, curl_multi_poll),
	LAZY_SYMBOL(struct curl_api, multi_info_read, curl_multi_info_read),
	LAZY_SYMBOL(struct curl_api, multi_strerror, curl_multi_strerror),
	LAZY_SYMBOL(struct curl_api, multi_cleanup, curl_multi_cleanup),
	LAZY_SYMBOL(struct curl_api, url, curl_url),
	LAZY_SYMBOL(struct curl_api, url_set, curl_url_set),
	LAZY_SYMBOL(struct curl_api, url_get, curl_url_get),
	LAZY_SYMBOL(struct curl_api, url_strerror, curl_url_strerror),
	LAZY_SYMBOL(struct curl_api, url_cleanup, curl_url_cleanup),
	LAZY_SYMBOL(struct curl_api, slist_append, curl_slist_append),
	LAZY_SYMBOL(struct curl_api, slist_free_all, curl_slist_free_all),
	LAZY_SYMBOL(struct curl_api, url_dup, curl_url_dup),
	LAZY_SYMBOL(struct curl_api, free, curl_free),
};

static const struct lazy_library libcurl = {
	.purpose = "downloads",
	.package = "libcurl4 (Debian 12) or libcurl4t64 (Debian 13)",
	.sonames = { "libcurl.so.4", "libcurl-gnutls.so.4" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(curl, "[{\"soname\":[\"libcurl.so.4\",\"libcurl-gnutls.so.4\"],\"feature\":\"download\","
		"\"description\":\"artifacts over http and https\",\"priority\":\"recommended\"}]");

int curl_open(struct curl_api *api, struct error *err)
{
	CURLcode bad;

	if (lazy_open(&libcurl, api, STAGE_FETCH, err))
		return -1;
	bad = api->global_init(CURL_GLOBAL_DEFAULT);
	return bad ? error_set(err, STAGE_FETCH, 0, "initialize libcurl: %s",
			       api->easy_strerror(bad)) :
		     0;
}
