/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How files get their names, and the limits of what is unpacked. Needs a temporary directory and
 * libarchive, no privilege. What single archives come to is in tests/run/56-unpack.sh.
 */
#include <check.h>
#include <dirent.h>

#include "base/auto.h"
#include "place/place.h"
#include "place/unpack.h"
#include "suites.h"
#include "written_tree.h"

#define POOL_MAX ((size_t)1 << 20)

/* A destination, and a file on its way there. */
struct fixture {
	struct written_tree tree;
	int to;
	struct pool pool;
	struct placing how;
	struct verified verified;
	struct placed placed;
	struct error err;
};

static void fixture_release(struct fixture *fixture)
{
	auto_close(&fixture->to);
	auto_close(&fixture->verified.fd);
	pool_release(&fixture->pool);
	tree_release(&fixture->tree);
}

#define FIXTURE __attribute__((cleanup(fixture_release))) struct fixture

static struct fixture fixture_make(void)
{
	struct fixture fixture = { .tree = tree_make(),
				   .pool = POOL_INIT(POOL_MAX),
				   .verified = VERIFIED_INIT };

	tree_write(&fixture.tree, "to/kept", "kept");
	fixture.to = openat(fixture.tree.fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fixture.to, 0);
	return fixture;
}

/* The file, without a name, as fetch hands it on. */
static void give(struct fixture *fixture, const char *name, const void *data, size_t size)
{
	AUTO_FD fd = openat(fixture->tree.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char self[40];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	fixture->verified.fd = open(self, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fixture->verified.fd, 0);
	fixture->verified.name = name;
	fixture->verified.bytes = size;
}

/* The file with a name in a directory. */
static void give_named(struct fixture *fixture, const char *path, int directory_fd,
		       const char *temporary)
{
	tree_write(&fixture->tree, path, "new");
	fixture->verified =
		(struct verified){ .fd = openat(directory_fd, temporary, O_RDONLY | O_CLOEXEC),
				   .directory_fd = directory_fd,
				   .temporary = temporary,
				   .name = "x",
				   .bytes = 3 };
	ck_assert_int_ge(fixture->verified.fd, 0);
}

static int try(struct fixture *fixture)
{
	return place(&fixture->how, fixture->to, &fixture->verified, -1, &fixture->pool,
		     &fixture->placed, &fixture->err);
}

/* The names in the destination but "kept", in one line; it has nothing of ours left. */
static const char *names_in(struct fixture *fixture)
{
	int again = openat(fixture->to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR dir = fdopendir(again);
	const char *all = "";
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "kept") != 0)
			all = pool_printf(&fixture->pool, "%s%s ", all, entry->d_name);
	return all;
}

static void assert_file(const struct fixture *fixture, const char *name, const char *content,
			mode_t mode)
{
	AUTO_FD fd = openat(fixture->to, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char got[100] = "";
	struct stat st;

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, content);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | mode);
	ck_assert_uint_eq(st.st_nlink, 1);
}

static void assert_placed(const struct fixture *fixture)
{
	ck_assert_str_eq(fixture->placed.name, "x");
	ck_assert_uint_eq(fixture->placed.files, 1);
	ck_assert_uint_eq(fixture->placed.bytes, 3);
	ck_assert_int_eq(fixture->verified.fd, -1);
	assert_file(fixture, "x", "new", 0644);
}

static void assert_refused(struct fixture *fixture, const char *message)
{
	ck_assert_int_eq(try(fixture), -1);
	ck_assert_str_eq(fixture->err.text, message);
	ck_assert_int_ge(fcntl(fixture->verified.fd, F_GETFD), 0); /* still the caller's */
}

START_TEST(a_file_is_replaced)
{
	FIXTURE fixture = fixture_make();
	AUTO_FD old = -1;
	char content[10] = "";

	tree_write(&fixture.tree, "to/x", "old");
	old = openat(fixture.to, "x", O_RDONLY | O_CLOEXEC);
	give(&fixture, "x", "new", 3);
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_int_eq(read(old, content, 9), 3);
	ck_assert_str_eq(content, "old"); /* not written to */
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

START_TEST(a_link_is_replaced_itself)
{
	FIXTURE fixture = fixture_make();

	ck_assert_int_eq(symlinkat("kept", fixture.to, "x"), 0);
	give(&fixture, "x", "new", 3);
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	assert_file(&fixture, "kept", "kept", 0644);
}
END_TEST

START_TEST(a_directory_is_not_replaced)
{
	FIXTURE fixture = fixture_make();

	ck_assert_int_eq(mkdirat(fixture.to, "x", 0755), 0);
	give(&fixture, "x", "new", 3);
	assert_refused(&fixture, "place x: give it its name: Is a directory; "
				 "choose another name, or remove the directory x");
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

START_TEST(nothing_is_replaced_with_no_clobber)
{
	FIXTURE fixture = fixture_make();

	fixture.how.no_clobber = true;
	tree_write(&fixture.tree, "to/x", "old");
	give(&fixture, "x", "new", 3);
	assert_refused(&fixture, "place x: give it its name: File exists; "
				 "x is there already, and is not to be replaced");
	assert_file(&fixture, "x", "old", 0644);
	ck_assert_int_eq(unlinkat(fixture.to, "x", 0), 0);
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

START_TEST(a_temporary_name_is_renamed)
{
	FIXTURE fixture = fixture_make();

	tree_write(&fixture.tree, "to/x", "old");
	give_named(&fixture, "to/.x.part", fixture.to, ".x.part");
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

START_TEST(a_temporary_name_elsewhere_is_gone)
{
	FIXTURE fixture = fixture_make();
	AUTO_FD from = -1;

	tree_write(&fixture.tree, "from/other", "");
	from = openat(fixture.tree.fd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	give_named(&fixture, "from/part", from, "part");
	fixture.how.no_clobber = true;
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_int_eq(faccessat(from, "part", F_OK, 0), -1);
}
END_TEST

/* Another name could be changed, by a mode for instance: only a copy may share nothing with it. */
START_TEST(a_file_with_other_names_is_copied)
{
	FIXTURE fixture = fixture_make();
	struct stat st;

	give_named(&fixture, "cached", fixture.tree.fd, "cached");
	ck_assert_int_eq(fchmodat(fixture.tree.fd, "cached", 0444, 0), 0);
	fixture.verified.temporary = NULL;
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_int_eq(fstatat(fixture.tree.fd, "cached", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0444);
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

/* A temporary name that means another file by now is not the one that was verified. */
START_TEST(a_temporary_name_that_was_swapped)
{
	FIXTURE fixture = fixture_make();

	give_named(&fixture, "to/part", fixture.to, "part");
	ck_assert_int_eq(renameat(fixture.to, "part", fixture.to, "away"), 0);
	tree_write(&fixture.tree, "to/part", "bad");
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
}
END_TEST

START_TEST(a_file_on_another_file_system_is_copied)
{
	FIXTURE fixture = fixture_make();
	AUTO_FD shm = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct stat here, there;
	char self[40];

	if (shm < 0 || fstat(shm, &there) || fstat(fixture.to, &here) ||
	    here.st_dev == there.st_dev)
		return; /* there is only one: the copy is tested above */
	tree_write(&fixture.tree, "to/x", "old");
	fd = openat(shm, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, "new", 3), 3);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	fixture.verified.fd = open(self, O_RDONLY | O_CLOEXEC);
	fixture.verified.name = "x";
	fixture.verified.bytes = 3;
	ck_assert_int_eq(try(&fixture), 0);
	assert_placed(&fixture);
	ck_assert_str_eq(names_in(&fixture), "x ");
}
END_TEST

START_TEST(permissions_and_names)
{
	FIXTURE fixture = fixture_make();

	fixture.how =
		(struct placing){ .set_permissions = true, .permissions = 07751, .name = "other" };
	give(&fixture, "x", "new", 3);
	ck_assert_int_eq(try(&fixture), 0);
	assert_file(&fixture, "other", "new", 0751);
	ck_assert_str_eq(fixture.placed.name, "other");
}
END_TEST

START_TEST(names_that_are_none)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/a", "a\nb", ".nomad-exec-x" };
	FIXTURE fixture = fixture_make();

	give(&fixture, "x", "new", 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture.how.name = bad[i];
		ck_assert_int_eq(try(&fixture), -1);
		ck_assert_int_eq(fixture.err.kind, ERROR_USAGE);
	}
	ck_assert_str_eq(names_in(&fixture), "");
	fixture.how = (struct placing){ .format = "rar" };
	assert_refused(&fixture, "place x: rar is no format that can be unpacked");
}
END_TEST

START_TEST(what_killed_runs_left)
{
	FIXTURE fixture = fixture_make();
	struct staging live = STAGING_INIT;
	struct error err;
	const char *names;

	ck_assert_int_eq(staging_make(fixture.to, &live, &err), 0);
	tree_write(&fixture.tree, "to/.nomad-exec-place-0/d/f", "dead");
	ck_assert_int_eq(fchmodat(fixture.to, ".nomad-exec-place-0", 0700, 0), 0);
	tree_write(&fixture.tree, "to/.nomad-exec-place-1", "dead");
	tree_write(&fixture.tree, "to/.nomad-exec-other", "not ours");
	ck_assert_int_eq(symlinkat("../to", fixture.to, ".nomad-exec-place-2"), 0);
	place_clean(fixture.to);
	ck_assert_int_eq(faccessat(fixture.to, live.name, F_OK, 0), 0);
	staging_remove(&live);
	names = names_in(&fixture);
	ck_assert(strstr(names, ".nomad-exec-other ") && strstr(names, ".nomad-exec-place-2 "));
	ck_assert_uint_eq(strlen(names), strlen(".nomad-exec-other .nomad-exec-place-2 "));
	assert_file(&fixture, "kept", "kept", 0644);
}
END_TEST

Suite *place_suite(void)
{
	Suite *suite = suite_create("place");
	TCase *files = tcase_create("files");

	tcase_add_test(files, a_file_is_replaced);
	tcase_add_test(files, a_link_is_replaced_itself);
	tcase_add_test(files, a_directory_is_not_replaced);
	tcase_add_test(files, nothing_is_replaced_with_no_clobber);
	tcase_add_test(files, a_temporary_name_is_renamed);
	tcase_add_test(files, a_temporary_name_elsewhere_is_gone);
	tcase_add_test(files, a_file_with_other_names_is_copied);
	tcase_add_test(files, a_temporary_name_that_was_swapped);
	tcase_add_test(files, a_file_on_another_file_system_is_copied);
	tcase_add_test(files, permissions_and_names);
	tcase_add_test(files, names_that_are_none);
	tcase_add_test(files, what_killed_runs_left);
	suite_add_tcase(suite, files);
	return suite;
}
