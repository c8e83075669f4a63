/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads artifact sources. Pure but for the region of one in S3. A source comes from the user, who
 * may pass on a stranger's.
 */
#include "fetch/url.h"

#include <string.h>
#include <strings.h>

#include "fetch/query.h"
#include "fetch/s3.h"

#define NAME_BYTES_MAX 255

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
		struct parameter parameter = query_parameter(query + 1);
		const char **value = getter_key(url, parameter.key);

		if (value && take_value(url, &parameter, value, pool, err))
			return -1;
		if (!value) {
			*out++ = first ? '?' : *query;
			out = mempcpy(out, query + 1, (size_t)(parameter.end - query - 1));
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
	const char *host = url_skip_userinfo(rest, "/?#");
	const char *path = host + strcspn(host, "/?#");
	const char *end = path + strcspn(path, "?#"), *source = url->text;

	if (path == host)
		return refuse(url, err, "it has no host");
	/* Some parsers decode this and take the user for the host. */
	if (host != rest && !memchr(rest, ':', (size_t)(host - rest)) &&
	    memchr(rest, '%', (size_t)(host - rest)))
		return refuse(url, err, "its user name has a % in it, and looks like another host");
	if (strchr(url->text, ' '))
		return refuse(url, err, "it has a space in it: in a URL that is written %20");
	if (take_getter_keys(url, end, pool, err))
		return -1;
	end = url->text + (end - source);
	path = url->text + (path - source);
	return set_name(url, path, end, true, pool, err);
}

/*
 * What is asked for, and signed, is not the text of the source. A key with a # in it would
 * otherwise lose what is behind that without a word.
 */
static int parse_s3(struct url *url, struct pool *pool, struct error *err)
{
	struct s3_object *object = pool_alloc(pool, sizeof(*object));

	if (!object)
		return pool_error(err, STAGE_FETCH);
	if (strchr(url->text, '#'))
		return refuse(url, err, "it has a # in it: in a key that is written %23");
	if (take_getter_keys(url, url->text + strcspn(url->text, "?"), pool, err) ||
	    s3_parse(url->text, pool, object, err))
		return -1;
	url->s3 = object;
	url->safe = object->safe;
	url->text = object->url;
	return parse_http(url, strstr(url->text, "://") + 3, pool, err);
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
	if (s3_is_source(source))
		return parse_s3(url, pool, err);
	return refuse(
		url, err,
		"not supported; supported are http://, https://, s3::, s3://, file:// and absolute paths");
}
