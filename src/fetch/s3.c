/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a source in S3 to the request for it, signed. Runs in the launcher as root; pure. Sources
 * are the user's, of any bytes: what gets into path and query is decoded and encoded again, so that
 * it is what the signature says, and secrets are taken out of it.
 */
#include "fetch/s3.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/s3_host.h"
#include "fetch/sigv4.h"
#include "fetch/url.h"

/* A host without a scheme before it is Amazon's or nobody's. */
bool s3_is_source(const char *source)
{
	size_t length = strcspn(source, "/?#");
	char host[256];

	if (s3_begins(source, "s3::") || s3_begins(source, "s3://"))
		return true;
	if (length >= sizeof(host))
		return false;
	*(char *)mempcpy(host, source, length) = '\0';
	return fnmatch("*.amazonaws.com", host, FNM_CASEFOLD) == 0 ||
	       fnmatch("*.amazonaws.com.cn", host, FNM_CASEFOLD) == 0;
}

/* --- the query ------------------------------------------------------------------------------- */

/* The field that a key of the query fills instead of being sent; NULL: it is sent. */
static const char **own_field(struct s3_object *object, const char *key)
{
	struct s3_credentials *credentials = &object->credentials;

	if (strcasecmp(key, "aws_access_key_id") == 0)
		return &credentials->key_id;
	if (strcasecmp(key, "aws_access_key_secret") == 0)
		return &credentials->secret;
	if (strcasecmp(key, "aws_access_token") == 0)
		return &credentials->token;
	return strcasecmp(key, "region") == 0 ? &object->region : NULL;
}

static const char *key_problem(const char *key)
{
	if (fnmatch("aws_*", key, FNM_CASEFOLD) == 0)
		return "of the query keys aws_*, only aws_access_key_id, aws_access_key_secret and aws_access_token are known";
	if (strcasecmp(key, "X-Amz-Signature") == 0 || strcasecmp(key, "Signature") == 0)
		return "it is signed already: without s3:: before it, it is fetched as it is";
	return NULL;
}

/*
 * One parameter: into its field, or behind *kept, which has room, to be sent. A '+' in a value of
 * ours is a '+': keys have it, and never a blank.
 */
static int read_parameter(struct s3_object *object, const char *parameter, char **kept,
			  struct pool *pool, struct error *err)
{
	const char *value = strchrnul(parameter, '=');
	char *key = pool_strndup(pool, parameter, (size_t)(value - parameter));
	char *decoded = pool_strdup(pool, value + (*value == '='));
	const char **field, *problem;

	if (!key || !decoded)
		return pool_error(err, STAGE_FETCH);
	if (url_decode(key, strlen(key), key) || url_decode(decoded, strlen(decoded), decoded))
		return s3_refuse(object, err,
				 "its query has %00, or a % without two hex digits, in it");
	field = own_field(object, key);
	problem = field ? NULL : key_problem(key);
	if (problem)
		return s3_refuse(object, err, problem);
	if (field)
		*field = *decoded ? decoded : NULL;
	else if (strcasecmp(key, "version") == 0)
		*kept = stpcpy(stpcpy(stpcpy(*kept, "versionId"), value), "&");
	else
		*kept = stpcpy(stpcpy(*kept, parameter), "&");
	return 0;
}

static int read_query(struct s3_object *object, const char *query, struct pool *pool,
		      struct error *err)
{
	char *copy = pool_strdup(pool, query), *parameter;
	char *sent = pool_alloc(pool, 2 * strlen(query) + 2), *kept = sent;

	if (!copy || !sent)
		return pool_error(err, STAGE_FETCH);
	while ((parameter = strsep(&copy, "&")))
		if (*parameter && read_parameter(object, parameter, &kept, pool, err))
			return -1;
	if (kept == sent)
		return 0;
	object->query = sigv4_query(sent, pool);
	return object->query ? 0 : pool_error(err, STAGE_FETCH);
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool has_dot_segment(const char *path)
{
	for (; *path; path += strcspn(path, "/")) {
		size_t length = strcspn(++path, "/");

		if ((length == 1 || length == 2) && strspn(path, ".") >= length)
			return true;
	}
	return false;
}

/* The path begins with a slash, if there is one. */
static int read_path(struct s3_object *object, const struct s3_target *target, struct pool *pool,
		     struct error *err)
{
	char *path = target->path, *key = path;

	if (url_decode(path, strlen(path), path))
		return s3_refuse(
			object, err,
			"its key has %00, or a % without two hex digits, in it: a % is written %25");
	if (target->bucket_in_path && *path)
		key = strchrnul(path + 1, '/');
	if (!*key || !key[1] || (target->bucket_in_path && key == path + 1))
		return s3_refuse(
			object, err,
			"it names no object: expected s3://BUCKET/KEY, or s3::https://HOST/BUCKET/KEY");
	if (has_dot_segment(path))
		return s3_refuse(
			object, err,
			"its key has a . or .. between slashes, which servers read differently");
	object->path = sigv4_encode(path, true, pool);
	return object->path ? 0 : pool_error(err, STAGE_FETCH);
}

int s3_parse(const char *source, struct pool *pool, struct s3_object *object, struct error *err)
{
	const char *query = strchrnul(source, '?');
	char *location = pool_strndup(pool, source, (size_t)(query - source));
	struct s3_target target = { 0 };

	if (strlen(source) > URL_BYTES_MAX)
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "the artifact source is longer than %d bytes", URL_BYTES_MAX);
	*object = (struct s3_object){ .safe = url_redact(source, pool) };
	if (!object->safe || !location)
		return pool_error(err, STAGE_FETCH);
	if (url_has_control(source))
		return s3_refuse(object, err, "it has a control character in it");
	if (strchr(source, '#'))
		return s3_refuse(object, err, "it has a # in it: in a key that is written %23");
	if (read_query(object, query + (*query == '?'), pool, err) ||
	    s3_find_target(object, location, &target, pool, err) ||
	    read_path(object, &target, pool, err))
		return -1;
	object->host = pool_printf(pool, "%s%s", target.host, target.port);
	object->url = pool_printf(pool, "%s://%s%s%s%s%s", target.scheme, target.host, target.port,
				  object->path, object->query ? "?" : "",
				  object->query ? object->query : "");
	return object->host && object->url ? 0 : pool_error(err, STAGE_FETCH);
}

/* --- the request ----------------------------------------------------------------------------- */

int s3_sign(const struct s3_object *object, const struct s3_credentials *credentials, time_t now,
	    struct pool *pool, struct strings *headers, struct error *err)
{
	char date[sizeof("YYYYMMDDTHHMMSSZ")];
	const struct sigv4_header list[] = {
		{ "host", object->host },
		{ "x-amz-content-sha256", SIGV4_EMPTY_SHA256 },
		{ "x-amz-date", date },
		{ "x-amz-security-token", credentials->token },
	};
	const struct sigv4_request request = { .method = "GET",
					       .path = object->path,
					       .query = object->query ? object->query : "",
					       .headers = list,
					       .headers_n = credentials->token ? 4 : 3,
					       .payload_sha256 = SIGV4_EMPTY_SHA256,
					       .date = date,
					       .region = object->region,
					       .service = "s3" };
	const char *value, *line;
	struct tm utc;

	if (!credentials->key_id)
		return 0;
	if (!gmtime_r(&now, &utc) || !strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc))
		return error_set(err, STAGE_FETCH, 0,
				 "sign the request: the clock shows no time that can be written");
	if (sigv4_authorization(&request, credentials->key_id, credentials->secret, pool, &value,
				err))
		return -1;
	for (size_t i = 0; i < request.headers_n; i++) {
		line = pool_printf(pool, "%s: %s", list[i].name, list[i].value);
		if (!line || strings_add(pool, headers, line))
			return pool_error(err, STAGE_FETCH);
	}
	line = pool_printf(pool, "authorization: %s", value);
	return line && !strings_add(pool, headers, line) ? 0 : pool_error(err, STAGE_FETCH);
}

int s3_explain_region(const struct s3_object *object, const char *bucket_region, struct error *err)
{
	if (bucket_region && strcmp(bucket_region, object->region) != 0)
		error_remedy(
			err,
			"the bucket is in the region %.63s, the request was for %s: name the right one in the source or in AWS_REGION",
			bucket_region, object->region);
	return -1;
}
