/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What artifact sources say, how they are shown, and what is refused before any network. Pure;
 * needs no privilege.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/url.h"

#define POOL_MAX ((size_t)1 << 20)

Suite *fetch_suite(void);

struct row {
	const char *source, *expected;
};

/* "path name safe", or the error with its kind. */
static void describe(const char *source, char *line, size_t size)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct error err;
	struct url url;

	if (url_parse(source, NULL, &pool, &url, &err)) {
		snprintf(line, size, "%d %s", err.kind, err.text);
		return;
	}
	/* A fragment is not sent. */
	ck_assert_uint_eq(strlen(url.text), *source == '/' ? strlen(source) : strcspn(source, "#"));
	ck_assert_int_eq(strncmp(url.text, source, strlen(url.text)), 0);
	snprintf(line, size, "[%s] [%s] [%s]", url.path ? url.path : "-", url.name, url.safe);
}

static const struct row accepted[] = {
	{ "/opt/tool", "[/opt/tool] [tool] [/opt/tool]" },
	{ "/tool", "[/tool] [tool] [/tool]" },
	{ "/a/b c%2Fd?e#f", "[/a/b c%2Fd?e#f] [b c%2Fd?e#f] [/a/b c%2Fd?e#f]" },
	{ "/a/u:p@x?token=y", "[/a/u:p@x?token=y] [u:p@x?token=y] [/a/u:p@x?token=y]" },
	{ "/a/\303\251\377", "[/a/\303\251\377] [\303\251\377] [/a/\303\251\377]" },
	{ "file:///opt/tool", "[/opt/tool] [tool] [file:///opt/tool]" },
	{ "FILE:///opt/tool", "[/opt/tool] [tool] [FILE:///opt/tool]" },
	{ "file://localhost/opt/tool", "[/opt/tool] [tool] [file://localhost/opt/tool]" },
	{ "file:///a%20b/c%3Fd%25", "[/a b/c?d%] [c?d%] [file:///a%20b/c%3Fd%25]" },
	{ "file:///a@b/c", "[/a@b/c] [c] [file:///a@b/c]" },
	{ "http://h/x", "[-] [x] [http://h/x]" },
	{ "HTTPS://h:8443/a/b/x", "[-] [x] [HTTPS://h:8443/a/b/x]" },
	{ "http://[::1]:80/x", "[-] [x] [http://[::1]:80/x]" },
	{ "https://h/a%20b", "[-] [a b] [https://h/a%20b]" },
	{ "https://h/a%252Fb", "[-] [a%2Fb] [https://h/a%252Fb]" },
	{ "https://h/a+b;v=1", "[-] [a+b;v=1] [https://h/a+b;v=1]" },
	{ "https://h/..%2f../x", "[-] [x] [https://h/..%2f../x]" },
	{ "https://h/x?y=/z/", "[-] [x] [https://h/x?y=/z/]" },
	{ "https://h/x#/y", "[-] [x] [https://h/x]" },
	{ "https://h/x#?checksum=md5:0", "[-] [x] [https://h/x]" },
	{ "https://h/@scope/x", "[-] [x] [https://h/@scope/x]" },
	{ "https://user:pw@h/x", "[-] [x] [https://h/x]" },
	{ "https://user@h/x?sig=a%2Fb&v=2", "[-] [x] [https://h/x?sig=***&v=2]" },
};

START_TEST(sources_that_are_accepted)
{
	char line[1200];

	describe(accepted[_i].source, line, sizeof(line));
	ck_assert_str_eq(line, accepted[_i].expected);
}
END_TEST

#define SUPPORTED                                                                                  \
	"not supported; supported are http://, https://, s3::, s3://, file:// and absolute paths"
#define NO_NAME "it names no file: it ends with the host or with a /"

static const struct row refused[] = {
	{ "", ": " SUPPORTED },
	{ "tool", "tool: " SUPPORTED },
	{ "./tool", "./tool: " SUPPORTED },
	{ "h/x", "h/x: " SUPPORTED },
	{ "://h/x", "://h/x: " SUPPORTED },
	{ "ftp://u:p@h/x", "ftp://h/x: " SUPPORTED },
	{ "s3::https://h/x?aws_access_key_secret=a",
	  "s3::https://h/x?aws_access_key_secret=***: it names no object: expected s3://BUCKET/KEY, or s3::https://HOST/BUCKET/KEY" },
	{ "s3://bucket/a#b", "s3://bucket/a: it has a # in it: in a key that is written %23" },
	{ "git::ssh://git@h/x?sshkey=a&sshkey=b",
	  "git::ssh://h/x?sshkey=***&sshkey=***: " SUPPORTED },
	{ "git@h:o/x", "h:o/x: " SUPPORTED },
	{ "http:/u:p@h/x", "h/x: " SUPPORTED },
	{ "http::https://h/x", "http::https://h/x: " SUPPORTED },
	{ " http://h/x", " http://h/x: " SUPPORTED },
	{ "file:/opt/tool", "file:/opt/tool: " SUPPORTED },
	{ "file://h/x",
	  "file://h/x: a file URL has three slashes and then an absolute path: file:///path" },
	{ "file://",
	  "file://: a file URL has three slashes and then an absolute path: file:///path" },
	{ "file:///x?archive=false",
	  "file:///x?archive=false: a file URL takes no ? and no #: in a name they are written %3F and %23" },
	{ "file:///a%00b/x", "file:///a%00b/x: it has %00, or a % without two hex digits, in it" },
	{ "file:///a%2Fb", "file:///a%2Fb: its file name has a / in it" },
	{ "file:///a/", "file:///a/: " NO_NAME },
	{ "/", "/: " NO_NAME },
	{ "/a/", "/a/: " NO_NAME },
	{ "/a/..", "/a/..: its file name begins with a dot" },
	{ "/a\nb/x", "/a?b/x: it has a control character in it" },
	{ "http:///x", "http:///x: it has no host" },
	{ "http://u:p@/x", "http:///x: it has no host" },
	{ "http://h", "http://h: " NO_NAME },
	{ "http://h/", "http://h/: " NO_NAME },
	{ "http://h/a/", "http://h/a/: " NO_NAME },
	{ "http://h?/x", "http://h?/x: " NO_NAME },
	{ "http://h#/x", "http://h: " NO_NAME },
	{ "http://h%2f@evil",
	  "http://evil: its user name has a % in it, and looks like another host" },
	{ "http://h/.", "http://h/.: its file name begins with a dot" },
	{ "http://h/..", "http://h/..: its file name begins with a dot" },
	{ "http://h/%2e%2E", "http://h/%2e%2E: its file name begins with a dot" },
	{ "http://h/.bashrc", "http://h/.bashrc: its file name begins with a dot" },
	{ "http://h/-rf", "http://h/-rf: its file name begins with -" },
	{ "http://h/%2Drf", "http://h/%2Drf: its file name begins with -" },
	{ "http://h/a%2fb", "http://h/a%2fb: its file name has a / in it" },
	{ "http://h/%2fetc%2fx", "http://h/%2fetc%2fx: its file name has a / in it" },
	{ "http://h/%0d%0aX:1", "http://h/%0d%0aX:1: its file name has a control character in it" },
	{ "http://h/a%7f", "http://h/a%7f: its file name has a control character in it" },
	{ "http://h/a%00b",
	  "http://h/a%00b: its file name has %00, or a % without two hex digits, in it" },
	{ "http://h/a%",
	  "http://h/a%: its file name has %00, or a % without two hex digits, in it" },
	{ "http://h/a%4",
	  "http://h/a%4: its file name has %00, or a % without two hex digits, in it" },
	{ "http://h/a%4?b",
	  "http://h/a%4?b: its file name has %00, or a % without two hex digits, in it" },
	{ "http://h/a%zz",
	  "http://h/a%zz: its file name has %00, or a % without two hex digits, in it" },
	{ "http://h/a%\0214", "http://h/a%?4: it has a control character in it" },
	{ "http://h/a b", "http://h/a b: it has a space in it: in a URL that is written %20" },
	{ "http://h/x\r\nHost: evil", "http://h/x??Host: evil: it has a control character in it" },
	{ "http://h/x?filename=../y", "http://h/x?filename=../y: its file name begins with a dot" },
	{ "http://h/x?filename=a/b", "http://h/x?filename=a/b: its file name has a / in it" },
	{ "http://h/x?filename=%2fy", "http://h/x?filename=%2fy: its file name has a / in it" },
	{ "http://h/x?filename=", "http://h/x?filename=: " NO_NAME },
	{ "http://h/x?filename=a%00b",
	  "http://h/x?filename=a%00b: its query has %00, or a % without two hex digits, in it" },
	{ "http://h/x?checksum=a%0ab",
	  "http://h/x?checksum=***: its query has a control character in it" },
	{ "http://h/x?archive=tar&archive=zip",
	  "http://h/x?archive=tar&archive=zip: checksum, archive or filename is given twice, and differently" },
};

START_TEST(sources_that_are_refused)
{
	char line[1200], expected[1200];

	describe(refused[_i].source, line, sizeof(line));
	snprintf(expected, sizeof(expected), "%d artifact source %s", ERROR_USAGE,
		 refused[_i].expected);
	ck_assert_str_eq(line, expected);
}
END_TEST

static const struct {
	const char *source, *text, *checksum, *archive, *filename;
} queries[] = {
	{ "http://h/x?checksum=md5:0", "http://h/x", "md5:0", NULL, NULL },
	{ "http://h/x?a=b&%63hecksum=md5:0", "http://h/x?a=b", "md5:0", NULL, NULL },
	{ "http://h/x?checksum=md5:0&a=%41%&archive=false;b", "http://h/x?a=%41%;b", "md5:0",
	  "false", NULL },
	{ "http://h/x?a&&filename=y%20z&X-Amz-Signature=s", "http://h/x?a&&X-Amz-Signature=s", NULL,
	  NULL, "y z" },
	{ "http://h/x?FILENAME=y&filename=y", "http://h/x", NULL, NULL, "y" },
	{ "http://h/?filename=y", "http://h/", NULL, NULL, "y" },
	{ "http://h/x?checksum=file:http://s/SUMS?v=1", "http://h/x", "file:http://s/SUMS?v=1",
	  NULL, NULL },
	{ "http://h/x?checksums=1&archived&file=name", "http://h/x?checksums=1&archived&file=name",
	  NULL, NULL, NULL },
};

static void same(const char *got, const char *expected)
{
	ck_assert_str_eq(got ? got : "(none)", expected ? expected : "(none)");
}

/* Every other byte of a query is sent as it stands: a signature may cover it. */
START_TEST(what_the_query_says_to_us)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct error err;
	struct url url;

	ck_assert_msg(url_parse(queries[_i].source, NULL, &pool, &url, &err) == 0, "%s", err.text);
	ck_assert_str_eq(url.text, queries[_i].text);
	same(url.checksum, queries[_i].checksum);
	same(url.archive, queries[_i].archive);
	same(url.filename, queries[_i].filename);
	ck_assert_str_eq(url.name, queries[_i].filename ? queries[_i].filename : "x");
}
END_TEST

static const struct row redacted[] = {
	{ "https://u:p@h/x", "https://h/x" },
	{ "https://u:p@q@h/x", "https://h/x" },
	{ "https://token@h", "https://h" },
	{ "u:p@h/x?to=http://y", "h/x?to=http://y" },
	{ "u:p/q@h/x", "h/x" },
	{ "file:///a@b", "file:///a@b" },
	{ "https:////u:p@h/x", "https:////h/x" },
	{ "https://h/x?token=a&b=c&Signature=d;e=f#g", "https://h/x?token=***&b=c&Signature=***" },
	{ "https://h/x?v=1;PASSWORD=e;f&w=2", "https://h/x?v=1;PASSWORD=***&w=2" },
	{ "https://h/x?X-Amz-Signature=a&X-Amz-Credential=b&x-amz-date=c&v=1",
	  "https://h/x?X-Amz-Signature=***&X-Amz-Credential=***&x-amz-date=***&v=1" },
	{ "https://h/x?aws_access_key_id=I&aws_access_key_secret=S&region=r",
	  "https://h/x?aws_access_key_id=***&aws_access_key_secret=***&region=r" },
	{ "s3://b/k?aws_access_key_secret=a;b/c+d=&aws_access_token=t&AWS_x=y#z",
	  "s3://b/k?aws_access_key_secret=***&aws_access_token=***&AWS_x=***" },
	{ "s3::https://u:p@h/b/k?X-Amz-Security-Token=a&%58-amz-anything=b&AWSAccessKeyId=c&version=d",
	  "s3::https://h/b/k?X-Amz-Security-Token=***&%58-amz-anything=***&AWSAccessKeyId=***&version=d" },
	{ "b.s3.amazonaws.com/k?aws%5Faccess_key_secret=a",
	  "b.s3.amazonaws.com/k?aws%5Faccess_key_secret=***" },
	{ "https://h/x?sv=1&sig=a=b", "https://h/x?sv=1&sig=***" },
	{ "https://h/x?%74oken=a", "https://h/x?%74oken=***" },
	{ "https://h/x?token", "https://h/x?token" },
	{ "https://h/x?token=", "https://h/x?token=***" },
	{ "https://h/x?a?token=b", "https://h/x?a?token=***" },
	{ "https://h/x?&&sig=a&", "https://h/x?&&sig=***&" },
	{ "https://h/x?sigma=1&keyboard=2&author=3", "https://h/x?sigma=1&keyboard=2&author=3" },
	{ "https://h/x?%=1&%zz=2", "https://h/x?%=1&%zz=2" },
	{ "https://h/x#access_token=a", "https://h/x" },
	{ "https://h?token=u@h", "https://h?token=***" },
	{ "https://u:p/w@h/x", "https://***@h/x" },
	{ "https://u:p?w@h/x?v=1&sig=a", "https://***@h/x?v=1&sig=***" },
	{ "https://u:p#w@h/x", "https://***@h/x" },
	{ "https://u:p/v?w@h/x", "https://***@h/x" },
	{ "https://u:p@v/w@h/x", "https://***@h/x" },
	{ "https://u:1/w@h/x", "https://***@h/x" },
	{ "https://u:1?w@h/x", "https://***@h/x" },
	{ "s3::https://u:p/w@h/b/k", "s3::https://***@h/b/k" },
	{ "u:p?w@h/x", "***@h/x" },
	{ "file:https:////u:p@h/x", "file:https:////h/x" },
	{ "https://h/@scope/x", "https://h/@scope/x" },
	{ "https://h:1/x?mail=u@h", "https://h:1/x?mail=u@h" },
	{ "https://u:p@h/x?mail=u@h", "https://h/x?mail=u@h" },
	{ "https://h/x?checksum=md5:0;token=a&mail=u@h",
	  "https://h/x?checksum=md5:0;token=***&mail=u@h" },
	{ "https://h/x?checksum=file:https://h/@s/SUMS&v=1", "https://h/x?checksum=file:***&v=1" },
	{ "https://h/x?checksum=file:https://h/SUMS&v=1",
	  "https://h/x?checksum=file:https://h/SUMS&v=1" },
	{ "https://h/x?checksum=file:https://u:p@h/SUMS&v=1", "https://h/x?checksum=file:***&v=1" },
	{ "https://h/x?Checksum=FILE:https://u:p&w@h/SUMS&v=1",
	  "https://h/x?Checksum=file:***&v=1" },
	{ "https://h/x?checksum=file:https://u:p#w@h/SUMS", "https://h/x?checksum=file:***" },
	{ "https://h/x?checksum=file:https://h/SUMS?token=a&v=1",
	  "https://h/x?checksum=file:***&v=1" },
	{ "https://h/x?checksum=file:https%3A%2F%2Fu:p%40h/SUMS&v=1",
	  "https://h/x?checksum=file:***&v=1" },
	{ "https://h/x?check%73um=%66ile:https://h/SUMS", "https://h/x?check%73um=***" },
	{ "https://h/x?checksum=", "https://h/x?checksum=" },
	{ "?", "?" },
	{ "", "" },
};

START_TEST(secrets_are_not_shown)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	const char *safe = url_redact(redacted[_i].source, &pool);

	ck_assert_ptr_nonnull(safe);
	ck_assert_str_eq(safe, redacted[_i].expected);
}
END_TEST

/* A query of nothing but the shortest secrets grows most when it is redacted. */
START_TEST(redaction_has_room)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	char text[4 + 5 * 1000 + 1] = "http", expected[4 + 8 * 1000 + 1] = "http";
	const char *safe;

	for (size_t i = 0; i < 1000; i++) {
		memcpy(text + 4 + 5 * i, i ? "&sig=" : "?sig=", 6);
		memcpy(expected + 4 + 8 * i, i ? "&sig=***" : "?sig=***", 9);
	}
	safe = url_redact(text, &pool);
	ck_assert_ptr_nonnull(safe);
	ck_assert_str_eq(safe, expected);
}
END_TEST

START_TEST(limits_of_lengths)
{
	char source[9000] = "http://h/", line[1200];
	const size_t head = strlen(source);

	memset(source + head, 'n', 255);
	describe(source, line, sizeof(line));
	ck_assert_msg(line[0] == '[', "255 bytes: %s", line);
	source[head + 255] = 'n';
	describe(source, line, sizeof(line));
	ck_assert_msg(strstr(line, ": its file name is longer than 255 bytes"), "256 bytes: %s",
		      line);
	memset(source + head, '/', sizeof(source) - head - 1);
	source[URL_BYTES_MAX - 1] = 'x';
	source[URL_BYTES_MAX] = '\0';
	describe(source, line, sizeof(line));
	ck_assert_msg(line[0] == '[', "8192 bytes: %.300s", line);
	strcpy(source + URL_BYTES_MAX, "x");
	describe(source, line, sizeof(line));
	ck_assert_str_eq(line, "1 the artifact source is longer than 8192 bytes");
}
END_TEST

START_TEST(without_memory)
{
	AUTO_POOL pool = POOL_INIT(10);
	struct error err;
	struct url url;

	ck_assert_int_eq(url_parse("http://h/x", NULL, &pool, &url, &err), -1);
	ck_assert_str_eq(err.text, "the strings of this run: Cannot allocate memory");
	ck_assert_ptr_null(url_redact("http://h/x", &pool));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *fetch_suite(void)
{
	Suite *suite = suite_create("fetch");
	TCase *sources = tcase_create("sources");

	tcase_add_loop_test(sources, sources_that_are_accepted, 0, ROWS(accepted));
	tcase_add_loop_test(sources, sources_that_are_refused, 0, ROWS(refused));
	tcase_add_loop_test(sources, what_the_query_says_to_us, 0,
			    sizeof(queries) / sizeof(queries[0]));
	tcase_add_loop_test(sources, secrets_are_not_shown, 0, ROWS(redacted));
	tcase_add_test(sources, redaction_has_room);
	tcase_add_test(sources, limits_of_lengths);
	tcase_add_test(sources, without_memory);
	suite_add_tcase(suite, sources);
	return suite;
}
