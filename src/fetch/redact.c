/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources without their secrets, and the parts that are read for that. Pure. A source comes from
 * the user, but redirects of a hostile server are redacted here as well: every read is bounded by
 * the text, every copy by its length.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "fetch/query.h"
#include "fetch/url.h"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool url_has_control(const char *text)
{
	for (; *text; text++)
		if (is_control(*text))
			return true;
	return false;
}

int url_decode(const char *text, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			*out++ = text[i];
			continue;
		}
		high = i + 2 < length ? text_hex_value(text[i + 1]) : -1;
		low = i + 2 < length ? text_hex_value(text[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*out = '\0';
	return 0;
}

struct parameter query_parameter(const char *text)
{
	struct parameter parameter = { .end = text + strcspn(text, "&;#") };
	const char *equals = memchr(text, '=', (size_t)(parameter.end - text));
	size_t length = (size_t)((equals ? equals : parameter.end) - text);

	if (length >= QUERY_KEY_BYTES)
		length = QUERY_KEY_BYTES - 1;
	if (url_decode(text, length, parameter.key)) {
		memcpy(parameter.key, text, length);
		parameter.key[length] = '\0';
	}
	parameter.value = equals ? equals + 1 : NULL;
	return parameter;
}

const char *url_skip_userinfo(const char *authority, const char *stop)
{
	const char *at = memrchr(authority, '@', strcspn(authority, stop));

	return at ? at + 1 : authority;
}

/*
 * Keys, in any case, whose values sign or authorize: those of S3, GCS, Azure and go-getter, and the
 * usual names.
 */
static bool is_secret(const char *key)
{
	static const char *const patterns[] = { "*token*",       "sig",         "*signature*",
						"*passw*",       "*secret*",    "*api*key",
						"sshkey",        "key",         "auth",
						"x-amz-*",       "x-goog-*",    "aws*",
						"authorization", "*credential*" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fnmatch(patterns[i], key, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static char *append(char *out, const char *from, const char *to)
{
	return (char *)mempcpy(out, from, (size_t)(to - from));
}

/*
 * Where a checksum that is the URL of a file of checksums ends, if anything in it may be secret;
 * else NULL. A raw & or # may stand in its password: an @ says so.
 */
static const char *end_of_secret_sums(const struct parameter *parameter)
{
	const char *value = parameter->value, *end = value + strcspn(value, "&#"), *at;

	if (strcasecmp(parameter->key, "checksum") != 0)
		return NULL;
	while (isalnum((unsigned char)*value) || *value == ':')
		value++;
	if (value == parameter->end) /* TYPE:HEX */
		return NULL;
	at = strrchr(value, '@');
	if (at)
		return at < end ? end : at + strcspn(at, "&#");
	return value + strcspn(value, "%?;") < end ? end : NULL;
}

static char *redact_query(char *out, const char *query)
{
	const char *end;

	while (*query && *query != '#') {
		struct parameter parameter = query_parameter(query + 1);

		if (parameter.value && is_secret(parameter.key)) {
			out = append(out, query, parameter.value);
			out = stpcpy(out, "***");
			/* Whether a ; is the end of it is for the server to say. */
			query = parameter.value + strcspn(parameter.value, "&#");
		} else if (parameter.value && (end = end_of_secret_sums(&parameter))) {
			out = append(out, query, parameter.value);
			out = stpcpy(out, strncasecmp(parameter.value, "file:", 5) == 0 ?
						  "file:***" :
						  "***");
			query = end;
		} else {
			out = append(out, query, parameter.end);
			query = parameter.end;
		}
	}
	return out;
}

/* Behind the "://" that ends a scheme; NULL when there is none. */
static const char *skip_scheme(const char *text)
{
	size_t length = strcspn(text, "/?#@");

	return length && strncmp(text + length - 1, "://", 3) == 0 ? text + length + 2 : NULL;
}

/*
 * Behind a userinfo in which a raw / ? or # stands, so that it looks like a host, a port that is
 * none, and more; else NULL. What comes behind a real port is taken for it only if an @ is in the
 * path.
 */
static const char *skip_odd_userinfo(const char *authority, const char *host)
{
	const char *end = host + strcspn(host, "/?#"), *at;
	const char *port = memrchr(host, ':', (size_t)(end - host));
	size_t length = strcspn(end, "?#");

	if (!memchr(authority, ':', (size_t)(end - authority)))
		return NULL;
	if (*end != '/' || (port && port + 1 + strspn(port + 1, "0123456789") != end))
		length = strlen(end);
	at = memrchr(end, '@', length);
	return at ? at + 1 : NULL;
}

const char *url_redact(const char *text, struct pool *pool)
{
	const char *authority = skip_scheme(text), *host, *odd, *query;
	char *safe, *out;

	if (*text == '/')
		return pool_strdup(pool, text);
	if (!authority) { /* better to hide too much of what is wrong than to show a password */
		authority = text;
		host = url_skip_userinfo(authority, "?#");
	} else {
		if (strncasecmp(text, "file://", 7) != 0)
			authority += strspn(authority, "/"); /* curl skips a third slash, too */
		host = url_skip_userinfo(authority, "/?#");
	}
	odd = skip_odd_userinfo(authority, host);
	host = odd ? odd : host;
	query = host + strcspn(host, "?#");
	safe = out = pool_alloc(pool, 2 * strlen(text) + 1); /* at most "sig=" becomes "sig=***" */
	if (!safe)
		return NULL;
	out = append(out, text, authority);
	out = stpcpy(out, odd ? "***@" : "");
	out = append(out, host, query);
	redact_query(out, query);
	return safe;
}
