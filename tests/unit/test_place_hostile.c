/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody else may have put into a destination, and what a child that an archive took over
 * could do. Needs a temporary directory; root alone can give files away.
 */
#include <check.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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

/* The child's rules hold in the launcher too, for what the child was made to do. */
static const struct {
	const char *path, *target, *message;
} made[] = {
	{ "d/link", "..", NULL },
	{ "d/link", "/etc/shadow", "d/link: what it links to is absolute" },
	{ "link", "../secret", "link: it links to outside of the archive" },
	{ "d/e/link", "../../../secret", "d/e/link: it links to outside of the archive" },
	{ "d/fifo", NULL, "d/fifo: it is a fifo" },
	{ "d/a\nb", "x", "d/a?b: it has a control character in it, or is not UTF-8" },
};

START_TEST(what_the_child_made_is_judged_again)
{
	FIXTURE fixture = fixture_make();
	struct staging staging = STAGING_INIT;
	struct error err;
	int bad;

	ck_assert_int_eq(staging_make(fixture.to, &staging, &err), 0);
	ck_assert_int_eq(mkdirat(staging.fd, "d", 0755), 0);
	ck_assert_int_eq(mkdirat(staging.fd, "d/e", 0755), 0);
	if (made[_i].target)
		ck_assert_int_eq(symlinkat(made[_i].target, staging.fd, made[_i].path), 0);
	else
		ck_assert_int_eq(mkfifoat(staging.fd, made[_i].path, 0600), 0);
	if (_i % 2) /* with a directory to fill, and without */
		ck_assert_int_eq(mkdirat(fixture.to, "d", 0755), 0);
	bad = merge(&staging, fixture.to, false, &err);
	staging_remove(&staging);
	ck_assert_int_eq(bad, made[_i].message ? -1 : 0);
	ck_assert_int_eq(is_there(fixture.to, made[_i].path), !bad);
	if (bad)
		ck_assert_str_eq(err.text, made[_i].message);
}
END_TEST

START_TEST(what_is_no_file_is_not_published)
{
	FIXTURE fixture = fixture_make();
	AUTO_FD fd = -1;
	struct finished file;
	struct error err;

	ck_assert_int_eq(symlinkat("/etc/shadow", fixture.tree.fd, "file"), 0);
	fd = openat(fixture.tree.fd, "file", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	file = (struct finished){ .fd = fd, .directory_fd = fixture.tree.fd, .temporary = "file" };
	ck_assert_int_eq(publish(&file, fixture.to, "x", false, -1, &err), -1);
	ck_assert_str_eq(err.text, "what is to be placed is no file");
	ck_assert(!is_there(fixture.to, "x"));
}
END_TEST

/* What the child must be able to do, or not. The first thing that is otherwise, or 0. */
static int try_calls(pid_t launcher)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	int fd = openat(CHILD_STAGING, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const bool as_wanted[] = {
		fd >= 0,
		fchmod(fd, 0640) == 0,
		futimens(fd, now) == 0,
		utimensat(CHILD_STAGING, "new", now, AT_SYMLINK_NOFOLLOW) == 0,
		linkat(CHILD_STAGING, "new", CHILD_STAGING, "other", 0) == 0,
		fcntl(CHILD_STAGING, F_DUPFD_CLOEXEC, 0) >= 0,
		fchmod(CHILD_ARCHIVE, 0600) && errno == EPERM,
		fchown(CHILD_ARCHIVE, (uid_t)-1, (gid_t)-1) && errno == EPERM,
		fchownat(CHILD_ARCHIVE, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH) && errno == EPERM,
		futimens(CHILD_ARCHIVE, now) && errno == EPERM,
		utimensat(CHILD_ARCHIVE, "", now, AT_EMPTY_PATH) && errno == EPERM,
		linkat(CHILD_ARCHIVE, "", CHILD_STAGING, "x", AT_EMPTY_PATH) && errno == EPERM,
		fcntl(CHILD_ARCHIVE, F_DUPFD_CLOEXEC, 0) < 0 && errno == EPERM,
		fcntl(CHILD_REPORT, F_SETOWN, launcher) && errno == EPERM,
		fcntl(CHILD_REPORT, F_SETFL, O_ASYNC) && errno == EPERM,
		fcntl(CHILD_REPORT, F_SETSIG, SIGTERM) && errno == EPERM,
		kill(launcher, 0) && errno == EPERM,
		tgkill(launcher, launcher, 0) && errno == EPERM,
	};

	for (size_t i = 0; i < sizeof(as_wanted); i++)
		if (!as_wanted[i])
			return (int)i + 1;
	return 0;
}

#define UNFILTERED 100

/* The status of a child that is confined, with a file of a cache for its archive. */
static int status_of_child(const struct fixture *fixture, void (*act)(void))
{
	AUTO_FD archive = -1;
	pid_t launcher = getpid(), pid;
	struct error err;
	int status, ends[2];

	tree_write(&fixture->tree, "cached", "cached");
	archive = openat(fixture->tree.fd, "cached", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		if (confine(archive, fixture->to, ends[1], false, &err))
			_exit(UNFILTERED - 1);
		/* Only the filter denies this. */
		if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
			_exit(UNFILTERED);
		if (act)
			act();
		_exit(try_calls(launcher));
	}
	close(ends[0]);
	close(ends[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* A kernel without filters has the other fences only. */
START_TEST(what_the_child_can_do)
{
	FIXTURE fixture = fixture_make();
	int status = status_of_child(&fixture, NULL);

	ck_assert(WIFEXITED(status));
	ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == UNFILTERED, "call %d",
		      WEXITSTATUS(status));
}
END_TEST

START_TEST(a_child_that_aborts_ends)
{
	FIXTURE fixture = fixture_make();
	int status = status_of_child(&fixture, abort);

	ck_assert_int_ne(status, 0); /* by a signal, or what a sanitizer makes of it */
}
END_TEST

Suite *place_hostile_suite(void)
{
	Suite *suite = suite_create("place-hostile");
	TCase *others = tcase_create("others"), *child = tcase_create("child");

	tcase_add_test(others, what_others_gave_our_name_stays);
	tcase_add_test(others, what_took_the_name_of_ours_stays);
	tcase_add_loop_test(child, what_the_child_made_is_judged_again, 0,
			    (int)(sizeof(made) / sizeof(made[0])));
	tcase_add_test(child, what_the_child_can_do);
	tcase_add_test(child, a_child_that_aborts_ends);
	tcase_add_test(child, what_is_no_file_is_not_published);
	suite_add_tcase(suite, others);
	suite_add_tcase(suite, child);
	return suite;
}
