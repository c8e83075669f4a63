/* SPDX-License-Identifier: Apache-2.0 */
/* What the names of files mean, and which names and links an archive may have. Pure. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "place/entry.h"
#include "place/format.h"
#include "place/place.h"
#include "suites.h"

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct {
	const char *name, *format, *stem;
} suffixes[] = {
	{ "a.tar", "tar", "a" },
	{ "a.tar.gz", "tar.gz", "a" },
	{ "a.tgz", "tgz", "a" },
	{ "a.tar.bz2", "tar.bz2", "a" },
	{ "a.tbz2", "tbz2", "a" },
	{ "a.tar.xz", "tar.xz", "a" },
	{ "a.txz", "txz", "a" },
	{ "a.tar.zst", "tar.zst", "a" },
	{ "a.tzst", "tzst", "a" },
	{ "a.zip", "zip", "a" },
	{ "a.gz", "gz", "a" },
	{ "a.bz2", "bz2", "a" },
	{ "a.xz", "xz", "a" },
	{ "a.zst", "zst", "a" },
	{ "A.Tar.GZ", "tar.gz", "A" },
	{ "a-1.2.3.tar.gz", "tar.gz", "a-1.2.3" },
	{ "a.tar.gz.gz", "gz", "a.tar.gz" },
	{ "a.zip.tar", "tar", "a.zip" },
	{ "tar.gz", "gz", "tar" }, /* there is no dot before it */
	{ "atgz", NULL, "atgz" },
	{ "a.tgz.sig", NULL, "a.tgz.sig" },
	{ "basic-tgz", NULL, "basic-tgz" },
	{ "a.gzip", NULL, "a.gzip" },
	{ "a.", NULL, "a." },
	{ ".gz", NULL, ".gz" }, /* nothing would be left */
	{ "a", NULL, "a" },
};

START_TEST(suffixes_of_names)
{
	size_t stem_bytes = 0;
	const struct format *format = format_of_name(suffixes[_i].name, &stem_bytes);

	ck_assert_pstr_eq(format ? format->name : NULL, suffixes[_i].format);
	ck_assert_uint_eq(stem_bytes, strlen(suffixes[_i].stem));
	ck_assert_int_eq(place_unpacks(NULL, suffixes[_i].name), suffixes[_i].format != NULL);
	ck_assert_int_eq(place_unpacks("auto", suffixes[_i].name), suffixes[_i].format != NULL);
	ck_assert(!place_unpacks("no", suffixes[_i].name));
	ck_assert(place_unpacks("TAR", suffixes[_i].name));
}
END_TEST

START_TEST(formats_by_name)
{
	int n = 0;

	for (; place_formats[n]; n++) {
		const struct format *format = format_find(place_formats[n]);

		ck_assert_ptr_nonnull(format);
		ck_assert_str_eq(format->name, place_formats[n]);
	}
	ck_assert_int_eq(n, 14);
	ck_assert_ptr_null(format_find("rar"));
	ck_assert_ptr_null(format_find(""));
	ck_assert_ptr_null(format_find(".gz"));
	ck_assert(!place_unpacks("rar", "a.tar"));
}
END_TEST

#define DOTS "it has a .. in it"
#define CONTROL "it has a control character in it, or is not UTF-8"
#define PART_85                                                                                    \
	"12345678901234567890123456789012345678901234567890123456789012345678901234567890abcde"
#define PART_255 PART_85 PART_85 PART_85

static const struct {
	const char *name, *problem;
} names[] = {
	{ "a", NULL },
	{ "./a//b/", NULL },
	{ ".", NULL },
	{ "...", NULL },
	{ "..a", NULL },
	{ "a..", NULL },
	{ "a b", NULL },
	{ "-rf", NULL },
	{ "ä€😀", NULL },
	{ "a/C:", NULL },
	{ "1:", NULL },
	{ ".nomad-exec", NULL },
	{ "1/2/3/4", NULL },
	{ "./1/././2/3/4", NULL },
	{ PART_255, NULL },
	{ PART_255 "x", "a part of it is longer than 255 bytes" },
	{ "1/2/3/4/5", "it lies too deep" },
	{ "/", "it is absolute" },
	{ "/a", "it is absolute" },
	{ "//a", "it is absolute" },
	{ "..", DOTS },
	{ "../a", DOTS },
	{ "./../a", DOTS },
	{ "a/..", DOTS },
	{ "a/../b", DOTS },
	{ "a/../../b", DOTS },
	{ "a//..//b", DOTS },
	{ "..\\a", "it has a backslash in it" },
	{ "c:", "it begins with the name of a drive" },
	{ "Z:a", "it begins with the name of a drive" },
	{ "a\nb", CONTROL },
	{ "a\x1b[1m", CONTROL },
	{ "\x7f", CONTROL },
	{ "\xc2\x9b", CONTROL },
	{ "a\xff", CONTROL },
	{ "\xc0\xae\xc0\xae/a", CONTROL }, /* dots that are written too long */
	{ "\xed\xa0\x80", CONTROL },
	{ ".nomad-exec-", "names that begin with .nomad-exec- are taken" },
	{ "a/.nomad-exec-place-0/b", "names that begin with .nomad-exec- are taken" },
};

START_TEST(names_in_archives)
{
	ck_assert_pstr_eq(entry_name_problem(names[_i].name, 4), names[_i].problem);
}
END_TEST

START_TEST(names_that_are_long)
{
	char name[ENTRY_NAME_BYTES + 1], clean[ENTRY_NAME_BYTES];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '/' : 'd';
	name[ENTRY_NAME_BYTES - 1] = '\0';
	ck_assert_ptr_null(entry_name_problem(name, 10000));
	entry_name_clean(name, 0, clean);
	ck_assert_uint_eq(strlen(clean), ENTRY_NAME_BYTES - 2); /* without the last slash */
	name[ENTRY_NAME_BYTES - 1] = 'd';
	name[ENTRY_NAME_BYTES] = '\0';
	ck_assert_str_eq(entry_name_problem(name, 10000), "it is longer than 4096 bytes");
}
END_TEST

static const struct {
	const char *name;
	unsigned int strip;
	const char *clean;
} cleaned[] = {
	{ "a", 0, "a" },         { "./a//b/./c/", 0, "a/b/c" },
	{ ".", 0, "" },          { "./", 0, "" },
	{ "a/b/c", 1, "b/c" },   { "./a/b/c", 1, "b/c" },
	{ "a/b/c", 2, "c" },     { "a/b/c", 3, "" },
	{ "a/b/c", 4, "" },      { "a//", 0, "a" },
	{ ".../a", 0, ".../a" },
};

START_TEST(names_made_clean)
{
	char clean[ENTRY_NAME_BYTES];

	entry_name_clean(cleaned[_i].name, cleaned[_i].strip, clean);
	ck_assert_str_eq(clean, cleaned[_i].clean);
}
END_TEST

#define OUTSIDE "it links to outside of the archive"
#define BEHIND "what it links to has a .. after a name"
#define ABSOLUTE "what it links to is absolute"

static const struct {
	const char *name, *target, *problem;
} links[] = {
	{ "l", "a", NULL },
	{ "l", "./a/b", NULL },
	{ "l", ".", NULL },
	{ "l", "...", NULL },
	{ "a/l", "..", NULL },
	{ "a/l", "../b", NULL },
	{ "a/b/l", "../../c", NULL },
	{ "a/b/l", ".././../c", NULL },
	{ "l", "", "it links to nothing" },
	{ "l", "..", OUTSIDE },
	{ "l", "./..", OUTSIDE },
	{ "a/l", "../..", OUTSIDE },
	{ "a/b/l", "../../../c", OUTSIDE },
	{ "l", "/", ABSOLUTE },
	{ "l", "/a", ABSOLUTE },
	{ "l", "C:/a", ABSOLUTE },
	{ "l", "a/..", BEHIND },
	{ "a/l", "b/../../c", BEHIND },
	{ "a/l", "../b/../c", BEHIND },
};

START_TEST(links_in_archives)
{
	ck_assert_pstr_eq(entry_link_problem(links[_i].name, links[_i].target), links[_i].problem);
}
END_TEST

START_TEST(links_to_odd_names)
{
	ck_assert_ptr_nonnull(entry_link_problem("l", "a\\b"));
	ck_assert_ptr_nonnull(entry_link_problem("l", "a\nb"));
	ck_assert_ptr_nonnull(entry_link_problem("l", "\xff"));
}
END_TEST

Suite *place_names_suite(void)
{
	Suite *suite = suite_create("place-names");
	TCase *formats = tcase_create("formats"), *entries = tcase_create("entries");

	tcase_add_loop_test(formats, suffixes_of_names, 0, N(suffixes));
	tcase_add_test(formats, formats_by_name);
	tcase_add_loop_test(entries, names_in_archives, 0, N(names));
	tcase_add_test(entries, names_that_are_long);
	tcase_add_loop_test(entries, names_made_clean, 0, N(cleaned));
	tcase_add_loop_test(entries, links_in_archives, 0, N(links));
	tcase_add_test(entries, links_to_odd_names);
	suite_add_tcase(suite, formats);
	suite_add_tcase(suite, entries);
	return suite;
}
