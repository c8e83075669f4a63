/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the lines of sums files are read. Pure. Inputs are copied into memory of their exact size, so
 * that a sanitizer sees every byte read beyond it.
 */
#include "suites.h"
#include "sums_tests.h"

/* One "NUMBER TYPE [NAME]" or "NUMBER bad" for each line that counts, with a bar between them. */
static void describe_lines(const char *text, size_t n, char *out, size_t size)
{
	char *copy = exact_copy(text, n), type[20];
	struct error err;
	struct sums sums;
	enum sums_line line;
	size_t used = 0;

	out[0] = '\0';
	ck_assert_msg(sums_begin(&sums, copy, n, &err) == 0, "%s", err.text);
	while ((line = sums_next(&sums)) != SUMS_END) {
		used += (size_t)snprintf(out + used, size - used, "%s%zu ", used ? "|" : "",
					 sums.line);
		if (line == SUMS_MALFORMED) {
			used += (size_t)snprintf(out + used, size - used, "bad");
			continue;
		}
		describe_checksum(&sums.checksum, type, sizeof(type));
		used += (size_t)snprintf(out + used, size - used, "%s", type);
		if (line == SUMS_NAMED)
			used += (size_t)snprintf(out + used, size - used, " [%s]", sums.name);
	}
	free(copy);
}

/* The case of cases-fetch.md is named where there is one. */
static const struct {
	const char *text, *expected;
} lines[] = {
	{ "", "" },
	{ "\n\r\n\n", "" },
	{ "# " SHA256 "  a\n#\n", "" },
	{ " #\n", "1 bad" },
	/* sha256sum and its siblings; K22, K23 */
	{ SHA256 "  a\n", "1 sha256 [a]" },
	{ SHA256 "  a", "1 sha256 [a]" },
	{ SHA256 " *a\n", "1 sha256 [a]" },
	{ SHA256 " ?a\n", "1 sha256 [a]" },
	{ MD5 "  a\n" SHA1 "  b\n" SHA256 "  c\n" SHA384 "  d\n" SHA512 "  e\n",
	  "1 md5 [a]|2 sha1 [b]|3 sha256 [c]|4 sha384 [d]|5 sha512 [e]" },
	{ "66A045B452102C59D840EC097D59D9467E13A3F34F6494E539FFD32C1BB35F18  a", "1 sha256 [a]" },
	{ ZERO40 "  a", "1 sha1! [a]" },
	{ " \t " SHA256 "  a", "1 sha256 [a]" },
	{ SHA256 "   a b \n", "1 sha256 [ a b ]" },
	{ SHA256 "  \ta", "1 sha256 [\ta]" },
	{ SHA256 "  d\303\251j\303\240/\377", "1 sha256 [d\303\251j\303\240/\377]" },
	{ SHA256 "  a\\nb", "1 sha256 [a\\nb]" },
	{ SHA256 "  -", "1 sha256 [-]" },
	/* K32 */
	{ SHA256 "  a\r\n" SHA256 "  b\r\n", "1 sha256 [a]|2 sha256 [b]" },
	{ SHA256 "  a\r\r\n", "1 sha256 [a\r]" },
	{ "\xef\xbb\xbf" SHA256 "  a\n", "1 sha256 [a]" },
	{ "\xef\xbb\xbf", "" },
	{ "\xef\xbb", "1 bad" },
	{ "\n\xef\xbb\xbf" SHA256 "  a\n", "2 bad" },
	{ SHA256 "\ta\n", "1 sha256 [a]" },
	{ SHA256 "\t a\n", "1 sha256 [a]" },
	/* escapes; K33 */
	{ "\\" SHA256 "  a\\nb", "1 sha256 [a\nb]" },
	{ "\\" SHA256 " *\\\\a\\r\\n\\\\n", "1 sha256 [\\a\r\n\\n]" },
	{ "\\" SHA256 "  a\\", "1 bad" },
	{ "\\" SHA256 "  a\\t", "1 bad" },
	{ "\\" SHA256 "  a\\\\\\", "1 bad" },
	{ "\\\\" SHA256 "  a", "1 bad" },
	{ "\\" SHA256, "1 bad" },
	{ "\\", "1 bad" },
	/* `md5 -r` */
	{ MD5 " a\n" MD5 " b\n", "1 md5 [a]|2 md5 [b]" },
	{ MD5 " a\n" MD5 "  b\n" MD5 " *c", "1 md5 [a]|2 md5 [ b]|3 md5 [*c]" },
	{ MD5 "  a\n" MD5 " b\n", "1 md5 [a]|2 bad" },
	{ MD5 " a\n" MD5 " ?b\n", "1 md5 [a]|2 md5 [?b]" },
	{ MD5 "  ", "1 md5 [ ]" },
	{ MD5 " *", "1 md5 [*]" },
	{ MD5 " ^a", "1 md5 [^a]" },
	/* no name; K25 */
	{ SHA256, "1 sha256" },
	{ SHA256 "\n", "1 sha256" },
	{ SHA256 " \r\n" SHA1 "\t\n", "1 sha256|2 sha1" },
	/* with the type */
	{ "SHA256 (a) = " SHA256 "\n", "1 sha256 [a]" },
	{ "MD5 (a) = " MD5 "\nSHA1 (a) = " SHA1 "\nSHA384 (a) = " SHA384 "\nSHA512 (a) = " SHA512,
	  "1 md5 [a]|2 sha1 [a]|3 sha384 [a]|4 sha512 [a]" },
	{ "SHA256(a)= " SHA256 "\r\n", "1 sha256 [a]" },
	{ "SHA256 (a)\t=" SHA256, "1 sha256 [a]" },
	{ " sha256 (a) = " SHA256, "1 sha256 [a]" },
	{ "SHA256 (a (1).tar) = " SHA256, "1 sha256 [a (1).tar]" },
	{ "SHA256 ()) = " SHA256, "1 sha256 [)]" },
	{ "SHA256 () = " SHA256, "1 sha256 []" },
	{ "SHA256 (a) = b) = " SHA256, "1 sha256 [a) = b]" },
	{ "\\SHA256 (a\\nb\\\\) = " SHA256, "1 sha256 [a\nb\\]" },
	{ "SHA256 (a\\nb) = " SHA256, "1 sha256 [a\\nb]" },
	{ "\\SHA256 (a\\) = " SHA256, "1 bad" },
	{ "\\SHA256 (a\\q) = " SHA256, "1 bad" },
	{ "SHA256  (a) = " SHA256, "1 bad" },
	{ "SHA256 a = " SHA256, "1 bad" },
	{ "SHA256 (a = " SHA256, "1 bad" },
	{ "SHA256 (a) " SHA256, "1 bad" },
	{ "SHA256 (a) =", "1 bad" },
	{ "SHA256 (a)", "1 bad" },
	{ "SHA256 (", "1 bad" },
	{ "SHA256 ", "1 bad" },
	{ "SHA256", "1 bad" },
	{ "SHA256 (a) = " SHA256 " ", "1 bad" },
	{ "SHA256 (a) = " SHA1, "1 bad" },
	{ "SHA1 (a) = " SHA256, "1 bad" },
	{ "SHA2 (a) = " SHA256, "1 bad" },
	{ "SHA512/256 (a) = " SHA256, "1 bad" },
	{ "BLAKE2b (a) = " SHA512, "1 bad" },
	/* no sums at all; a bad line does not spoil the next one */
	{ "0" SHA256 "  a", "1 bad" },
	{ SHA256 "0  a", "1 bad" },
	{ "g6a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18  a", "1 bad" },
	{ "<html>\n<p>404\n" SHA256 "  a", "1 bad|2 bad|3 sha256 [a]" },
	{ "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" SHA256 "  a\n-----BEGIN",
	  "1 bad|2 bad|4 sha256 [a]|5 bad" },
	{ "sha256:" SHA256 "  a", "1 bad" },
	{ " ", "1 bad" },
	{ "\t\t\n", "1 bad" },
};

START_TEST(lines_of_sums_files)
{
	char got[1000];

	describe_lines(lines[_i].text, strlen(lines[_i].text), got, sizeof(got));
	ck_assert_str_eq(got, lines[_i].expected);
}
END_TEST

/* A NUL byte never ends a name early: then a shorter name would have been checked. */
START_TEST(nul_bytes)
{
	static const char in_name[] = SHA256 "  a\0b\n" SHA256 "  c\n";
	static const char in_tag[] = "SHA256 (a\0b) = " SHA256;
	static const char alone[] = "\0\n\0";
	char got[200];

	describe_lines(in_name, sizeof(in_name) - 1, got, sizeof(got));
	ck_assert_str_eq(got, "1 bad|2 sha256 [c]");
	describe_lines(in_tag, sizeof(in_tag) - 1, got, sizeof(got));
	ck_assert_str_eq(got, "1 bad");
	describe_lines(alone, sizeof(alone) - 1, got, sizeof(got));
	ck_assert_str_eq(got, "1 bad|2 bad");
}
END_TEST

START_TEST(lengths_of_names)
{
	char got[SUMS_NAME_BYTES + 100];
	size_t n;
	char *line = long_line(SUMS_NAME_BYTES - 1, &n);

	describe_lines(line, n, got, sizeof(got));
	ck_assert_uint_eq(strlen(got), strlen("1 sha256 []") + SUMS_NAME_BYTES - 1);
	free(line);
	line = long_line(SUMS_NAME_BYTES, &n);
	describe_lines(line, n, got, sizeof(got));
	ck_assert_str_eq(got, "1 bad");
	free(line);
}
END_TEST

/* K35 */
START_TEST(size_of_sums_files)
{
	char *zeros = calloc(1, SUMS_BYTES_MAX + 1);
	struct sums_match match;
	struct error err;
	struct sums sums;

	ck_assert_ptr_nonnull(zeros);
	memset(zeros, '\n', SUMS_BYTES_MAX);
	ck_assert_int_eq(sums_begin(&sums, zeros, SUMS_BYTES_MAX, &err), 0);
	ck_assert_int_eq(sums_next(&sums), SUMS_END);
	ck_assert_int_eq(sums_begin(&sums, zeros, SUMS_BYTES_MAX + 1, &err), -1);
	ck_assert_str_eq(err.text, "read checksums (at most 1 MiB of them): File too large");
	ck_assert_int_eq(sums_find(zeros, SUMS_BYTES_MAX + 1, "a", NULL, &match, &err), -1);
	ck_assert_str_eq(err.text, "read checksums (at most 1 MiB of them): File too large");
	free(zeros);
}
END_TEST

/* Reads everything that the bytes hold; only the sanitizers judge, and that it ends. */
static void read_all(const char *bytes, size_t n)
{
	struct sums_match match;
	struct error err;
	struct sums sums;
	size_t lines_n = 0;

	ck_assert_int_eq(sums_begin(&sums, bytes, n, &err), 0);
	for (enum sums_line line; (line = sums_next(&sums)) != SUMS_END; lines_n++)
		ck_assert_uint_lt(strlen(line == SUMS_NAMED ? sums.name : ""), SUMS_NAME_BYTES);
	ck_assert_uint_le(lines_n, n);
	if (sums_find(bytes, n, "a", "b/a", &match, &err) == 0)
		ck_assert_ptr_nonnull(match.checksum.type);
}

/* The bytes of a good file, each replaced now and then by one that means something. */
START_TEST(changed_bytes)
{
	static const char good[] =
		"\xef\xbb\xbf# c\n" MD5 "  a\n\\" MD5 " *b\\n/a\r\nMD5 (a) = " MD5
		"\n\\SHA1 (b/a\\\\) = " SHA1 "\n" MD5 " x\n" MD5 "\n";
	static const char bytes[] = "\0\n\r\t \\()=*?#/.n0aM\xff";
	unsigned int random = 1;

	for (int round = 0; round < 20000; round++) {
		size_t n = sizeof(good) - 1 - (size_t)(round % 40);
		char *copy = exact_copy(good, n);

		for (int i = round % 5; i >= 0; i--) {
			random = random * 1103515245 + 12345;
			copy[(random >> 8) % n] = bytes[(random >> 20) % (sizeof(bytes) - 1)];
		}
		read_all(copy, n);
		free(copy);
	}
}
END_TEST

/* Each beginning of a good file: a connection that was cut. */
START_TEST(cut_files)
{
	static const char good[] =
		"\xef\xbb\xbf" MD5 "  a\n\\" MD5 " *b\\n/a\r\n\\SHA1 (b/a\\\\) = " SHA1;

	for (size_t n = 0; n < sizeof(good); n++) {
		char *copy = exact_copy(good, n);

		read_all(copy, n);
		free(copy);
	}
}
END_TEST

Suite *sums_suite(void)
{
	Suite *suite = suite_create("sums");
	TCase *reading = tcase_create("lines"), *hostile = tcase_create("hostile");

	tcase_add_loop_test(reading, lines_of_sums_files, 0, ROWS(lines));
	tcase_add_test(reading, nul_bytes);
	tcase_add_test(reading, lengths_of_names);
	tcase_add_test(reading, size_of_sums_files);
	suite_add_tcase(suite, reading);
	tcase_add_test(hostile, changed_bytes);
	tcase_add_test(hostile, cut_files);
	suite_add_tcase(suite, hostile);
	return suite;
}
