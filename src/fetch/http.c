/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http and https sources: which URL is asked next. Runs in the launcher as root. A hostile server
 * chooses where a redirect leads: at most ten times, only to http and https, never from https back
 * to http, and credentials go to no other origin than the one they were given for. libcurl's parser
 * alone reads URLs here, so that what is judged is what is asked.
 */
#include <strings.h>

#include "fetch/transfer.h"

#define REDIRECTS_MAX 10

struct place {
	const char *scheme, *host, *port, *user, *password;
};

/* A part of a URL; "" when it is not there. */
static int read_part(const struct curl_api *api, CURLU *url, CURLUPart part, unsigned int flags,
		     struct pool *pool, const char **value)
{
	char *text = NULL;
	CURLUcode bad = api->url_get(url, part, &text, flags);

	*value = bad == CURLUE_OUT_OF_MEMORY ? NULL : pool_strdup(pool, bad ? "" : text);
	api->free(text);
	return *value ? 0 : -1;
}

static int read_place(const struct curl_api *api, CURLU *url, struct pool *pool,
		      struct place *place)
{
	return read_part(api, url, CURLUPART_SCHEME, 0, pool, &place->scheme) ||
			       read_part(api, url, CURLUPART_HOST, 0, pool, &place->host) ||
			       read_part(api, url, CURLUPART_PORT, CURLU_DEFAULT_PORT, pool,
					 &place->port) ||
			       read_part(api, url, CURLUPART_USER, 0, pool, &place->user) ||
			       read_part(api, url, CURLUPART_PASSWORD, 0, pool, &place->password) ?
		       -1 :
		       0;
}

static bool same_origin(const struct place *a, const struct place *b)
{
	return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       strcasecmp(a->port, b->port) == 0;
}

/* Credentials in a redirect are the server's, not the user's: they go in any case. */
static CURLUcode set_credentials(const struct curl_api *api, CURLU *url, const struct place *from)
{
	const char *user = from && *from->user ? from->user : NULL;
	const char *password = from && *from->password ? from->password : NULL;
	CURLUcode bad = api->url_set(url, CURLUPART_USER, user, 0);

	bad = bad ? bad : api->url_set(url, CURLUPART_PASSWORD, password, 0);
	return bad ? bad : api->url_set(url, CURLUPART_OPTIONS, NULL, 0);
}

/* Turns the URL that was asked into the one that the Location of its answer leads to. */
static int redirect(const struct curl_api *api, CURLU *at, const char *location, struct sink *sink,
		    struct pool *pool, struct error *err)
{
	struct place here, there;
	const char *text, *safe;
	CURLUcode bad;

	if (read_place(api, at, pool, &here))
		return pool_error(err, STAGE_FETCH);
	bad = api->url_set(at, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
	if (bad)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to a URL that is wrong: %s",
				 sink->safe, api->url_strerror(bad));
	if (read_place(api, at, pool, &there) ||
	    set_credentials(api, at, same_origin(&here, &there) ? &here : NULL) ||
	    read_part(api, at, CURLUPART_URL, 0, pool, &text) || !(safe = url_redact(text, pool)))
		return pool_error(err, STAGE_FETCH);
	if (strcasecmp(there.scheme, "http") != 0 && strcasecmp(there.scheme, "https") != 0)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to " URL_FORMAT
				 ": only http and https are followed",
				 sink->safe, safe);
	if (strcasecmp(here.scheme, "https") == 0 && strcasecmp(there.scheme, "https") != 0)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to " URL_FORMAT
				 ": never from https to http",
				 sink->safe, safe);
	sink->safe = safe;
	return 0;
}

/* Gets the URL `at`, or what it redirects to, which it becomes. */
static int follow(const struct curl_api *api, CURLU *at, struct sink *sink, struct pool *pool,
		  struct error *err)
{
	for (int redirects = 0;; redirects++) {
		const char *location;

		if (transfer_get(api, at, sink, pool, &location, err))
			return -1;
		if (!location)
			return 0;
		if (redirects == REDIRECTS_MAX)
			return error_set(err, STAGE_FETCH, 0,
					 "fetch " URL_FORMAT ": more than %d redirects", sink->safe,
					 REDIRECTS_MAX);
		if (redirect(api, at, location, sink, pool, err))
			return -1;
	}
}

int fetch_http(const struct url *url, struct sink *sink, struct pool *pool, struct error *err)
{
	struct curl_api api;
	CURLUcode bad;
	CURLU *at;
	int failed;

	if (curl_open(&api, err))
		return -1;
	at = api.url();
	bad = at ? api.url_set(at, CURLUPART_URL, url->text, 0) : CURLUE_OUT_OF_MEMORY;
	if (bad)
		failed = error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
					"artifact source " URL_FORMAT ": %s", url->safe,
					api.url_strerror(bad));
	else
		failed = follow(&api, at, sink, pool, err);
	api.url_cleanup(at);
	if (failed && sink->safe != url->safe)
		return error_prefix(err, "artifact source " URL_FORMAT, url->safe);
	return failed;
}
