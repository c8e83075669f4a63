/* SPDX-License-Identifier: Apache-2.0 */
/* What everything stands on: the pool and its maximum, the texts of errors, libraries, names of
 * capabilities. */
#include <dlfcn.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/capability.h"
#include "base/error.h"
#include "base/lazy.h"
#include "base/pool.h"
#include "base/text.h"
#include "suites.h"

START_TEST(pool_has_a_maximum)
{
	struct pool pool = POOL_INIT(100000);
	char *most = pool_alloc(&pool, 80000);

	ck_assert_ptr_nonnull(most);
	memset(most, 'x', 80000);
	ck_assert_ptr_null(pool_alloc(&pool, 80000));
	ck_assert_ptr_null(pool_alloc(&pool, SIZE_MAX));
	ck_assert_ptr_null(pool_alloc(&pool, SIZE_MAX / 2));
	ck_assert_ptr_null(pool_strndup(&pool, most, 80000));
	ck_assert_ptr_null(pool_printf(&pool, "%80000s", ""));
	ck_assert_ptr_nonnull(pool_alloc(&pool, 1)); /* what still fits is still given */
	pool_release(&pool);
	ck_assert_uint_eq(pool.left_bytes, 100000);
	ck_assert_ptr_null(pool.blocks);
	ck_assert_ptr_nonnull(pool_alloc(&pool, 80000)); /* and may be used again */
	pool_release(&pool);
	ck_assert_uint_eq(pool.left_bytes, 100000);
}
END_TEST

START_TEST(pool_memory_is_zeroed_and_aligned)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);

	ck_assert_ptr_nonnull(pool_alloc(&pool, 0));
	for (size_t size = 0; size < 300; size++) {
		char zeros[300] = "", *data = pool_alloc(&pool, size);

		ck_assert_ptr_nonnull(data);
		ck_assert_uint_eq((uintptr_t)data % alignof(max_align_t), 0);
		ck_assert_mem_eq(data, zeros, size);
		memset(data, 'x', size); /* a neighbour that overlapped would not be zero */
	}
}
END_TEST

START_TEST(pool_strings)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);

	ck_assert_str_eq(pool_strdup(&pool, ""), "");
	ck_assert_str_eq(pool_strdup(&pool, "two words"), "two words");
	ck_assert_str_eq(pool_strndup(&pool, "two words", 3), "two");
	ck_assert_str_eq(pool_strndup(&pool, "two", 0), "");
	ck_assert_str_eq(pool_printf(&pool, "%s-%d", "a", 7), "a-7");
	ck_assert_uint_eq(strlen(pool_printf(&pool, "%20000d", 1)), 20000);
}
END_TEST

START_TEST(list_of_strings)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	struct strings list = { 0 };

	for (size_t i = 0; i < 5000; i++) {
		ck_assert_int_eq(strings_add(&pool, &list, pool_printf(&pool, "%zu", i)), 0);
		ck_assert_uint_eq(list.n, i + 1);
		ck_assert_ptr_null(list.v[list.n]);
	}
	for (size_t i = 0; i < 5000; i++)
		ck_assert_str_eq(list.v[i], pool_printf(&pool, "%zu", i));
}
END_TEST

START_TEST(list_in_a_full_pool)
{
	AUTO_POOL pool = POOL_INIT(8192);
	struct strings list = { 0 };
	size_t n = 0;

	while (strings_add(&pool, &list, "x") == 0)
		ck_assert_uint_lt(++n, 8192);
	ck_assert_uint_eq(list.n, n); /* the list is as it was before the refusal */
	ck_assert_ptr_null(list.v[n]);
}
END_TEST

START_TEST(error_texts)
{
	struct error err;

	ck_assert_int_eq(error_set(&err, STAGE_CHROOT, ENOENT, "mount %s", "/x"), -1);
	ck_assert_str_eq(err.text, "mount /x: No such file or directory");
	ck_assert_int_eq(err.stage, STAGE_CHROOT);
	ck_assert_int_eq(err.kind, ERROR_FAILED);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_int_eq(error_prefix(&err, "volume %d", 2), -1);
	ck_assert_int_eq(error_remedy(&err, "make %s", "it"), -1);
	ck_assert_str_eq(err.text, "volume 2: mount /x: No such file or directory; make it");

	ck_assert_int_eq(error_set_kind(&err, STAGE_SETUP, ERROR_USAGE, 0, "no %s", "value"), -1);
	ck_assert_str_eq(err.text, "no value");
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_int_eq(err.errnum, 0);

	error_set_kind(&err, STAGE_FETCH, ERROR_INTERRUPTED, 15, "interrupted");
	ck_assert_str_eq(err.text, "interrupted"); /* 15 is a signal here, no errno */

	ck_assert_int_eq(pool_error(&err, STAGE_RUN), -1);
	ck_assert_str_eq(err.text, "the strings of this run: Cannot allocate memory");
}
END_TEST

START_TEST(error_texts_are_harmless)
{
	struct error err;

	error_set(&err, STAGE_SETUP, 0, "open %s", "a\033[2J\n\t\x7f\x01z \xc3\xa4");
	ck_assert_str_eq(err.text, "open a?[2J????z \xc3\xa4");
	error_prefix(&err, "in\r\n");
	error_remedy(&err, "do\b");
	ck_assert_str_eq(err.text, "in??: open a?[2J????z \xc3\xa4; do?");
}
END_TEST

START_TEST(error_texts_are_cut)
{
	struct error err;
	char expected[sizeof(err.text)];

	memset(expected, ' ', sizeof(expected));
	expected[sizeof(expected) - 1] = '\0';
	error_set(&err, STAGE_SETUP, ENOENT, "%5000s", "");
	ck_assert_str_eq(err.text, expected);
	error_remedy(&err, "nothing more");
	ck_assert_str_eq(err.text, expected);
	error_prefix(&err, "first");
	memcpy(expected, "first: ", 7);
	ck_assert_str_eq(err.text, expected);
}
END_TEST

START_TEST(names_of_stages)
{
	static const char *const names[] = {
		"setup", "fetch", "verify", "chroot", "launch", "run"
	};

	for (int stage = STAGE_SETUP; stage <= STAGE_RUN; stage++)
		ck_assert_str_eq(stage_name((enum stage)stage), names[stage]);
}
END_TEST

struct libc_api {
	size_t (*length)(const char *text);
	void (*nothing)(void);
};

START_TEST(library_that_is_there)
{
	static const struct lazy_symbol symbols[] = { LAZY_SYMBOL(struct libc_api, length,
								  strlen) };
	static const struct lazy_library library = {
		"lengths", "libc6", { "libnone.so.0", "libc.so.6" }, symbols, 1
	};
	struct libc_api api = { 0 };
	struct error err;

	ck_assert_int_eq(lazy_open(&library, &api, STAGE_FETCH, &err), 0);
	ck_assert_uint_eq(api.length("four"), 4);
}
END_TEST

START_TEST(library_that_is_missing)
{
	static const struct lazy_library library = {
		"dreams", "libnone0", { "libnone.so.0" }, NULL, 0
	};
	struct libc_api api = { 0 };
	struct error err;

	ck_assert_int_eq(lazy_open(&library, &api, STAGE_FETCH, &err), -1);
	ck_assert_str_eq(err.text, "open the library for dreams: libnone.so.0: cannot open shared "
				   "object file: No such file or directory; install it: "
				   "apt install libnone0");
	ck_assert_int_eq(err.stage, STAGE_FETCH);
}
END_TEST

START_TEST(library_that_is_too_old)
{
	static const struct lazy_symbol symbols[] = {
		LAZY_SYMBOL(struct libc_api, length, strlen),
		LAZY_SYMBOL(struct libc_api, nothing, no_such_function),
	};
	static const struct lazy_library library = {
		"lengths", "libc6", { "libc.so.6" }, symbols, 2
	};
	struct libc_api api = { 0 };
	struct error err;
	char expected[500];

	ck_assert_ptr_null(dlsym(dlopen("libc.so.6", RTLD_NOW), "no_such_function"));
	snprintf(expected, sizeof(expected), "the library for lengths: %s; a newer libc6 is needed",
		 dlerror());
	ck_assert_int_eq(lazy_open(&library, &api, STAGE_FETCH, &err), -1);
	ck_assert_str_eq(err.text, expected);
	ck_assert(api.length == NULL); /* all or nothing */
}
END_TEST

START_TEST(texts_to_show)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "", "" },
		{ "a~ /", "a~ /" },
		{ "\x1b[2J\n\t\x7f", "?[2J???" },
		{ "\u00e9\u20ac\U0001f600", "\u00e9\u20ac\U0001f600" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" }, /* CSI in one character */
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xff\xfe", "??" },
		{ "\xc3", "?" },
		{ "\xc3"
		  "a",
		  "?a" },
		{ "\xe2\x82", "??" },
		{ "\xc0\xaf\xe0\x80\xaf", "?????" }, /* longer than need be */
		{ "\xed\xa0\x80", "???" },           /* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },      /* beyond U+10FFFF */
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	};
	char text[32];

	strcpy(text, cases[_i].text);
	text_defuse(text);
	ck_assert_str_eq(text, cases[_i].shown);
}
END_TEST

START_TEST(capabilities)
{
	static const struct {
		const char *text;
		uint64_t set;
	} cases[] = {
		{ "chown", 1 },           { "CHOWN", 1 },
		{ "CAP_CHOWN", 1 },       { "cap_Net_Bind_Service", 1 << 10 },
		{ "sys_admin", 1 << 21 }, { "checkpoint_restore", 1ULL << 40 },
		{ "all", 0x1ffffffffff }, { "ALL", 0x1ffffffffff },
	};
	static const char *const unknown[] = { "",       "cap_", "CAP_CAP_CHOWN", "cap_all", "chow",
					       "chown ", "0" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t set = 0;

		ck_assert_int_eq(capability_parse(cases[i].text, &set), 0);
		ck_assert_uint_eq(set, cases[i].set);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		uint64_t set = 424242;

		ck_assert_msg(capability_parse(unknown[i], &set) == -1, "\"%s\" is read as %jx",
			      unknown[i], (uintmax_t)set);
		ck_assert_uint_eq(set, 424242);
	}
}
END_TEST

START_TEST(names_of_capabilities)
{
	for (int i = 0; i < 41; i++) {
		uint64_t set = 0;

		ck_assert_ptr_nonnull(capability_name(i));
		ck_assert_int_eq(capability_parse(capability_name(i), &set), 0);
		ck_assert_uint_eq(set, 1ULL << i);
	}
	ck_assert_str_eq(capability_name(0), "chown");
	ck_assert_str_eq(capability_name(40), "checkpoint_restore");
	ck_assert_ptr_null(capability_name(-1));
	ck_assert_ptr_null(capability_name(41));
}
END_TEST

Suite *base_suite(void)
{
	Suite *suite = suite_create("base");
	TCase *pools = tcase_create("pool"), *errors = tcase_create("error");
	TCase *libraries = tcase_create("lazy"), *names = tcase_create("capability");

	tcase_add_test(pools, pool_has_a_maximum);
	tcase_add_test(pools, pool_memory_is_zeroed_and_aligned);
	tcase_add_test(pools, pool_strings);
	tcase_add_test(pools, list_of_strings);
	tcase_add_test(pools, list_in_a_full_pool);
	tcase_add_test(errors, error_texts);
	tcase_add_test(errors, error_texts_are_harmless);
	tcase_add_test(errors, error_texts_are_cut);
	tcase_add_test(errors, names_of_stages);
	tcase_add_test(libraries, library_that_is_there);
	tcase_add_test(libraries, library_that_is_missing);
	tcase_add_test(libraries, library_that_is_too_old);
	tcase_add_loop_test(names, texts_to_show, 0, 14);
	tcase_add_test(names, capabilities);
	tcase_add_test(names, names_of_capabilities);
	suite_add_tcase(suite, pools);
	suite_add_tcase(suite, errors);
	suite_add_tcase(suite, libraries);
	suite_add_tcase(suite, names);
	return suite;
}
