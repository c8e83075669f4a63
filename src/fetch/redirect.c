/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a redirect leads. Runs in the launcher as root, or in `fetch` as anyone. A hostile server
 * chooses it; libcurl's parser alone reads URLs here, so that what is judged is what is asked.
 */
#include "fetch/redirect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetch/policy.h"

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

/*
 * An address in the URL itself is judged here too: behind a proxy, nothing is connected to that
 * could be.
 */
static int check_address(const struct fetch_options *options, const char *host,
			 const struct sink *sink, struct error *err)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	char bare[64];
	const char *obstacle = NULL;

	snprintf(bare, sizeof(bare), "%s", *host == '[' ? host + 1 : host);
	bare[strcspn(bare, "]%")] = '\0';
	if (inet_pton(AF_INET, bare, &ipv4.sin_addr) == 1)
		obstacle = policy_obstacle((const struct sockaddr *)&ipv4, options->allow_metadata,
					   options->deny_private);
	else if (inet_pton(AF_INET6, bare, &ipv6.sin6_addr) == 1)
		obstacle = policy_obstacle((const struct sockaddr *)&ipv6, options->allow_metadata,
					   options->deny_private);
	return obstacle ? error_set(err, STAGE_FETCH, 0,
				    "fetch " URL_FORMAT ": its address is refused: %s", sink->safe,
				    obstacle) :
			  0;
}

int redirect_check(const struct curl_api *api, CURLU *url, const struct fetch_options *options,
		   const struct sink *sink, struct pool *pool, struct error *err)
{
	const char *host;

	if (read_part(api, url, CURLUPART_HOST, 0, pool, &host))
		return pool_error(err, STAGE_FETCH);
	return check_address(options, host, sink, err);
}

int redirect_follow(const struct curl_api *api, CURLU *at, const char *location, struct sink *sink,
		    struct pool *pool, bool *same, struct error *err)
{
	struct place here, there;
	const char *text, *safe;
	CURLUcode bad;

	*same = false;
	if (read_place(api, at, pool, &here))
		return pool_error(err, STAGE_FETCH);
	bad = api->url_set(at, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
	if (bad)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to a URL that is wrong: %s",
				 sink->safe, api->url_strerror(bad));
	if (read_place(api, at, pool, &there) ||
	    set_credentials(api, at, (*same = same_origin(&here, &there)) ? &here : NULL) ||
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
