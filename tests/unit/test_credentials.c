/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials for S3, from where they are found to the headers that they sign; and that no message
 * shows a secret. Needs libcrypto and a directory for temporary files, no privilege.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "fetch/s3.h"
#include "fetch/sigv4.h"

#define POOL_MAX ((size_t)4 << 20)
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *credentials_suite(void);

static void clear_environment(void)
{
	static const char *const names[] = { "AWS_REGION",
					     "AWS_DEFAULT_REGION",
					     "AWS_ACCESS_KEY_ID",
					     "AWS_SECRET_ACCESS_KEY",
					     "AWS_SESSION_TOKEN",
					     "AWS_PROFILE",
					     "AWS_SHARED_CREDENTIALS_FILE",
					     "HOME" };

	for (int i = 0; i < ROWS(names); i++)
		unsetenv(names[i]);
}

static const char *dash(const char *text)
{
	return text ? text : "-";
}

static char directory[] = "/tmp/nx-unit-s3.XXXXXX";

static void make_home(void)
{
	clear_environment();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	setenv("HOME", directory, 1);
}

static char *in_home(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void remove_home(void)
{
	unlink(in_home(".aws/credentials"));
	unlink(in_home("other"));
	rmdir(in_home(".aws"));
	ck_assert_int_eq(rmdir(directory), 0);
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
}

static void write_file(const char *name, const char *text)
{
	AUTO_FILE file = NULL;

	mkdir(in_home(".aws"), 0700);
	file = fopen(in_home(name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
}

/* "id/secret/token", or the error, in which the directory is "~" and no secret. */
static void find(const struct s3_credentials *own, char *line, size_t size)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct s3_object object = { 0 };
	struct s3_credentials found;
	struct error err;
	char *home;

	if (own)
		object.credentials = *own;
	if (s3_find_credentials(&object, &pool, &found, &err) == 0) {
		snprintf(line, size, "%s/%s/%s", dash(found.key_id), dash(found.secret),
			 dash(found.token));
		return;
	}
	ck_assert_ptr_null(strstr(err.text, "hush"));
	while ((home = strstr(err.text, directory))) {
		*home = '~';
		memmove(home + 1, home + strlen(directory), strlen(home + strlen(directory)) + 1);
	}
	snprintf(line, size, "%d %s", err.kind, err.text);
}

#define FOUND(own, expected)                                                                       \
	do {                                                                                       \
		find(own, line, sizeof(line));                                                     \
		ck_assert_str_eq(line, expected);                                                  \
	} while (0)

START_TEST(credentials_of_the_source)
{
	static const struct s3_credentials whole = { "I", "S", "T" }, no_secret = { "hush" },
					   no_id = { NULL, "hush" },
					   only_token = { .token = "hush" },
					   blank = { "I", "hush hush" },
					   control = { "I", "hush", "hush\r\nX: y" },
					   not_ascii = { "hush\303\244", "hush" };
	char line[1200];

	setenv("AWS_ACCESS_KEY_ID", "EI", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "ES", 1);
	FOUND(&whole, "I/S/T");
	FOUND(NULL, "EI/ES/-");
#define SOURCE "1 credentials for S3: the artifact source has no "
	FOUND(&no_secret, SOURCE "aws_access_key_secret, or an empty one, but aws_access_key_id");
	FOUND(&no_id, SOURCE "aws_access_key_id, or an empty one, but aws_access_key_secret");
	FOUND(&only_token, SOURCE "aws_access_key_id, or an empty one, but aws_access_token");
#define INVISIBLE " in the artifact source has a character that is no visible ASCII"
	FOUND(&blank, "1 credentials for S3: aws_access_key_secret" INVISIBLE);
	FOUND(&control, "1 credentials for S3: aws_access_token" INVISIBLE);
	FOUND(&not_ascii, "1 credentials for S3: aws_access_key_id" INVISIBLE);
}
END_TEST

START_TEST(credentials_of_the_environment)
{
	char line[1200];

	FOUND(NULL, "-/-/-");
	setenv("AWS_ACCESS_KEY_ID", "", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "", 1);
	FOUND(NULL, "-/-/-");
	setenv("AWS_ACCESS_KEY_ID", "I", 1);
	FOUND(NULL,
	      "1 credentials for S3: the environment has no AWS_SECRET_ACCESS_KEY, or an empty one, but AWS_ACCESS_KEY_ID");
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	FOUND(NULL, "I/S/-");
	setenv("AWS_SESSION_TOKEN", "T", 1);
	FOUND(NULL, "I/S/T");
	setenv("AWS_SESSION_TOKEN", "hush\n", 1);
	FOUND(NULL,
	      "1 credentials for S3: AWS_SESSION_TOKEN in the environment has a character that is no visible ASCII");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_ACCESS_KEY_ID");
	FOUND(NULL,
	      "1 credentials for S3: the environment has no AWS_ACCESS_KEY_ID, or an empty one, but AWS_SECRET_ACCESS_KEY");
}
END_TEST

static const char profiles[] = "aws_access_key_id = nobody's\n"
			       "# aws_access_key_id = comment\n"
			       "[default]\r\n"
			       "aws_access_key_id=DI\r\n"
			       "aws_secret_access_key = D/S+= \r\n"
			       "\n"
			       "; [ci]\n"
			       " [ ci ] # and a comment\n"
			       "\taws_access_key_id\t=\tCI\n"
			       "#aws_session_token = comment\n"
			       "region = eu-west-1\n"
			       "s3 =\n"
			       "  max_concurrent_requests = 20\n"
			       "aws_secret_access_key = CS\n"
			       "aws_session_token = CT==\n"
			       "a line that is none\n"
			       "[half]\n"
			       "aws_access_key_id = HI\n"
			       "aws_secret_access_key =\n"
			       "[blank]\n"
			       "aws_access_key_id = BI\n"
			       "aws_secret_access_key = hush hush\n"
			       "[empty]\n"
			       "[last]\n"
			       "aws_access_key_id = LI\n"
			       "aws_secret_access_key = LS";

START_TEST(credentials_of_the_file)
{
	char line[1200];

	setenv("AWS_PROFILE", "ci", 1);
	FOUND(NULL, "0 credentials for S3: open ~/.aws/credentials: No such file or directory");
	unsetenv("AWS_PROFILE");
	write_file(".aws/credentials", "");
	FOUND(NULL, "-/-/-");
	write_file(".aws/credentials", profiles);
	FOUND(NULL, "DI/D/S+=/-");
	setenv("AWS_PROFILE", "ci", 1);
	FOUND(NULL, "CI/CS/CT==");
	setenv("AWS_PROFILE", "last", 1);
	FOUND(NULL, "LI/LS/-");
	setenv("AWS_PROFILE", "half", 1);
	FOUND(NULL,
	      "1 credentials for S3: profile half of ~/.aws/credentials has no aws_secret_access_key, or an empty one, but aws_access_key_id");
	setenv("AWS_PROFILE", "blank", 1);
	FOUND(NULL,
	      "1 credentials for S3: aws_secret_access_key in profile blank of ~/.aws/credentials has a character that is no visible ASCII");
#define NO_KEY "1 credentials for S3: there is no aws_access_key_id in profile "
	setenv("AWS_PROFILE", "empty", 1);
	FOUND(NULL, NO_KEY "empty of ~/.aws/credentials, which AWS_PROFILE names");
	setenv("AWS_PROFILE", "CI", 1);
	FOUND(NULL, NO_KEY "CI of ~/.aws/credentials, which AWS_PROFILE names");
	unsetenv("HOME");
	FOUND(NULL,
	      "1 credentials for S3: AWS_PROFILE is set, but neither HOME nor AWS_SHARED_CREDENTIALS_FILE is");
}
END_TEST

START_TEST(another_file)
{
	static char large[(64 << 10) + 2];
	char line[1200];

	write_file(".aws/credentials", profiles);
	setenv("AWS_SHARED_CREDENTIALS_FILE", in_home("other"), 1);
	FOUND(NULL, "0 credentials for S3: open ~/other: No such file or directory");
	memset(large, '#', sizeof(large) - 1);
	write_file("other", large);
#define NO_FILE "is not a regular file of at most 64 KiB"
	FOUND(NULL, "0 credentials for S3: ~/other " NO_FILE);
	strcpy(large + (64 << 10) - 68,
	       "\n[default]\naws_access_key_id = OI\naws_secret_access_key = OS");
	memset(large + strlen(large), ' ', sizeof(large) - 2 - strlen(large));
	large[64 << 10] = '\0';
	write_file("other", large);
	FOUND(NULL, "OI/OS/-");
	ck_assert_int_eq(unlink(in_home("other")), 0);
	ck_assert_int_eq(mkfifo(in_home("other"), 0600), 0);
	FOUND(NULL, "0 credentials for S3: ~/other " NO_FILE);
	setenv("AWS_SHARED_CREDENTIALS_FILE", directory, 1);
	FOUND(NULL, "0 credentials for S3: ~ " NO_FILE);
}
END_TEST

/* --- the request ----------------------------------------------------------------------------- */

/* The headers, each with a newline behind it. */
static const char *sign(const char *source, struct pool *pool)
{
	struct s3_credentials credentials;
	struct strings headers = { 0 };
	struct s3_object object;
	const char *all = "";
	struct error err;

	ck_assert_int_eq(s3_parse(source, pool, &object, &err), 0);
	ck_assert_int_eq(s3_find_credentials(&object, pool, &credentials, &err), 0);
	ck_assert_int_eq(s3_sign(&object, &credentials, 1369353600, pool, &headers, &err), 0);
	for (size_t i = 0; i < headers.n; i++)
		all = pool_printf(pool, "%s%s\n", all, headers.v[i]);
	return all;
}

/* The signature is that of another implementation: botocore's S3SigV4Auth. */
START_TEST(headers_of_a_request)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);

	clear_environment();
	ck_assert_str_eq(sign("s3::http://127.0.0.1:9000/b/k", &pool), "");
	ck_assert_str_eq(
		sign("s3::http://127.0.0.1:9000/b/a key?version=3&aws_access_key_id=I&aws_access_key_secret=S&aws_access_token=T",
		     &pool),
		"host: 127.0.0.1:9000\n"
		"x-amz-content-sha256: " SIGV4_EMPTY_SHA256 "\n"
		"x-amz-date: 20130524T000000Z\n"
		"x-amz-security-token: T\n"
		"authorization: AWS4-HMAC-SHA256 Credential=I/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="
		"0b35b7d806ef38739955e2e78f10669afd95d6124b961ea956d8abab248bbba8\n");
}
END_TEST

START_TEST(a_clock_without_time)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	const struct s3_credentials credentials = { "I", "S" };
	const struct s3_object object = { .host = "h", .path = "/b/k", .region = "r" };
	struct strings headers = { 0 };
	struct error err;

	ck_assert_int_eq(s3_sign(&object, &credentials, (time_t)1 << 40, &pool, &headers, &err),
			 -1);
	ck_assert_str_eq(err.text, "sign the request: the clock shows no time that can be written");
	ck_assert_uint_eq(headers.n, 0);
}
END_TEST

START_TEST(without_memory)
{
	static const char source[] =
		"s3::https://s3.amazonaws.com/b/k?region=eu-west-1&a=b&aws_access_key_id=I&aws_access_key_secret=S";
	int done = 0;

	clear_environment();
	/* Blocks are of 8 KiB: each further one lets it come further. */
	for (size_t size = 0; !done; size += 8192) {
		AUTO_POOL pool = POOL_INIT(size);
		struct s3_credentials credentials;
		struct strings headers = { 0 };
		struct s3_object object;
		struct error err;

		ck_assert_uint_lt(size, POOL_MAX);
		done = !s3_parse(source, &pool, &object, &err) &&
		       !s3_find_credentials(&object, &pool, &credentials, &err) &&
		       !s3_sign(&object, &credentials, 0, &pool, &headers, &err);
		if (!done)
			ck_assert_str_eq(err.text,
					 "the strings of this run: Cannot allocate memory");
	}
}
END_TEST

Suite *credentials_suite(void)
{
	Suite *suite = suite_create("credentials");
	TCase *credentials = tcase_create("credentials"), *request = tcase_create("request");

	tcase_add_checked_fixture(credentials, make_home, remove_home);
	tcase_add_test(credentials, credentials_of_the_source);
	tcase_add_test(credentials, credentials_of_the_environment);
	tcase_add_test(credentials, credentials_of_the_file);
	tcase_add_test(credentials, another_file);
	suite_add_tcase(suite, credentials);
	tcase_add_test(request, headers_of_a_request);
	tcase_add_test(request, a_clock_without_time);
	tcase_add_test(request, without_memory);
	suite_add_tcase(suite, request);
	return suite;
}
