/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody else may have put into a destination, and what a child that an archive took over
 * could do. Needs a temporary directory; root alone can give files away.
 */
#include <check.h>

#include "base/auto.h"
#include "place/publish.h"
#include "place/unpack.h"
#include "suites.h"
#include "written_tree.h"

/* A tree with the directory to, which is opened. */
struct fixture {
	struct written_tree tree;
	int to;
};

static void fixture_release(struct fixture *fixture)
{
	auto_close(&fixture->to);
	tree_release(&fixture->tree);
}

#define FIXTURE __attribute__((cleanup(fixture_release))) struct fixture

static struct fixture fixture_make(void)
{
	struct fixture fixture = { .tree = tree_make() };

	ck_assert_int_eq(mkdirat(fixture.tree.fd, "to", 0755), 0);
	fixture.to = openat(fixture.tree.fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fixture.to, 0);
	return fixture;
}

static bool is_there(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void set_mode(const struct fixture *fixture, const char *name, mode_t mode)
{
	ck_assert_int_eq(fchmodat(fixture->to, name, mode, 0), 0);
}

START_TEST(what_others_gave_our_name_stays)
{
	FIXTURE fixture = fixture_make();

	tree_write(&fixture.tree, "to/.nomad-exec-place-open/file", "a directory of mode 0755");
	tree_write(&fixture.tree, "to/.nomad-exec-place-write", "others may write to it");
	tree_write(&fixture.tree, "to/.nomad-exec-place-theirs", "");
	tree_write(&fixture.tree, "to/.nomad-exec-place-private/file", "");
	set_mode(&fixture, ".nomad-exec-place-write", 0666);
	set_mode(&fixture, ".nomad-exec-place-private", 0700);
	if (geteuid() == 0) {
		ck_assert_int_eq(fchownat(fixture.to, ".nomad-exec-place-theirs", 1, 1, 0), 0);
		ck_assert_int_eq(fchownat(fixture.to, ".nomad-exec-place-private", 1, 1, 0), 0);
	}
	place_clean(fixture.to);
	ck_assert(is_there(fixture.to, ".nomad-exec-place-open/file"));
	ck_assert(is_there(fixture.to, ".nomad-exec-place-write"));
	ck_assert_int_eq(is_there(fixture.to, ".nomad-exec-place-theirs"), geteuid() == 0);
	ck_assert_int_eq(is_there(fixture.to, ".nomad-exec-place-private/file"), geteuid() == 0);
}
END_TEST

/* The staging directory was moved away, and its name means another directory. */
START_TEST(what_took_the_name_of_ours_stays)
{
	FIXTURE fixture = fixture_make();
	struct staging staging = STAGING_INIT;
	struct error err;

	ck_assert_int_eq(staging_make(fixture.to, &staging, &err), 0);
	ck_assert_int_eq(mkdirat(staging.fd, "ours", 0700), 0);
	ck_assert_int_eq(renameat(fixture.to, staging.name, fixture.to, "moved"), 0);
	tree_write(&fixture.tree, "to/victim/file", "");
	ck_assert_int_eq(renameat(fixture.to, "victim", fixture.to, staging.name), 0);
	staging_remove(&staging);
	ck_assert(!is_there(fixture.to, "moved/ours"));
	ck_assert_int_eq(renameat(fixture.to, staging.name, fixture.to, "victim"), 0);
	ck_assert(is_there(fixture.to, "victim/file"));
}
END_TEST

Suite *place_hostile_suite(void)
{
	Suite *suite = suite_create("place-hostile");
	TCase *others = tcase_create("others");

	tcase_add_test(others, what_others_gave_our_name_stays);
	tcase_add_test(others, what_took_the_name_of_ours_stays);
	suite_add_tcase(suite, others);
	return suite;
}
