/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4. Runs in the launcher as root. Paths, queries and keys are the user's, of
 * any bytes; every string made of them comes from the pool, which has a maximum.
 */
#include "fetch/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "fetch/url.h"

#define KEY_BYTES 32
#define ALGORITHM "AWS4-HMAC-SHA256"

/* Not isalnum(), which asks the locale. */
static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

char *sigv4_encode(const char *text, bool keep_slashes, struct pool *pool)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = pool_alloc(pool, 3 * strlen(text) + 1), *out = encoded;

	for (; encoded && *text; text++) {
		if (is_unreserved(*text) || (keep_slashes && *text == '/')) {
			*out++ = *text;
			continue;
		}
		*out++ = '%';
		*out++ = digits[(unsigned char)*text >> 4];
		*out++ = digits[*text & 0xf];
	}
	return encoded;
}

/* --- the query ------------------------------------------------------------------------------- */

struct parameter {
	const char *name, *value;
};

static const char *recode(const char *text, size_t length, struct pool *pool)
{
	char *copy = pool_strndup(pool, text, length);

	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if (*c == '+')
			*c = ' ';
	return url_decode(copy, length, copy) ? NULL : sigv4_encode(copy, false, pool);
}

/* Appends the parameters to list, which has room for them, and counts them. */
static int split(const char *query, struct pool *pool, struct parameter *list, size_t *n)
{
	for (*n = 0; *query; query += *query == '&') {
		size_t length = strcspn(query, "&"), name = strcspn(query, "&=");

		if (length) {
			size_t value = name < length ? name + 1 : length;

			list[*n].name = recode(query, name, pool);
			list[*n].value = recode(query + value, length - value, pool);
			if (!list[*n].name || !list[*n].value)
				return -1;
			++*n;
		}
		query += length;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct parameter *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : strcmp(left->value, right->value);
}

const char *sigv4_query(const char *query, struct pool *pool)
{
	size_t room = strlen(query) / 2 + 1, n; /* each but the last takes a byte and its '&' */
	struct parameter *list = pool_alloc(pool, room * sizeof(*list));
	char *text = pool_alloc(pool, 3 * strlen(query) + room + 1), *out = text;

	if (!list || !text || split(query, pool, list, &n))
		return NULL;
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++) {
		if (i)
			*out++ = '&';
		out = stpcpy(out, list[i].name);
		*out++ = '=';
		out = stpcpy(out, list[i].value);
	}
	return text;
}

/* --- the signature --------------------------------------------------------------------------- */

/* "host;x-amz-date". NULL: no memory. */
static const char *signed_headers(const struct sigv4_request *request, struct pool *pool)
{
	const char *names = "";

	for (size_t i = 0; names && i < request->headers_n; i++)
		names = pool_printf(pool, "%s%s%s", names, i ? ";" : "", request->headers[i].name);
	return names;
}

const char *sigv4_canonical_request(const struct sigv4_request *request, struct pool *pool)
{
	const char *names = signed_headers(request, pool), *lines = "";

	for (size_t i = 0; lines && i < request->headers_n; i++)
		lines = pool_printf(pool, "%s%s:%s\n", lines, request->headers[i].name,
				    request->headers[i].value);
	if (!names || !lines)
		return NULL;
	return pool_printf(pool, "%s\n%s\n%s\n%s\n%s\n%s", request->method, request->path,
			   request->query, lines, names, request->payload_sha256);
}

/* For what the signature is good: one day, one region, one service. NULL: no memory. */
static const char *scope(const struct sigv4_request *request, struct pool *pool)
{
	return pool_printf(pool, "%.8s/%s/%s/aws4_request", request->date, request->region,
			   request->service);
}

const char *sigv4_string_to_sign(const struct sigv4_request *request, struct pool *pool,
				 struct error *err)
{
	const char *canonical = sigv4_canonical_request(request, pool);
	const char *where = scope(request, pool), *text = NULL;
	char hash[2 * KEY_BYTES + 1];

	if (canonical && digest_sha256_hex(canonical, strlen(canonical), hash, STAGE_FETCH, err))
		return NULL;
	if (canonical && where)
		text = pool_printf(pool, ALGORITHM "\n%s\n%s\n%s", request->date, where, hash);
	if (!text)
		pool_error(err, STAGE_FETCH);
	return text;
}

/* Replaces the key by the HMAC that it makes of the text. */
static int step(unsigned char *key, const char *text, size_t length, struct error *err)
{
	unsigned char next[KEY_BYTES];

	if (digest_hmac_sha256(key, KEY_BYTES, text, length, next, STAGE_FETCH, err))
		return -1;
	memcpy(key, next, KEY_BYTES);
	return 0;
}

/* The secret, bound to the scope step by step, signs the text; hex has 65 bytes. */
static int sign(const struct sigv4_request *request, const char *secret, const char *text,
		struct pool *pool, char *hex, struct error *err)
{
	const char *first = pool_printf(pool, "AWS4%s", secret);
	unsigned char key[KEY_BYTES];

	if (!first)
		return pool_error(err, STAGE_FETCH);
	if (digest_hmac_sha256(first, strlen(first), request->date, 8, key, STAGE_FETCH, err) ||
	    step(key, request->region, strlen(request->region), err) ||
	    step(key, request->service, strlen(request->service), err) ||
	    step(key, "aws4_request", strlen("aws4_request"), err) ||
	    step(key, text, strlen(text), err))
		return -1;
	digest_hex(key, KEY_BYTES, hex);
	return 0;
}

int sigv4_authorization(const struct sigv4_request *request, const char *key_id, const char *secret,
			struct pool *pool, const char **value, struct error *err)
{
	const char *where = scope(request, pool), *names = signed_headers(request, pool);
	const char *text = sigv4_string_to_sign(request, pool, err);
	char signature[2 * KEY_BYTES + 1];

	if (!text || sign(request, secret, text, pool, signature, err))
		return -1;
	if (!where || !names)
		return pool_error(err, STAGE_FETCH);
	*value = pool_printf(pool, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
			     key_id, where, names, signature);
	return *value ? 0 : pool_error(err, STAGE_FETCH);
}
