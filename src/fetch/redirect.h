/* SPDX-License-Identifier: Apache-2.0 */
/* Where a redirect leads. Private to this folder. */
#ifndef FETCH_REDIRECT_H
#define FETCH_REDIRECT_H

#include "fetch/curl.h"
#include "fetch/source.h"

/*
 * Refuses a URL whose host is an address that the policy does not allow: behind a proxy nothing is
 * connected to that could be judged then.
 */
int redirect_check(const struct curl_api *api, CURLU *url, const struct fetch_options *options,
		   const struct sink *sink, struct pool *pool, struct error *err);

/*
 * Turns the URL that was asked into the one that the Location of its answer leads to, which
 * sink->safe then shows. Only to http and https, never from https to http; credentials in it stay
 * only if *same, the origin is the same.
 */
int redirect_follow(const struct curl_api *api, CURLU *at, const char *location, struct sink *sink,
		    struct pool *pool, bool *same, struct error *err);

#endif
