/* SPDX-License-Identifier: Apache-2.0 */
/* One GET request. Private to this folder. */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include "fetch/curl.h"
#include "fetch/source.h"

/*
 * Gets the URL, with the credentials that are in it, through a connection of its own. A whole
 * answer of status 200 goes into the sink, and *location is NULL. A redirect is not followed: where
 * it leads to goes to *location, as it was sent, and nothing into the sink. All else is an error,
 * also a body that is encoded, shorter than announced, or too large.
 */
int transfer_get(const struct curl_api *api, CURLU *url, struct sink *sink, struct pool *pool,
		 const char **location, struct error *err);

#endif
