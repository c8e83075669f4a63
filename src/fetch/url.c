/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and redacts artifact sources. Pure. A source comes from the user, but redirects of a
 * hostile server are redacted here as well: every read is bounded by the text, every copy by its
 * length.
 */
#include "fetch/url.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX 255

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

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int url_decode(const char *text, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			*out++ = text[i];
			continue;
		}
		high = i + 2 < length ? hex_value(text[i + 1]) : -1;
		low = i + 2 < length ? hex_value(text[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*out = '\0';
	return 0;
}

/* --- the query: parameters between '&' or ';' ------------------------------------------------ */

#define KEY_BYTES_MAX 64

struct parameter {
	char key[KEY_BYTES_MAX]; /* decoded, cut at its end */
	const char *value;       /* behind the '='; NULL: there is none */
	const char *end;         /* the separator, or the end of the query */
};

static struct parameter read_parameter(const char *text)
{
	struct parameter parameter = { .end = text + strcspn(text, "&;#") };
	const char *equals = memchr(text, '=', (size_t)(parameter.end - text));
	size_t length = (size_t)((equals ? equals : parameter.end) - text);

	if (length >= KEY_BYTES_MAX)
		length = KEY_BYTES_MAX - 1;
	if (url_decode(text, length, parameter.key)) {
		memcpy(parameter.key, text, length);
		parameter.key[length] = '\0';
	}
	parameter.value = equals ? equals + 1 : NULL;
	return parameter;
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

static char *redact_query(char *out, const char *query)
{
	while (*query && *query != '#') {
		struct parameter parameter = read_parameter(query + 1);

		if (parameter.value && is_secret(parameter.key)) {
			out = append(out, query, parameter.value);
			out = stpcpy(out, "***");
			/* Whether a ; is the end of it is for the server to say. */
			query = parameter.value + strcspn(parameter.value, "&#");
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

/* The end of the userinfo that begins at authority; authority itself when there is none. */
static const char *skip_userinfo(const char *authority, const char *stop)
{
	const char *at = memrchr(authority, '@', strcspn(authority, stop));

	return at ? at + 1 : authority;
}

const char *url_redact(const char *text, struct pool *pool)
{
	const char *authority = skip_scheme(text), *host, *query;
	char *safe, *out;

	if (*text == '/')
		return pool_strdup(pool, text);
	if (!authority) { /* better to hide too much of what is wrong than to show a password */
		authority = text;
		host = skip_userinfo(authority, "?#");
	} else {
		if (strncasecmp(text, "file:", 5) != 0)
			authority += strspn(authority, "/"); /* curl skips a third slash, too */
		host = skip_userinfo(authority, "/?#");
	}
	query = host + strcspn(host, "?#");
	safe = out = pool_alloc(pool, 2 * strlen(text) + 1); /* at most "sig=" becomes "sig=***" */
	if (!safe)
		return NULL;
	out = append(out, text, authority);
	out = append(out, host, query);
	redact_query(out, query);
	return safe;
}

/* --- sources --------------------------------------------------------------------------------- */

static int refuse(const struct url *url, struct error *err, const char *problem)
{
	return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
			      "artifact source " URL_FORMAT ": %s", url->safe, problem);
}

/* What is wrong with a file name; NULL: nothing. */
static const char *name_problem(const char *name)
{
	if (!*name)
		return "it names no file: it ends with the host or with a /";
	if (*name == '.')
		return "its file name begins with a dot";
	if (*name == '-')
		return "its file name begins with -";
	if (strchr(name, '/'))
		return "its file name has a / in it";
	if (url_has_control(name))
		return "its file name has a control character in it";
	return strlen(name) > NAME_BYTES_MAX ? "its file name is longer than 255 bytes" : NULL;
}

/*
 * The name from the last segment of the path that ends at `end`, percent-decoded when that is asked
 * for.
 */
static int set_name(struct url *url, const char *path, const char *end, bool decoded,
		    struct pool *pool, struct error *err)
{
	const char *slash = memrchr(path, '/', (size_t)(end - path));
	const char *segment = slash ? slash + 1 : end;
	char *name = pool_strndup(pool, segment, (size_t)(end - segment));
	const char *problem;

	if (!name)
		return pool_error(err, STAGE_FETCH);
	if (decoded && url_decode(segment, (size_t)(end - segment), name))
		return refuse(url, err,
			      "its file name has %00, or a % without two hex digits, in it");
	url->name = url->filename ? url->filename : name;
	problem = name_problem(url->name);
	return problem ? refuse(url, err, problem) : 0;
}

static int parse_path(struct url *url, struct pool *pool, struct error *err)
{
	url->path = url->text;
	return set_name(url, url->text, url->text + strlen(url->text), false, pool, err);
}

static int parse_file(struct url *url, const char *rest, struct pool *pool, struct error *err)
{
	size_t length;
	char *path;

	if (strncasecmp(rest, "localhost/", 10) == 0)
		rest += 9;
	length = strlen(rest);
	if (*rest != '/')
		return refuse(
			url, err,
			"a file URL has three slashes and then an absolute path: file:///path");
	if (strpbrk(rest, "?#"))
		return refuse(
			url, err,
			"a file URL takes no ? and no #: in a name they are written %3F and %23");
	path = pool_alloc(pool, length + 1);
	if (!path)
		return pool_error(err, STAGE_FETCH);
	if (url_decode(rest, length, path))
		return refuse(url, err, "it has %00, or a % without two hex digits, in it");
	url->path = path;
	return set_name(url, rest, rest + length, true, pool, err);
}

/* The key that is ours, as go-getter has it; NULL: the server's. */
static const char **getter_key(struct url *url, const char *key)
{
	if (strcasecmp(key, "checksum") == 0)
		return &url->checksum;
	if (strcasecmp(key, "archive") == 0)
		return &url->archive;
	return strcasecmp(key, "filename") == 0 ? &url->filename : NULL;
}

static int take_value(struct url *url, const struct parameter *parameter, const char **value,
		      struct pool *pool, struct error *err)
{
	size_t length = parameter->value ? (size_t)(parameter->end - parameter->value) : 0;
	char *text = pool_alloc(pool, length + 1);

	if (!text)
		return pool_error(err, STAGE_FETCH);
	if (url_decode(parameter->value ? parameter->value : "", length, text))
		return refuse(url, err, "its query has %00, or a % without two hex digits, in it");
	if (*value && strcmp(*value, text) != 0)
		return refuse(url, err,
			      "checksum, archive or filename is given twice, and differently");
	if (url_has_control(text))
		return refuse(url, err, "its query has a control character in it");
	*value = text;
	return 0;
}

/*
 * Takes the keys that are meant for us out of the query; every other byte is sent as it stands, for
 * a signature may cover it.
 */
static int take_getter_keys(struct url *url, const char *query, struct pool *pool,
			    struct error *err)
{
	char *text = pool_strdup(pool, url->text), *out;
	bool first = true;

	if (!text)
		return pool_error(err, STAGE_FETCH);
	out = text + (query - url->text);
	while (*query && *query != '#') {
		struct parameter parameter = read_parameter(query + 1);
		const char **value = getter_key(url, parameter.key);

		if (value && take_value(url, &parameter, value, pool, err))
			return -1;
		if (!value) {
			*out++ = first ? '?' : *query;
			out = append(out, query + 1, parameter.end);
			first = false;
		}
		query = parameter.end;
	}
	*out = '\0'; /* a fragment is not sent anyway */
	url->text = text;
	return 0;
}

static int parse_http(struct url *url, const char *rest, struct pool *pool, struct error *err)
{
	const char *host = skip_userinfo(rest, "/?#");
	const char *path = host + strcspn(host, "/?#");
	const char *end = path + strcspn(path, "?#"), *source = url->text;

	if (path == host)
		return refuse(url, err, "it has no host");
	if (strchr(url->text, ' '))
		return refuse(url, err, "it has a space in it: in a URL that is written %20");
	if (take_getter_keys(url, end, pool, err))
		return -1;
	end = url->text + (end - source);
	path = url->text + (path - source);
	return set_name(url, path, end, true, pool, err);
}

int url_parse(const char *source, const char *filename, struct pool *pool, struct url *url,
	      struct error *err)
{
	if (strlen(source) > URL_BYTES_MAX)
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "the artifact source is longer than %d bytes", URL_BYTES_MAX);
	*url = (struct url){ .text = source,
			     .safe = url_redact(source, pool),
			     .filename = filename };
	if (!url->safe)
		return pool_error(err, STAGE_FETCH);
	if (url_has_control(source))
		return refuse(url, err, "it has a control character in it");
	if (*source == '/')
		return parse_path(url, pool, err);
	if (strncasecmp(source, "file://", 7) == 0)
		return parse_file(url, source + 7, pool, err);
	if (strncasecmp(source, "http://", 7) == 0)
		return parse_http(url, source + 7, pool, err);
	if (strncasecmp(source, "https://", 8) == 0)
		return parse_http(url, source + 8, pool, err);
	return refuse(url, err,
		      "not supported; supported are http://, https://, file:// and absolute paths");
}
