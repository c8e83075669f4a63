/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a source in S3 is. Runs in the launcher as root; pure but for the two variables that name a
 * region. Sources are the user's, of any bytes: what gets into the host is checked letter by
 * letter, so that nothing in a bucket, key or region chooses where the request and its signature
 * go.
 */
#include "fetch/s3_host.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/url.h"

#define LABEL_BYTES_MAX 63 /* of a host's name: RFC 1035 */
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool s3_begins(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool consists_of(const char *text, const char *allowed)
{
	return *text && !text[strspn(text, allowed)];
}

int s3_refuse(const struct s3_object *object, struct error *err, const char *problem)
{
	return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
			      "artifact source " URL_FORMAT ": %s", object->safe, problem);
}

/* It becomes part of a host's name and of the signature. */
static int set_region(struct s3_object *object, const char *of_host, struct error *err)
{
	const char *const candidates[] = { object->region, of_host, getenv("AWS_REGION"),
					   getenv("AWS_DEFAULT_REGION"), "us-east-1" };
	size_t i = 0;

	while (!candidates[i] || !*candidates[i])
		i++;
	object->region = candidates[i];
	if (strlen(object->region) > LABEL_BYTES_MAX ||
	    !consists_of(object->region, LOWER UPPER DIGITS "-_"))
		return s3_refuse(
			object, err,
			i == 2 || i == 3 ?
				"the region in AWS_REGION or AWS_DEFAULT_REGION is not made of letters, digits and -" :
				"its region is not made of letters, digits and -");
	return 0;
}

/*
 * [BUCKET.]s3[.dualstack][.REGION].amazonaws.com[.cn], or with s3-REGION, or with s3-fips: the
 * parts of interest.
 */
enum { BUCKET = 2, REGION = 6, DOMAIN = 7, PARTS };
static const char amazon[] =
	"^((.+)\\.)?s3(([.-]|-fips\\.)(dualstack\\.)?([a-z]{2}-[a-z-]+-[0-9]+))?"
	"(\\.amazonaws\\.com(\\.cn)?)$";

/* 0, or REG_NOMATCH, or REG_ESPACE. */
static int match_amazon(const char *host, regmatch_t *parts)
{
	regex_t pattern;
	int bad = regcomp(&pattern, amazon, REG_EXTENDED);

	if (bad)
		return REG_ESPACE;
	bad = regexec(&pattern, host, PARTS, parts, 0);
	regfree(&pattern);
	return bad;
}

/* "" for a part that is not there. */
static char *part(const char *host, const regmatch_t *match, struct pool *pool)
{
	return match->rm_so < 0 ? pool_strdup(pool, "") :
				  pool_strndup(pool, host + match->rm_so,
					       (size_t)(match->rm_eo - match->rm_so));
}

/*
 * A host of Amazon's says which region and perhaps which bucket. The one without a region is that
 * of us-east-1: a bucket that is elsewhere is asked for there, where no redirect comes in between.
 */
static int read_amazon(struct s3_object *object, struct s3_target *target, struct pool *pool,
		       struct error *err)
{
	regmatch_t parts[PARTS];
	const char *bucket, *region, *domain;
	int bad = match_amazon(target->host, parts);

	if (bad == REG_NOMATCH)
		return s3_refuse(
			object, err,
			"its host looks like Amazon's, but is not one of S3: expected s3.REGION.amazonaws.com or BUCKET.s3.REGION.amazonaws.com");
	bucket = bad ? NULL : part(target->host, &parts[BUCKET], pool);
	region = bad ? NULL : part(target->host, &parts[REGION], pool);
	domain = bad ? NULL : part(target->host, &parts[DOMAIN], pool);
	if (!bucket || !region || !domain)
		return pool_error(err, STAGE_FETCH);
	if (strchr(bucket, '.'))
		return s3_refuse(
			object, err,
			"no certificate is good for a host with dots in the bucket's name: put the bucket into the path, as in https://s3.REGION.amazonaws.com/BUCKET/KEY");
	target->bucket_in_path = !*bucket;
	if (set_region(object, region, err))
		return -1;
	if (!*region && strcmp(object->region, "us-east-1") != 0)
		target->host = pool_printf(pool, "%s%ss3.%s%s", bucket, *bucket ? "." : "",
					   object->region, domain);
	return target->host ? 0 : pool_error(err, STAGE_FETCH);
}

/* Takes the port off the host and checks both. */
static int read_authority(const struct s3_object *object, char *host, struct s3_target *target,
			  struct pool *pool, struct error *err)
{
	char *port = strrchr(host, ':');
	unsigned long number = 0;

	if (strchr(host, '@'))
		return s3_refuse(
			object, err,
			"a user or password before the host means nothing to S3: use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	if (port && !strchr(port, ']')) {
		*port++ = '\0';
		number = strlen(port) <= 5 && consists_of(port, DIGITS) ? strtoul(port, NULL, 10) :
									  0;
		if (number == 0 || number > 65535)
			return s3_refuse(object, err, "its port is not a number from 1 to 65535");
	}
	if (*host == '[' ? strcmp(host + 1 + strspn(host + 1, DIGITS "abcdef:."), "]") != 0 :
			   !consists_of(host, LOWER DIGITS ".-_"))
		return s3_refuse(object, err,
				 "its host is not made of letters, digits, - and dots");
	target->host = host;
	target->port = "";
	if (number && number != (strcmp(target->scheme, "https") == 0 ? 443 : 80))
		target->port = pool_printf(pool, ":%lu", number);
	return target->port ? 0 : pool_error(err, STAGE_FETCH);
}

/* Behind s3://. A bucket whose name cannot be a label of a host goes into the path. */
static int read_bucket(struct s3_object *object, char *rest, struct s3_target *target,
		       struct pool *pool, struct error *err)
{
	char *key = strchrnul(rest, '/');
	const char *bucket = pool_strndup(pool, rest, (size_t)(key - rest)), *domain;
	bool label;

	if (!bucket)
		return pool_error(err, STAGE_FETCH);
	if (!consists_of(bucket, LOWER UPPER DIGITS ".-_"))
		return s3_refuse(
			object, err,
			"its bucket is not made of letters, digits, dots and -: expected s3://BUCKET/KEY");
	if (set_region(object, NULL, err))
		return -1;
	domain = strncmp(object->region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
	label = strlen(bucket) <= LABEL_BYTES_MAX && consists_of(bucket, LOWER DIGITS "-");
	target->scheme = "https";
	target->port = "";
	target->host = pool_printf(pool, "%s%ss3.%s.%s", label ? bucket : "", label ? "." : "",
				   object->region, domain);
	target->bucket_in_path = !label;
	target->path = label ? key : pool_printf(pool, "/%s%s", bucket, key);
	return target->host && target->path ? 0 : pool_error(err, STAGE_FETCH);
}

/* Behind the scheme. A host that is not Amazon's stays as it is, and has the bucket in the path. */
static int read_url(struct s3_object *object, char *rest, struct s3_target *target,
		    struct pool *pool, struct error *err)
{
	char *path = strchrnul(rest, '/');

	target->path = pool_strdup(pool, path);
	target->bucket_in_path = true;
	if (!target->path)
		return pool_error(err, STAGE_FETCH);
	*path = '\0';
	for (char *c = rest; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (read_authority(object, rest, target, pool, err))
		return -1;
	return strstr(target->host, "amazonaws.com") ? read_amazon(object, target, pool, err) :
						       set_region(object, NULL, err);
}

int s3_find_target(struct s3_object *object, char *location, struct s3_target *target,
		   struct pool *pool, struct error *err)
{
	if (s3_begins(location, "s3://"))
		return read_bucket(object, location + strlen("s3://"), target, pool, err);
	target->scheme = "https";
	if (!s3_begins(location, "s3::"))
		return read_url(object, location, target, pool, err);
	location += strlen("s3::");
	if (s3_begins(location, "https://"))
		return read_url(object, location + strlen("https://"), target, pool, err);
	target->scheme = "http";
	if (s3_begins(location, "http://"))
		return read_url(object, location + strlen("http://"), target, pool, err);
	return s3_refuse(object, err, "what follows s3:: begins with http:// or https://");
}
