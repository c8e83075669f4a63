/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources in S3: where they lead, what of them is secret, and what is refused before any network.
 * Pure but for the variables that name a region; needs no privilege.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/s3.h"

#define POOL_MAX ((size_t)4 << 20)
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *s3_suite(void);

struct row {
	const char *source, *expected;
};

static const char *dash(const char *text)
{
	return text ? text : "-";
}

static void clear_environment(void)
{
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
}

/* "url region id/secret/token", or the error with its kind. The parts must be those of the url. */
static void describe(const char *source, char *line, size_t size)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct s3_object object;
	struct error err;
	const char *whole;

	ck_assert(s3_is_source(source));
	if (s3_parse(source, &pool, &object, &err)) {
		snprintf(line, size, "%d %s", err.kind, err.text);
		return;
	}
	whole = pool_printf(&pool, "%s%s%s%s", object.host, object.path, object.query ? "?" : "",
			    object.query ? object.query : "");
	ck_assert_str_eq(strstr(object.url, "://") + 3, whole);
	snprintf(line, size, "%s %s %s/%s/%s", object.url, object.region,
		 dash(object.credentials.key_id), dash(object.credentials.secret),
		 dash(object.credentials.token));
}

#define PLAIN " us-east-1 -/-/-"

/* clang-format off */
static const struct row accepted[] = {
	/* A bucket by its name. */
	{ "s3://bucket/key", "https://bucket.s3.us-east-1.amazonaws.com/key" PLAIN },
	{ "S3://bucket/a//b/key", "https://bucket.s3.us-east-1.amazonaws.com/a//b/key" PLAIN },
	{ "s3://bucket//key", "https://bucket.s3.us-east-1.amazonaws.com//key" PLAIN },
	{ "s3://my.bucket/key", "https://s3.us-east-1.amazonaws.com/my.bucket/key" PLAIN },
	{ "s3://My_Bucket/key", "https://s3.us-east-1.amazonaws.com/My_Bucket/key" PLAIN },
	{ "s3://bucket/key?region=eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com/key eu-west-1 -/-/-" },
	{ "s3://bucket/key?region=cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn/key cn-north-1 -/-/-" },
	{ "s3://bucket/key?region=", "https://bucket.s3.us-east-1.amazonaws.com/key" PLAIN },
	/* Amazon's hosts. */
	{ "s3::https://s3.amazonaws.com/bucket/key", "https://s3.amazonaws.com/bucket/key" PLAIN },
	{ "s3::HTTPS://S3.AmazonAWS.com:443/Bucket/Key", "https://s3.amazonaws.com/Bucket/Key" PLAIN },
	{ "s3::http://s3.amazonaws.com:8080/bucket/key", "http://s3.amazonaws.com:8080/bucket/key" PLAIN },
	{ "s3::https://s3.amazonaws.com/bucket/key?region=eu-west-1",
	  "https://s3.eu-west-1.amazonaws.com/bucket/key eu-west-1 -/-/-" },
	{ "s3::https://s3-eu-west-1.amazonaws.com/bucket/key", "https://s3-eu-west-1.amazonaws.com/bucket/key eu-west-1 -/-/-" },
	{ "s3::https://s3.eu-west-1.amazonaws.com/bucket/key", "https://s3.eu-west-1.amazonaws.com/bucket/key eu-west-1 -/-/-" },
	{ "s3::https://s3.eu-west-1.amazonaws.com/bucket/key?region=eu-west-2",
	  "https://s3.eu-west-1.amazonaws.com/bucket/key eu-west-2 -/-/-" },
	{ "s3::https://s3.eu-west-1.amazonaws.com/my.bucket/key",
	  "https://s3.eu-west-1.amazonaws.com/my.bucket/key eu-west-1 -/-/-" },
	{ "s3::https://bucket.s3.amazonaws.com/key", "https://bucket.s3.amazonaws.com/key" PLAIN },
	{ "s3::https://bucket.s3.amazonaws.com/key?region=us-gov-west-1",
	  "https://bucket.s3.us-gov-west-1.amazonaws.com/key us-gov-west-1 -/-/-" },
	{ "s3::https://bucket.s3-eu-west-1.amazonaws.com/key", "https://bucket.s3-eu-west-1.amazonaws.com/key eu-west-1 -/-/-" },
	{ "s3::https://bucket.s3.eu-west-1.amazonaws.com/key", "https://bucket.s3.eu-west-1.amazonaws.com/key eu-west-1 -/-/-" },
	{ "s3::https://bucket.s3.dualstack.ap-southeast-2.amazonaws.com/key",
	  "https://bucket.s3.dualstack.ap-southeast-2.amazonaws.com/key ap-southeast-2 -/-/-" },
	{ "s3::https://s3-fips.us-gov-west-1.amazonaws.com/bucket/key",
	  "https://s3-fips.us-gov-west-1.amazonaws.com/bucket/key us-gov-west-1 -/-/-" },
	{ "s3::https://s3.cn-north-1.amazonaws.com.cn/bucket/key",
	  "https://s3.cn-north-1.amazonaws.com.cn/bucket/key cn-north-1 -/-/-" },
	/* As Nomad finds them without a scheme (D08). */
	{ "bucket.s3.amazonaws.com/foo", "https://bucket.s3.amazonaws.com/foo" PLAIN },
	{ "bucket.s3-eu-west-1.amazonaws.com/foo", "https://bucket.s3-eu-west-1.amazonaws.com/foo eu-west-1 -/-/-" },
	{ "bucket.s3.eu-west-1.amazonaws.com/foo", "https://bucket.s3.eu-west-1.amazonaws.com/foo eu-west-1 -/-/-" },
	{ "s3-eu-west-1.amazonaws.com/bucket/foo?version=1",
	  "https://s3-eu-west-1.amazonaws.com/bucket/foo?versionId=1 eu-west-1 -/-/-" },
	/* Other hosts (D10). */
	{ "s3::http://127.0.0.1:9000/b/k?aws_access_key_id=I&aws_access_key_secret=S&region=us-east-2&version=1",
	  "http://127.0.0.1:9000/b/k?versionId=1 us-east-2 I/S/-" },
	{ "s3::http://127.0.0.1:9000/b/k?aws_access_key_id=I&aws_access_key_secret=S&version=1",
	  "http://127.0.0.1:9000/b/k?versionId=1 us-east-1 I/S/-" },
	{ "s3::http://[::1]:09000/b/k", "http://[::1]:9000/b/k" PLAIN },
	{ "s3::http://[2001:DB8::1]:80/b/k", "http://[2001:db8::1]/b/k" PLAIN },
	{ "s3::https://minio.example/b/k?region=auto", "https://minio.example/b/k auto -/-/-" },
	{ "s3::https://minio.example:80/b/k", "https://minio.example:80/b/k" PLAIN },
	{ "s3::https://s3-website.example/b/k", "https://s3-website.example/b/k" PLAIN },
	/* Keys of any bytes: encoded once, whatever they were before. */
	{ "s3://b/a b+c%20d%2Be", "https://b.s3.us-east-1.amazonaws.com/a%20b%2Bc%20d%2Be" PLAIN },
	{ "s3://b/a%2fb%252f", "https://b.s3.us-east-1.amazonaws.com/a/b%252f" PLAIN },
	{ "s3://b/\303\244%c3%a4\377", "https://b.s3.us-east-1.amazonaws.com/%C3%A4%C3%A4%FF" PLAIN },
	{ "s3://b/!$&'()*,:;=@[]%3F%23~-._",
	  "https://b.s3.us-east-1.amazonaws.com/%21%24%26%27%28%29%2A%2C%3A%3B%3D%40%5B%5D%3F%23~-._" PLAIN },
	{ "s3://b/%0d%0aX:1/k", "https://b.s3.us-east-1.amazonaws.com/%0D%0AX%3A1/k" PLAIN },
	{ "s3://b/...", "https://b.s3.us-east-1.amazonaws.com/..." PLAIN },
	/* What of the query is ours, in any writing, and what is not. */
	{ "s3://b/k?AWS_Access_Key_ID=I&aws%5Faccess_key_secret=S%2B/+=&aws_access_token=T%3D",
	  "https://b.s3.us-east-1.amazonaws.com/k us-east-1 I/S+/+=/T=" },
	{ "s3://b/k?aws_access_key_secret=a;b&x=c;d", "https://b.s3.us-east-1.amazonaws.com/k?x=c%3Bd us-east-1 -/a;b/-" },
	{ "s3://b/k?aws_access_key_id=&aws_access_key_secret&aws_access_token=", "https://b.s3.us-east-1.amazonaws.com/k" PLAIN },
	{ "s3://b/k?response-content-type=text/plain&partNumber=2&&version",
	  "https://b.s3.us-east-1.amazonaws.com/k?partNumber=2&response-content-type=text%2Fplain&versionId=" PLAIN },
	{ "s3://b/k?", "https://b.s3.us-east-1.amazonaws.com/k" PLAIN },
};
/* clang-format on */

START_TEST(sources_that_are_accepted)
{
	char line[1200];

	clear_environment();
	describe(accepted[_i].source, line, sizeof(line));
	ck_assert_str_eq(line, accepted[_i].expected);
}
END_TEST

#define NO_OBJECT "it names no object: expected s3://BUCKET/KEY, or s3::https://HOST/BUCKET/KEY"
#define NOT_S3                                                                                     \
	"its host looks like Amazon's, but is not one of S3: expected s3.REGION.amazonaws.com or BUCKET.s3.REGION.amazonaws.com"
#define DOTS                                                                                       \
	"no certificate is good for a host with dots in the bucket's name: put the bucket into the path, as in https://s3.REGION.amazonaws.com/BUCKET/KEY"
#define NO_HOST "its host is not made of letters, digits, - and dots"
#define NO_PORT "its port is not a number from 1 to 65535"
#define NO_SCHEME "what follows s3:: begins with http:// or https://"
#define NO_BUCKET "its bucket is not made of letters, digits, dots and -: expected s3://BUCKET/KEY"
#define NO_REGION "its region is not made of letters, digits and -"
#define DOT_SEGMENT "its key has a . or .. between slashes, which servers read differently"
#define BAD_KEY "its key has %00, or a % without two hex digits, in it: a % is written %25"
#define BAD_QUERY "its query has %00, or a % without two hex digits, in it"
#define UNKNOWN                                                                                    \
	"of the query keys aws_*, only aws_access_key_id, aws_access_key_secret and aws_access_token are known"
#define SIGNED "it is signed already: without s3:: before it, it is fetched as it is"
#define USERINFO                                                                                   \
	"a user or password before the host means nothing to S3: use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

/* Every secret in here is "hush". */
/* clang-format off */
static const struct row refused[] = {
	{ "s3::https://s3.amazonaws.com/bucket", "s3::https://s3.amazonaws.com/bucket: " NO_OBJECT },
	{ "s3::https://s3.amazonaws.com/bucket/", "s3::https://s3.amazonaws.com/bucket/: " NO_OBJECT },
	{ "s3::https://s3.amazonaws.com", "s3::https://s3.amazonaws.com: " NO_OBJECT },
	{ "s3::https://s3.amazonaws.com//key", "s3::https://s3.amazonaws.com//key: " NO_OBJECT },
	{ "s3::https://bucket.s3.amazonaws.com/", "s3::https://bucket.s3.amazonaws.com/: " NO_OBJECT },
	{ "s3::http://h/key", "s3::http://h/key: " NO_OBJECT },
	{ "s3://bucket", "s3://bucket: " NO_OBJECT },
	{ "s3://bucket/", "s3://bucket/: " NO_OBJECT },
	{ "s3://my.bucket/", "s3://my.bucket/: " NO_OBJECT },
	{ "s3:///key", "s3:///key: " NO_BUCKET },
	{ "s3://", "s3://: " NO_BUCKET },
	{ "s3://buck%65t/key", "s3://buck%65t/key: " NO_BUCKET },
	{ "s3://u:hush@bucket/key", "s3://bucket/key: " NO_BUCKET },
	{ "s3://evil.example:80/key", "s3://evil.example:80/key: " NO_BUCKET },
	{ "s3://bucket/key?region=h/", "s3://bucket/key?region=h/: " NO_REGION },
	{ "s3://bucket/key?region=h%2Fx%0d", "s3://bucket/key?region=h%2Fx%0d: " NO_REGION },
	{ "s3://bucket/key?region=evil.example", "s3://bucket/key?region=evil.example: " NO_REGION },
	/* D09 and D11: what looks like Amazon and is not. */
	{ "s3::https://s3.amazonaws.com.invalid/b/k", "s3::https://s3.amazonaws.com.invalid/b/k: " NOT_S3 },
	{ "s3::https://amazonaws.com/b/k", "s3::https://amazonaws.com/b/k: " NOT_S3 },
	{ "s3::https://s3.evilamazonaws.com/b/k", "s3::https://s3.evilamazonaws.com/b/k: " NOT_S3 },
	{ "s3::https://s3.eu_west_1.amazonaws.com/b/k", "s3::https://s3.eu_west_1.amazonaws.com/b/k: " NOT_S3 },
	{ "s3::https://bucket.s3-website-us-east-1.amazonaws.com/k",
	  "s3::https://bucket.s3-website-us-east-1.amazonaws.com/k: " NOT_S3 },
	{ "ec2.eu-west-1.amazonaws.com/b/k", "ec2.eu-west-1.amazonaws.com/b/k: " NOT_S3 },
	{ "s3::https://a.b.c.s3.eu-west-1.amazonaws.com/k", "s3::https://a.b.c.s3.eu-west-1.amazonaws.com/k: " DOTS },
	{ "s3::https://my.bucket.s3.amazonaws.com/k", "s3::https://my.bucket.s3.amazonaws.com/k: " DOTS },
	/* Hosts and ports. */
	{ "s3::https:///b/k", "s3::https:///b/k: " NO_HOST },
	{ "s3::https://h%2f/b/k", "s3::https://h%2f/b/k: " NO_HOST },
	{ "s3::https://\303\244/b/k", "s3::https://\303\244/b/k: " NO_HOST },
	{ "s3::https://[::1/b/k", "s3::https://[::1/b/k: " NO_HOST },
	{ "s3::https://[::1]x/b/k", "s3::https://[::1]x/b/k: " NO_HOST },
	{ "s3::https://[fe80::1%25eth0]/b/k", "s3::https://[fe80::1%25eth0]/b/k: " NO_HOST },
	{ "s3::https://h:/b/k", "s3::https://h:/b/k: " NO_PORT },
	{ "s3::https://h:0/b/k", "s3::https://h:0/b/k: " NO_PORT },
	{ "s3::https://h:65536/b/k", "s3::https://h:65536/b/k: " NO_PORT },
	{ "s3::https://h:+80/b/k", "s3::https://h:+80/b/k: " NO_PORT },
	{ "s3::https://h:000080/b/k", "s3::https://h:000080/b/k: " NO_PORT },
	{ "s3::https://u:hush@h/b/k", "s3::https://h/b/k: " USERINFO },
	{ "s3::ftp://h/b/k", "s3::ftp://h/b/k: " NO_SCHEME },
	{ "s3::s3://b/k", "s3::s3://b/k: " NO_SCHEME },
	{ "s3::h/b/k", "s3::h/b/k: " NO_SCHEME },
	{ "s3::", "s3::: " NO_SCHEME },
	/* Keys. */
	{ "s3://b/../k", "s3://b/../k: " DOT_SEGMENT },
	{ "s3://b/a/./k", "s3://b/a/./k: " DOT_SEGMENT },
	{ "s3://b/a/%2E%2e", "s3://b/a/%2E%2e: " DOT_SEGMENT },
	{ "s3://b/a%2f..%2fk", "s3://b/a%2f..%2fk: " DOT_SEGMENT },
	{ "s3://../k", "s3://../k: " DOT_SEGMENT },
	{ "s3::https://h/../k", "s3::https://h/../k: " DOT_SEGMENT },
	{ "s3://b/a%00b", "s3://b/a%00b: " BAD_KEY },
	{ "s3://b/a%4", "s3://b/a%4: " BAD_KEY },
	{ "s3://b/100%", "s3://b/100%: " BAD_KEY },
	{ "s3://b/a\nb", "s3://b/a?b: it has a control character in it" },
	{ "s3://b/a#b", "s3://b/a: it has a # in it: in a key that is written %23" },
	/* Queries; more than one mistake, so that what is quoted holds secrets. */
	{ "s3://b/k?a=%zz&aws_access_key_secret=hush", "s3://b/k?a=%zz&aws_access_key_secret=***: " BAD_QUERY },
	{ "s3://b/k?aws_access_token=hush%00", "s3://b/k?aws_access_token=***: " BAD_QUERY },
	{ "s3://b/k?%=", "s3://b/k?%=: " BAD_QUERY },
	{ "s3://b/k?aws_secret_access_key=hush", "s3://b/k?aws_secret_access_key=***: " UNKNOWN },
	{ "s3://b/k?AWS_profile=hush;hush", "s3://b/k?AWS_profile=***: " UNKNOWN },
	{ "s3://b/k?X-Amz-Signature=hush&X-Amz-Credential=hush", "s3://b/k?X-Amz-Signature=***&X-Amz-Credential=***: " SIGNED },
	{ "s3://b/k?AWSAccessKeyId=hush&Signature=hush", "s3://b/k?AWSAccessKeyId=***&Signature=***: " SIGNED },
};
/* clang-format on */

START_TEST(sources_that_are_refused)
{
	char line[1200], expected[1200];

	clear_environment();
	describe(refused[_i].source, line, sizeof(line));
	snprintf(expected, sizeof(expected), "%d artifact source %s", ERROR_USAGE,
		 refused[_i].expected);
	ck_assert_str_eq(line, expected);
	ck_assert_ptr_null(strstr(line, "hush"));
}
END_TEST

static const char *const others[] = {
	"",
	"/s3://b/k",
	"/s3.amazonaws.com/b/k",
	"bucket/foo/bar",
	"s3.amazonaws.com.invalid/b/k",
	"evilamazonaws.com/b/k",
	"https://s3.amazonaws.com/b/k",
	"https://h/x?u=s3.amazonaws.com/b/k",
	"h?s3.amazonaws.com/b/k",
	"s3:b/k",
	"git::s3://b/k",
};

START_TEST(sources_of_others)
{
	ck_assert_msg(!s3_is_source(others[_i]), "%s", others[_i]);
}
END_TEST

START_TEST(the_region_of_the_environment)
{
	char line[1200];

	clear_environment();
	setenv("AWS_DEFAULT_REGION", "eu-west-3", 1);
	setenv("AWS_REGION", "", 1);
	describe("s3://b/k", line, sizeof(line));
	ck_assert_str_eq(line, "https://b.s3.eu-west-3.amazonaws.com/k eu-west-3 -/-/-");
	setenv("AWS_REGION", "eu-west-2", 1);
	describe("s3://b/k", line, sizeof(line));
	ck_assert_str_eq(line, "https://b.s3.eu-west-2.amazonaws.com/k eu-west-2 -/-/-");
	describe("s3::http://h/b/k", line, sizeof(line));
	ck_assert_str_eq(line, "http://h/b/k eu-west-2 -/-/-");
	describe("s3::https://b.s3-eu-west-1.amazonaws.com/k", line, sizeof(line));
	ck_assert_str_eq(line, "https://b.s3-eu-west-1.amazonaws.com/k eu-west-1 -/-/-");
	describe("s3://b/k?region=us-east-1", line, sizeof(line));
	ck_assert_str_eq(line, "https://b.s3.us-east-1.amazonaws.com/k us-east-1 -/-/-");
	setenv("AWS_REGION", "x.evil/", 1);
	describe("s3://b/k", line, sizeof(line));
	ck_assert_str_eq(
		line,
		"1 artifact source s3://b/k: the region in AWS_REGION or AWS_DEFAULT_REGION is not made of letters, digits and -");
}
END_TEST

START_TEST(long_sources)
{
	char source[9000] = "s3://b/k?", line[1200];
	size_t used = strlen(source);

	clear_environment();
	for (; used < 8192; used++)
		source[used] = used % 2 ? 'a' : '&';
	describe(source, line, sizeof(line));
	ck_assert_msg(strncmp(line, "https://b.s3.us-east-1.amazonaws.com/k?a=&a=&", 45) == 0,
		      "8192 bytes: %.300s", line);
	source[used] = 'a';
	describe(source, line, sizeof(line));
	ck_assert_str_eq(line, "1 the artifact source is longer than 8192 bytes");
}
END_TEST

START_TEST(another_region)
{
	const struct s3_object object = { .region = "us-east-1" };
	struct error err;

	error_set(&err, STAGE_FETCH, 0, "status 301");
	ck_assert_int_eq(s3_explain_region(&object, NULL, &err), -1);
	ck_assert_int_eq(s3_explain_region(&object, "us-east-1", &err), -1);
	ck_assert_str_eq(err.text, "status 301");
	ck_assert_int_eq(s3_explain_region(&object, "eu-west\n1", &err), -1);
	ck_assert_str_eq(
		err.text,
		"status 301; the bucket is in the region eu-west?1, the request was for us-east-1: name the right one in the source or in AWS_REGION");
}
END_TEST

Suite *s3_suite(void)
{
	Suite *suite = suite_create("s3");
	TCase *sources = tcase_create("sources");

	tcase_add_loop_test(sources, sources_that_are_accepted, 0, ROWS(accepted));
	tcase_add_loop_test(sources, sources_that_are_refused, 0, ROWS(refused));
	tcase_add_loop_test(sources, sources_of_others, 0, ROWS(others));
	tcase_add_test(sources, the_region_of_the_environment);
	tcase_add_test(sources, long_sources);
	tcase_add_test(sources, another_region);
	suite_add_tcase(suite, sources);
	return suite;
}
