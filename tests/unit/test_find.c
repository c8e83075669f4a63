/* SPDX-License-Identifier: Apache-2.0 */
/* Which line of a sums file is taken for a file, and which types of checksums are refused. Pure. */
#include "suites.h"
#include "sums_tests.h"

/* "TYPE [LISTED NAME]", with a + behind it when only the base name is the same; or the error. */
static void describe_match(const char *text, const char *name, const char *path, char *out,
			   size_t size)
{
	size_t n = strlen(text);
	char *copy = exact_copy(text, n), type[20];
	struct sums_match match;
	struct error err;

	if (sums_find(copy, n, name, path, &match, &err)) {
		ck_assert_int_eq(err.stage, STAGE_VERIFY);
		ck_assert_int_eq(err.kind, ERROR_FAILED);
		ck_assert_ptr_null(match.checksum.type);
		snprintf(out, size, "%s", err.text);
	} else {
		describe_checksum(&match.checksum, type, sizeof(type));
		snprintf(out, size, "%s [%.900s]%s", type, match.name,
			 match.by_base_name ? "+" : "");
	}
	free(copy);
}

#define DIFFERENT(name) "there are different checksums for " name "; name one with --checksum"
#define INSTALLERS                                                                                 \
	ZERO64 "  ./hwe-netboot/mini.iso\n" SHA256 "  ./netboot/mini.iso\n" ZERO64                 \
	       "  ./cdrom/vmlinuz\n"

static const struct {
	const char *text, *name, *path, *expected;
} finds[] = {
	{ SHA256 "  tool\n", "tool", NULL, "sha256 [tool]" },
	{ SHA256 " *tool\n", "tool", "tool", "sha256 [tool]" },
	{ "SHA256 (tool) = " SHA256, "tool", NULL, "sha256 [tool]" },
	{ "\\" SHA256 "  a\\nb", "a\nb", NULL, "sha256 [a\nb]" },
	{ SHA256 "  ./tool\n", "tool", NULL, "sha256 [./tool]" },
	{ SHA256 "  .//./tool\n", "tool", NULL, "sha256 [.//./tool]" },
	/* K25 */
	{ SHA256, "tool", NULL, "sha256 []" },
	{ "# of tool\n" SHA256 "\n", "tool", "a/tool", "sha256 []" },
	{ SHA256 "\n" SHA256 "\n", "tool", NULL,
	  "there are 2 checksums without a name, so none is known to be for tool" },
	{ SHA256 "\n" MD5 "\n", "tool", NULL,
	  "there are 2 checksums without a name, so none is known to be for tool" },
	/* a line with a name is never without one, nor is it made so by one without */
	{ SHA256 "  other\n", "tool", NULL, "no checksum for tool; there are some for other" },
	{ SHA256 "\n" ZERO64 "  other\n", "tool", NULL,
	  "no checksum for tool; there are some for other" },
	{ ZERO64 "\n" SHA256 "  tool\n", "tool", NULL, "sha256 [tool]" },
	/* K26, K27 */
	{ SHA1 "  tool\n" ZERO40 "  other\n", "tool", NULL, "sha1 [tool]" },
	{ ZERO40 "  other\n" SHA1 "  tool\n", "tool", NULL, "sha1 [tool]" },
	{ ZERO40 "  a\n" ZERO40 "  b\n" ZERO40 "  c\n" ZERO40 "  d\n" ZERO40 "  e\n", "tool",
	  "x/tool", "no checksum for x/tool; there are some for a, b, c, d, e" },
	{ "x\n" ZERO40 "  a\n" ZERO40 "  b\n" ZERO40 "  c\n" ZERO40 "  d\n" ZERO40 "  e\n" ZERO40
	  "  \033f\n" ZERO40 "  g\n",
	  "tool", NULL, "no checksum for tool; there are some for a, b, c, d, e and 2 more" },
	{ ZERO40 "  \033[2J\n", "tool", NULL, "no checksum for tool; there are some for ?[2J" },
	{ "", "tool", NULL, "there is no checksum in it" },
	{ "<html>\n", "tool", NULL, "there is no checksum in it" },
	/* K29 */
	{ INSTALLERS, "mini.iso", "netboot/mini.iso", "sha256 [./netboot/mini.iso]" },
	{ INSTALLERS, "mini.iso", "./netboot/mini.iso", "sha256 [./netboot/mini.iso]" },
	{ INSTALLERS, "mini.iso", "hwe-netboot/mini.iso", "sha256! [./hwe-netboot/mini.iso]" },
	{ INSTALLERS, "mini.iso", NULL, DIFFERENT("mini.iso") },
	{ INSTALLERS, "mini.iso", "x/mini.iso", DIFFERENT("x/mini.iso") },
	{ ZERO64 "  a/tool\n" SHA256 "  tool\n" ZERO64 "  b/tool\n", "tool", NULL,
	  "sha256 [tool]" },
	{ ZERO64 "  tool\n" SHA256 "  a/tool\n", "tool", "a/tool", "sha256 [a/tool]" },
	/* K30 */
	{ SHA256 "  _dist/tool\n" ZERO64 "  _dist/tools\n", "tool", NULL, "sha256 [_dist/tool]+" },
	{ SHA256 "  _dist/tool\n", "tool", "b/tool", "sha256 [_dist/tool]+" },
	{ SHA256 "  a/tool\n" SHA256 "  b/tool\n", "tool", NULL, "sha256 [a/tool]+" },
	{ SHA256 "  a/tool\n" SHA512 "  b/tool\n", "tool", NULL, DIFFERENT("tool") },
	{ SHA256 "  tool/\n", "", "tool/", "sha256 [tool/]" },
	{ SHA256 "  a/\n", "", NULL, "no checksum for ; there are some for a/" },
	/* K34 */
	{ "SHA512 (tool) = " SHA512 "\nSHA256 (tool) = " SHA256 "\n", "tool", NULL,
	  "sha512 [tool]" },
	{ MD5 "  tool\n" SHA256 "  tool\n" SHA1 "  ./tool\n", "tool", NULL, "sha256 [tool]" },
	{ SHA256 "  a/tool\n" SHA512 "  a/tool\n", "tool", NULL, "sha512 [a/tool]+" },
	/* two values */
	{ SHA256 "  tool\n" SHA256 "  tool\n", "tool", NULL, "sha256 [tool]" },
	{ SHA256 "  tool\n" ZERO64 "  tool\n", "tool", NULL, DIFFERENT("tool") },
	{ ZERO32 "  tool\n" MD5 "  tool\n" SHA256 "  tool\n", "tool", NULL, DIFFERENT("tool") },
	{ SHA256 "  tool\nSHA256 (./tool) = " ZERO64 "\n", "tool", "tool", DIFFERENT("tool") },
	{ SHA256 "  a/tool\n" ZERO64 "  a/tool\n" SHA256 "  tool\n", "tool", NULL,
	  "sha256 [tool]" },
};

START_TEST(which_line_is_meant)
{
	char got[1000];

	describe_match(finds[_i].text, finds[_i].name, finds[_i].path, got, sizeof(got));
	ck_assert_str_eq(got, finds[_i].expected);
}
END_TEST

/* What is listed cannot fill an error so that its beginning is lost, nor our memory. */
START_TEST(error_stays_short)
{
	size_t n;
	char *line = long_line(5000, &n), wanted[3000] = "", got[1100];
	char *text = malloc(2 * n + 2);

	ck_assert_ptr_nonnull(text);
	snprintf(text, 2 * n + 2, "%.*s\n%.*s", (int)n, line, (int)n, line);
	memset(wanted, 'w', sizeof(wanted) - 1);
	describe_match(text, wanted, NULL, got, sizeof(got));
	ck_assert_msg(strncmp(got, "no checksum for wwww", 20) == 0, "%s", got);
	ck_assert_uint_eq(strlen(got),
			  strlen("no checksum for ; there are some for , ") + 200 + 2 * 60);
	free(text);
	free(line);
}
END_TEST

static const struct {
	const char *type, *min_type;
	bool good;
} strengths[] = {
	{ "md5", "md5", true },       { "md5", "sha1", false },      { "sha1", "md5", true },
	{ "sha1", "sha256", false },  { "sha256", "sha256", true },  { "sha256", "sha384", false },
	{ "sha512", "sha384", true }, { "sha384", "sha512", false },
};

START_TEST(strengths_of_types)
{
	struct checksum checksum = { .type = strengths[_i].type };
	struct error err = { 0 };
	char expected[200];

	ck_assert_int_eq(checksum_require(&checksum, strengths[_i].min_type, &err),
			 strengths[_i].good ? 0 : -1);
	if (strengths[_i].good)
		return;
	snprintf(expected, sizeof(expected),
		 "checksum type %s is weaker than %s, the weakest that --min-hash allows",
		 strengths[_i].type, strengths[_i].min_type);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
}
END_TEST

Suite *find_suite(void)
{
	Suite *suite = suite_create("find");
	TCase *finding = tcase_create("find"), *types = tcase_create("types");

	tcase_add_loop_test(finding, which_line_is_meant, 0, ROWS(finds));
	tcase_add_test(finding, error_stays_short);
	suite_add_tcase(suite, finding);
	tcase_add_loop_test(types, strengths_of_types, 0, ROWS(strengths));
	suite_add_tcase(suite, types);
	return suite;
}
