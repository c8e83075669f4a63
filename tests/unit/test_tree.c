/* SPDX-License-Identifier: Apache-2.0 */
/* Trees that somebody hostile filled: how they are opened, and that they can always be removed. */
#include "base/tree.h"

#include <check.h>
#include <sys/resource.h>

#include "base/auto.h"
#include "suites.h"
#include "written_tree.h"

#define DEPTH 3000

/* Directories inside each other, far beyond the longest path and the descriptors of a process. */
static void dig(int fd, const char *name, int depth)
{
	AUTO_FD at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		int next;

		ck_assert_int_eq(mkdirat(at, name, 0700), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		drop_fd(&at);
		at = next;
	}
}

START_TEST(a_deep_tree_is_removed)
{
	WRITTEN_TREE tree = tree_make();
	AUTO_FD fd = -1;

	tree_write(&tree, "doomed/.lifted-0/full", "the walk's own name is taken");
	tree_write(&tree, "doomed/.lifted-1", "and this one");
	fd = tree_open(tree.fd, "doomed");
	dig(fd, "d", DEPTH);
	ck_assert_int_eq(tree_remove(tree.fd, "doomed"), 0);
	ck_assert_int_eq(faccessat(tree.fd, "doomed", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}
END_TEST

/* One for the top and one for what is below it: more are never needed. */
START_TEST(two_descriptors_are_enough)
{
	WRITTEN_TREE tree = tree_make();
	struct rlimit old, limit;
	int next, bad;

	tree_write(&tree, "doomed/a/b/c/d/file", "");
	tree_write(&tree, "doomed/a/b/e/file", "");
	tree_write(&tree, "doomed/f/g/file", "");
	next = dup(tree.fd);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = (struct rlimit){ (rlim_t)next + 2, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	bad = tree_remove(tree.fd, "doomed");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(bad, 0);
	ck_assert_int_eq(faccessat(tree.fd, "doomed", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}
END_TEST

START_TEST(links_are_not_followed)
{
	WRITTEN_TREE tree = tree_make();

	tree_write(&tree, "kept/file", "kept");
	tree_write(&tree, "doomed/file", "");
	ck_assert_int_eq(symlinkat("../kept", tree.fd, "doomed/link"), 0);
	ck_assert_int_eq(symlinkat("kept", tree.fd, "link"), 0);
	ck_assert_int_eq(tree_open(tree.fd, "link"), -1);
	ck_assert(errno == ELOOP || errno == ENOTDIR);
	ck_assert_int_eq(tree_remove(tree.fd, "link"), -1);
	ck_assert_int_eq(tree_remove(tree.fd, "doomed"), 0);
	ck_assert_int_eq(faccessat(tree.fd, "kept/file", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(tree.fd, "link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}
END_TEST

START_TEST(only_what_lies_below_is_opened)
{
	WRITTEN_TREE tree = tree_make();
	AUTO_FD fd = -1;

	tree_write(&tree, "a/file", "");
	fd = tree_open(tree.fd, "a");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(tree_open(fd, "file"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(tree_open(fd, "none"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(tree_remove(fd, "none"), -1);
}
END_TEST

Suite *tree_suite(void)
{
	Suite *suite = suite_create("tree");
	TCase *trees = tcase_create("trees");

	tcase_add_test(trees, a_deep_tree_is_removed);
	tcase_add_test(trees, two_descriptors_are_enough);
	tcase_add_test(trees, links_are_not_followed);
	tcase_add_test(trees, only_what_lies_below_is_opened);
	suite_add_tcase(suite, trees);
	return suite;
}
