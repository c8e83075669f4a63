/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How checksums are read, and what passes as verified. Needs libcrypto and a directory for
 * temporary files, no privilege.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "verify/verify.h"

#define POOL_MAX ((size_t)1 << 20)

#define MD5 "09f7e02f1290be211da707a266f153b3"
#define SHA1 "1d229271928d3f9e2bb0375bd6ce5db6c6d348d9"
#define SHA256 "66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18"
#define SHA384                                                                                     \
	"1d283e09aa7e597f2c0505c13f7c09eb4d4cd198fb7b144eeea2824cc59a046d9363b3f038abf7aa6bde7f8adaf561a4"
#define SHA512                                                                                     \
	"c2bad2223811194582af4d1508ac02cd69eeeeedeeb98d54fcae4dcefb13cc88"                         \
	"2e7640328206603d3fb9cd5f949a9be0db054dd34fbfa190c498a5fe09750cef"

Suite *verify_suite(void);

struct row {
	const char *text, *expected;
};

/* "type:hex" of what was read, or the error with its kind. */
static void describe(const char *text, char *line, size_t size)
{
	struct checksum checksum;
	struct error err;
	size_t used;

	if (checksum_parse(text, &checksum, &err)) {
		ck_assert_ptr_null(checksum.type);
		ck_assert_int_eq(err.stage, STAGE_SETUP);
		snprintf(line, size, "%d %s", err.kind, err.text);
		return;
	}
	used = (size_t)snprintf(line, size, "%s:", checksum.type);
	for (size_t i = 0; i < checksum.digest_bytes; i++)
		used += (size_t)snprintf(line + used, size - used, "%02x", checksum.digest[i]);
}

static const struct row accepted[] = {
	{ "md5:" MD5, "md5:" MD5 },
	{ "sha1:" SHA1, "sha1:" SHA1 },
	{ "sha256:" SHA256, "sha256:" SHA256 },
	{ "sha384:" SHA384, "sha384:" SHA384 },
	{ "sha512:" SHA512, "sha512:" SHA512 },
	{ MD5, "md5:" MD5 },
	{ SHA1, "sha1:" SHA1 },
	{ SHA256, "sha256:" SHA256 },
	{ SHA384, "sha384:" SHA384 },
	{ SHA512, "sha512:" SHA512 },
	{ "SHA256:" SHA256, "sha256:" SHA256 },
	{ "Md5:09F7E02F1290BE211DA707A266F153B3", "md5:" MD5 },
	{ "09F7E02F1290be211da707a266f153B3", "md5:" MD5 },
};

START_TEST(checksums_that_are_accepted)
{
	char line[200];

	describe(accepted[_i].text, line, sizeof(line));
	ck_assert_str_eq(line, accepted[_i].expected);
}
END_TEST

#define BARE "expected TYPE:HEX, or 32, 40, 64, 96 or 128 hex digits"
#define TYPES "not supported; supported are md5, sha1, sha256, sha384 and sha512"
#define DIGITS "sha256 has exactly 64 hex digits"

static const struct row refused[] = {
	{ "sha256:" MD5, "sha256:" MD5 ": " DIGITS },
	{ "sha256:", "sha256:: " DIGITS },
	{ "sha256:zz", "sha256:zz: " DIGITS },
	{ "sha256:" SHA256 "0", "sha256:" SHA256 "0: " DIGITS },
	{ "sha256:" SHA256 " ", "sha256:" SHA256 " : " DIGITS },
	{ "sha256: " SHA256, "sha256: " SHA256 ": " DIGITS },
	{ "sha256:" SHA1 "0123456789abcdef0123456g",
	  "sha256:" SHA1 "0123456789abcdef0123456g: " DIGITS },
	{ "md5:\021\021" MD5, "md5:??" MD5 ": md5 has exactly 32 hex digits" },
	{ "0123456789", "0123456789: " BARE },
	{ "", ": " BARE },
	{ "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde: " BARE },
	{ "0123456789abcdef0123456789abcdeg",
	  "0123456789abcdef0123456789abcdeg: md5 has exactly 32 hex digits" },
	{ "crc32:deadbeef", "crc32:deadbeef: " TYPES },
	{ ":" SHA256, ":" SHA256 ": " TYPES },
	{ "sha:" SHA1, "sha:" SHA1 ": " TYPES },
	{ "sha256sum:" SHA256, "sha256sum:" SHA256 ": " TYPES },
	{ "sha256 :" SHA256, "sha256 :" SHA256 ": " TYPES },
	{ "file:https://h/SUMS", "file:https://h/SUMS: " TYPES },
};

START_TEST(checksums_that_are_refused)
{
	char line[1100], expected[1100];

	describe(refused[_i].text, line, sizeof(line));
	snprintf(expected, sizeof(expected), "%d checksum %s", ERROR_USAGE, refused[_i].expected);
	ck_assert_str_eq(line, expected);
}
END_TEST

START_TEST(no_checksum)
{
	struct checksum checksum = { .type = "md5" };
	struct error err;

	ck_assert_int_eq(checksum_parse(NULL, &checksum, &err), 0);
	ck_assert_ptr_null(checksum.type);
	ck_assert_uint_eq(checksum.digest_bytes, 0);
}
END_TEST

/* A temporary file without a name that holds `blocks` times the text. */
static struct artifact make_artifact(const char *text, size_t blocks)
{
	char path[] = "/tmp/test_verify.XXXXXX";
	struct artifact artifact = { .fd = mkostemp(path, O_CLOEXEC),
				     .name = "hello",
				     .url = "http://h/hello" };

	ck_assert_msg(artifact.fd >= 0, "make %s: %s", path, strerror(errno));
	unlink(path);
	for (; blocks; blocks--) {
		ck_assert_int_eq(write(artifact.fd, text, strlen(text)), (ssize_t)strlen(text));
		artifact.bytes += strlen(text);
	}
	lseek(artifact.fd, 0, SEEK_SET);
	return artifact;
}

static struct checksum parsed(const char *text)
{
	struct checksum checksum;
	struct error err;

	ck_assert_msg(checksum_parse(text, &checksum, &err) == 0, "%s", err.text);
	return checksum;
}

START_TEST(right_bytes_are_moved)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = make_artifact("Hello\n", 1);
	struct checksum checksum = parsed(accepted[_i].text);
	struct verified verified;
	struct error err = { 0 };
	int fd = artifact.fd;

	log_setup(LOG_ERROR, false); /* md5 and sha1 warn */
	ck_assert_msg(verify(&artifact, &checksum, &pool, &verified, &err) == 0, "%s", err.text);
	ck_assert_int_eq(artifact.fd, -1);
	ck_assert_int_eq(verified.fd, fd);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	ck_assert_uint_eq(verified.bytes, 6);
	ck_assert_str_eq(verified.digest, accepted[_i].expected);
	ck_assert_str_eq(verified.name, "hello");
	ck_assert_str_eq(verified.url, "http://h/hello");
	verified_release(&verified);
	ck_assert_int_eq(verified.fd, -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

/* The last digit of each right one is changed. */
START_TEST(wrong_bytes_stay)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = make_artifact("Hello\n", 1);
	struct checksum checksum = parsed(accepted[_i].text);
	struct verified verified;
	struct error err = { 0 };
	char expected[1000], wrong[200];
	size_t length = strlen(accepted[_i].expected);
	int fd = artifact.fd;

	log_setup(LOG_ERROR, false);
	checksum.digest[checksum.digest_bytes - 1] ^= 1;
	snprintf(wrong, sizeof(wrong), "%.*s%02x", (int)length - 2, accepted[_i].expected,
		 checksum.digest[checksum.digest_bytes - 1]);
	snprintf(expected, sizeof(expected),
		 "artifact http://h/hello: expected %s, got %s (6 bytes); nothing was kept", wrong,
		 accepted[_i].expected);
	ck_assert_int_eq(verify(&artifact, &checksum, &pool, &verified, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_MISMATCH);
	ck_assert_int_eq(err.stage, STAGE_VERIFY);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(artifact.fd, fd);
	ck_assert_int_eq(verified.fd, -1);
	drop_fd(&artifact.fd);
}
END_TEST

/*
 * More than one block, which ends within one: 100,000 lines of 7 bytes, from `yes worlds | head -n
 * 100000 | sha256sum`.
 */
START_TEST(large_files)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = make_artifact("worlds\n", 100000);
	struct checksum checksum =
		parsed("sha256:e9dea0cdffcc76e5d2a3f481d988791c84616bd64c3972568e030e75a00caab2");
	struct verified verified;
	struct error err = { 0 };

	ck_assert_msg(verify(&artifact, &checksum, &pool, &verified, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(verified.bytes, 700000);
	verified_release(&verified);
}
END_TEST

START_TEST(unreadable_file)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = { .fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				     .url = "/tmp" };
	struct checksum checksum = parsed(SHA256);
	struct verified verified;
	struct error err = { 0 };

	ck_assert_int_ge(artifact.fd, 0);
	ck_assert_int_eq(verify(&artifact, &checksum, &pool, &verified, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_FAILED);
	ck_assert_int_eq(err.errnum, EISDIR);
	ck_assert_str_eq(err.text, "read the artifact /tmp at byte 0: Is a directory");
	drop_fd(&artifact.fd);
}
END_TEST

START_TEST(no_artifact)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = ARTIFACT_INIT;
	struct checksum checksum = parsed(SHA256);
	struct verified verified = { .fd = 100, .name = "x" };
	struct error err;

	ck_assert_int_eq(verify(&artifact, &checksum, &pool, &verified, &err), 0);
	ck_assert_int_eq(verified.fd, -1);
	ck_assert_ptr_null(verified.name);
	ck_assert_int_eq(verify_nothing_and_trust(&artifact, &verified), 0);
	ck_assert_int_eq(verified.fd, -1);
}
END_TEST

START_TEST(no_proof_is_never_a_pass)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct artifact artifact = make_artifact("Hello\n", 1);
	struct checksum checksum = parsed(NULL);
	struct verified verified;
	struct error err;

	ck_assert_int_eq(verify(&artifact, &checksum, &pool, &verified, &err), -1);
	ck_assert_str_eq(err.text, "artifact http://h/hello: there is no checksum");
	ck_assert_int_ge(artifact.fd, 0);
	ck_assert_int_eq(verified.fd, -1);
	drop_fd(&artifact.fd);
}
END_TEST

/* The warning is one line on stderr; the digest stays unknown. */
START_TEST(trust_is_warned_about)
{
	static const char expected[] =
		"nomad-exec: warning: artifact http://h/hello: not verified, because no --checksum was given; over plain http anyone on the way can replace it\n";
	struct artifact artifact = make_artifact("Hello\n", 1);
	struct artifact captured = make_artifact("", 0);
	struct verified verified;
	char line[200] = "";
	int saved = dup(STDERR_FILENO);

	log_setup(LOG_WARN, false);
	dup2(captured.fd, STDERR_FILENO);
	ck_assert_int_eq(verify_nothing_and_trust(&artifact, &verified), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	ck_assert_int_eq(pread(captured.fd, line, sizeof(line) - 1, 0), (ssize_t)strlen(expected));
	ck_assert_str_eq(line, expected);
	ck_assert_int_eq(artifact.fd, -1);
	ck_assert_int_ge(verified.fd, 0);
	ck_assert_uint_eq(verified.bytes, 6);
	ck_assert_ptr_null(verified.digest);
	drop_fd(&captured.fd);
	verified_release(&verified);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *verify_suite(void)
{
	Suite *suite = suite_create("verify");
	TCase *checksums = tcase_create("checksums"), *files = tcase_create("files");

	tcase_add_loop_test(checksums, checksums_that_are_accepted, 0, ROWS(accepted));
	tcase_add_loop_test(checksums, checksums_that_are_refused, 0, ROWS(refused));
	tcase_add_test(checksums, no_checksum);
	suite_add_tcase(suite, checksums);
	tcase_add_loop_test(files, right_bytes_are_moved, 0, ROWS(accepted));
	tcase_add_loop_test(files, wrong_bytes_stay, 0, ROWS(accepted));
	tcase_add_test(files, large_files);
	tcase_add_test(files, unreadable_file);
	tcase_add_test(files, no_artifact);
	tcase_add_test(files, no_proof_is_never_a_pass);
	tcase_add_test(files, trust_is_warned_about);
	suite_add_tcase(suite, files);
	return suite;
}
