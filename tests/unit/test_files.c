/* SPDX-License-Identifier: Apache-2.0 */
/* Argument and environment files: what is one entry, what is refused, and the bound on their size.
 */
#include "base/auto.h"
#include "spec/spec.h"
#include "suites.h"
#include "written_tree.h"

#define MAX_BYTES ((size_t)2 << 20)

typedef int reader(const char *path, int signal_fd, struct strings *list, struct pool *pool,
		   struct error *err);

/* Writes the bytes to a file that both readers may be given. */
static const char *write_file(const struct written_tree *tree, struct pool *pool, const char *bytes,
			      size_t length)
{
	AUTO_FD fd = openat(tree->fd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	return pool_printf(pool, "%s/file", tree->path);
}

/* Reads the bytes and compares all entries, each in angle brackets. */
static void expect(reader *read_file, const char *bytes, size_t length, const char *expected)
{
	WRITTEN_TREE tree = tree_make();
	AUTO_POOL pool = POOL_INIT((size_t)1 << 24);
	const char *path = write_file(&tree, &pool, bytes, length);
	struct strings list = { 0 };
	struct error err = { 0 };
	char text[400] = "";

	ck_assert_msg(read_file(path, -1, &list, &pool, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < list.n; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "<%s>", list.v[i]);
	}
	ck_assert_str_eq(text, expected);
}

/* The whole message is `before`, the path, `after`. */
static void expect_error(reader *read_file, const char *bytes, size_t length, const char *before,
			 const char *after)
{
	WRITTEN_TREE tree = tree_make();
	AUTO_POOL pool = POOL_INIT((size_t)1 << 24);
	const char *path = write_file(&tree, &pool, bytes, length);
	struct strings list = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(read_file(path, -1, &list, &pool, &err), -1);
	ck_assert_str_eq(err.text, pool_printf(&pool, "%s%s%s", before, path, after));
}

#define BYTES(literal) literal, sizeof(literal) - 1

START_TEST(arguments)
{
	expect(read_args_file, BYTES(""), "");
	expect(read_args_file, BYTES("one"), "<one>");
	expect(read_args_file, BYTES("one\0two words\0"), "<one><two words>");
	expect(read_args_file, BYTES("\0\0-x\0--\0#\0new\nline\0last"),
	       "<><><-x><--><#><new\nline><last>");
}
END_TEST

START_TEST(environment)
{
	expect(read_env_file, BYTES(""), "");
	expect(read_env_file, BYTES("\n\n"), "");
	expect(read_env_file, BYTES("A=1"), "<A=1>");
	expect(read_env_file, BYTES("# note\nA=1\n\nHOME\nB=two words\n"),
	       "<A=1><HOME><B=two words>");
	/* no shell: quotes, spaces and carriage returns are part of the text */
	expect(read_env_file, BYTES(" A = \"x\" # y\nB='z'\r\nC=a=b\n"),
	       "< A = \"x\" # y><B='z'\r><C=a=b>");
	expect_error(read_env_file, BYTES("A=1\n\n=x\n"), "",
		     ", line 3: no name before \"=\"; expected KEY=VALUE");
	expect_error(read_env_file, BYTES("A=1\0B=2\n"), "", ": holds a NUL byte");
}
END_TEST

START_TEST(bounds)
{
	AUTO_POOL pool = POOL_INIT(MAX_BYTES + 10000);
	WRITTEN_TREE tree = tree_make();
	AUTO_POOL own = POOL_INIT((size_t)1 << 24);
	char *bytes = pool_alloc(&pool, MAX_BYTES + 1);
	struct strings list = { 0 };
	struct error err = { 0 };

	memset(bytes, 'x', MAX_BYTES + 1);
	expect_error(read_args_file, bytes, MAX_BYTES + 1, "read ",
		     " (at most 2 MiB): File too large");
	expect_error(read_env_file, bytes, MAX_BYTES + 1, "read ",
		     " (at most 2 MiB): File too large");
	ck_assert_int_eq(
		read_args_file(write_file(&tree, &own, bytes, MAX_BYTES), -1, &list, &own, &err),
		0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_uint_eq(strlen(list.v[0]), MAX_BYTES);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	AUTO_POOL pool = POOL_INIT((size_t)1 << 24);
	struct strings list = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(read_args_file("/nowhere/file", -1, &list, &pool, &err), -1);
	ck_assert_str_eq(err.text, "read /nowhere/file: No such file or directory");
	ck_assert_int_eq(read_env_file("/proc", -1, &list, &pool, &err), -1);
	ck_assert_str_eq(err.text, "read /proc: Is a directory");
}
END_TEST

Suite *files_suite(void)
{
	Suite *suite = suite_create("files");
	TCase *entries = tcase_create("entries"), *refused = tcase_create("refused");

	tcase_add_test(entries, arguments);
	tcase_add_test(entries, environment);
	tcase_add_test(refused, bounds);
	tcase_add_test(refused, files_that_cannot_be_read);
	suite_add_tcase(suite, entries);
	suite_add_tcase(suite, refused);
	return suite;
}
