/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of what an archive may unpack to, and what a signal does. Needs a temporary directory
 * and libarchive, no privilege.
 */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/auto.h"
#include "place/unpack.h"
#include "suites.h"
#include "written_tree.h"

#define BLOCK 512
#define SIZE_MAX_BYTES (256 << 10)

/* A tar archive in the making; zeros, so that it ends by itself. */
struct tar {
	size_t size;
	char data[SIZE_MAX_BYTES];
};

static void add(struct tar *tar, const char *name, char type, size_t size)
{
	char *header = tar->data + tar->size;
	unsigned int sum = 0;

	ck_assert_uint_lt(tar->size + 4 * BLOCK + size, sizeof(tar->data));
	strncpy(header, name, 100);
	snprintf(header + 100, 8, "%07o", 0644U);
	snprintf(header + 124, 12, "%011zo", size);
	header[156] = type;
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	memset(header + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	memset(header + BLOCK, 'x', size);
	tar->size += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
}

static int unpack_tar(const struct tar *tar, const struct place_limits *limits, int interrupt_fd,
		      struct placed *placed, struct error *err)
{
	WRITTEN_TREE tree = tree_make();
	AUTO_POOL pool = POOL_INIT(1 << 20);
	const struct placing how = { .format = "tar" };
	struct verified verified = VERIFIED_INIT;
	AUTO_FD to = -1, fd = -1;
	int bad, left = 0;

	tree_write(&tree, "to/kept", "");
	to = openat(tree.fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(tree.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, tar->data, tar->size + 2 * (size_t)BLOCK),
			 (ssize_t)(tar->size + 2 * (size_t)BLOCK));
	verified.fd = take_fd(&fd);
	verified.name = "a";
	bad = place_within(limits, &how, to, &verified, interrupt_fd, &pool, placed, err);
	ck_assert_int_eq(verified.fd >= 0, bad != 0);
	auto_close(&verified.fd);
	if (bad) {
		AUTO_DIR dir = fdopendir(take_fd(&to));

		ck_assert_ptr_nonnull(dir);
		while (readdir(dir))
			left++;
		ck_assert_int_eq(left, 3); /* ., .. and kept: nothing is left of it */
	}
	return bad;
}

static const struct place_limits wide = {
	.bytes = 1 << 20, .entries = 1000, .depth = 8, .ratio = 200, .ratio_free_bytes = 1 << 20
};

static void assert_limit(const struct tar *tar, const struct place_limits *exactly,
			 const struct place_limits *less, const char *message)
{
	struct placed placed;
	struct error err;

	ck_assert_msg(unpack_tar(tar, exactly, -1, &placed, &err) == 0, "%s", err.text);
	ck_assert_ptr_null(placed.name);
	ck_assert_int_eq(unpack_tar(tar, less, -1, &placed, &err), -1);
	ck_assert_str_eq(err.text, message);
	ck_assert_int_eq(err.kind, ERROR_FAILED);
}

START_TEST(exactly_so_many_entries)
{
	struct place_limits exactly = wide, less = wide;
	static struct tar tar;

	add(&tar, "d/", '5', 0);
	add(&tar, "d/f", '0', 3);
	add(&tar, "g", '0', 0);
	exactly.entries = 3;
	less.entries = 2;
	assert_limit(&tar, &exactly, &less, "unpack a: it has more than 2 entries");
}
END_TEST

START_TEST(exactly_so_many_bytes)
{
	struct place_limits exactly = wide, less = wide;
	static struct tar tar;
	struct placed placed;
	struct error err;

	add(&tar, "f", '0', 600);
	add(&tar, "g", '0', 1);
	exactly.bytes = 601;
	less.bytes = 600;
	assert_limit(&tar, &exactly, &less, "unpack a: entry g: it unpacks to more than 600 bytes");
	ck_assert_int_eq(unpack_tar(&tar, &exactly, -1, &placed, &err), 0);
	ck_assert_uint_eq(placed.files, 2);
	ck_assert_uint_eq(placed.bytes, 601);
}
END_TEST

START_TEST(exactly_so_deep)
{
	struct place_limits exactly = wide, less = wide;
	static struct tar tar;

	add(&tar, "1/2/3/f", '0', 0);
	exactly.depth = 4;
	less.depth = 3;
	assert_limit(&tar, &exactly, &less, "unpack a: entry 1/2/3/f: it lies too deep");
}
END_TEST

START_TEST(so_many_directories_without_an_entry)
{
	struct place_limits exactly = wide, less = wide;
	static struct tar tar;
	char name[20];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d/a/b/f", i);
		add(&tar, name, '0', 0);
	}
	exactly.entries = 9;
	less.entries = 8;
	assert_limit(&tar, &exactly, &less,
		     "unpack a: entry 2/a/b/f: it is in more directories than are allowed");
}
END_TEST

START_TEST(the_ratio_counts_beyond_what_is_free)
{
	struct place_limits exactly = wide, less = wide;
	static struct tar tar;

	add(&tar, "f", '0', 600);
	exactly.ratio = 0;
	exactly.ratio_free_bytes = 600;
	less.ratio = 0;
	less.ratio_free_bytes = 599;
	assert_limit(&tar, &exactly, &less,
		     "unpack a: entry f: it unpacks to more than 599 bytes, 0 times its size");
}
END_TEST

START_TEST(a_signal_ends_it)
{
	static struct tar tar;
	struct placed placed;
	struct error err;
	AUTO_FD signal_fd = -1;
	sigset_t signals;

	add(&tar, "f", '0', 600);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	ck_assert_int_ge(signal_fd, 0);
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(unpack_tar(&tar, &wide, signal_fd, &placed, &err), -1);
	ck_assert_str_eq(err.text, "unpack a: interrupted by SIGTERM");
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(err.errnum, SIGTERM);
	ck_assert_int_eq(unpack_tar(&tar, &wide, signal_fd, &placed, &err), 0);
}
END_TEST

Suite *place_limits_suite(void)
{
	Suite *suite = suite_create("place-limits");
	TCase *limits = tcase_create("limits");

	tcase_add_test(limits, exactly_so_many_entries);
	tcase_add_test(limits, exactly_so_many_bytes);
	tcase_add_test(limits, exactly_so_deep);
	tcase_add_test(limits, so_many_directories_without_an_entry);
	tcase_add_test(limits, the_ratio_counts_beyond_what_is_free);
	tcase_add_test(limits, a_signal_ends_it);
	suite_add_tcase(suite, limits);
	return suite;
}
