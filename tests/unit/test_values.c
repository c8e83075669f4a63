/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of single values: what they take, where they end, and that a refused text changes
 * nothing. */
#include <signal.h>
#include <stdint.h>

#include "spec/spec.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB ((uint64_t)1 << 20)
/* What stands in the result before a call, and must stand there still when the text is refused. */
#define UNTOUCHED 424242

struct value {
	const char *text;
	uint64_t expected;
};

static void expect(const char *text, int failed, uint64_t got, uint64_t expected)
{
	ck_assert_msg(!failed, "\"%s\" is refused, expected %ju", text, (uintmax_t)expected);
	ck_assert_msg(got == expected, "\"%s\" is %ju, expected %ju", text, (uintmax_t)got,
		      (uintmax_t)expected);
}

static void expect_refused(const char *text, int failed, uint64_t got)
{
	ck_assert_msg(failed == -1, "\"%s\" is read as %ju (status %d), expected a refusal", text,
		      (uintmax_t)got, failed);
	ck_assert_msg(got == UNTOUCHED, "\"%s\" is refused but leaves %ju", text, (uintmax_t)got);
}

START_TEST(sizes)
{
	static const struct value cases[] = {
		{ "0", 0 },
		{ "1", MIB },
		{ "300", 300 * MIB },
		{ "007", 7 * MIB },
		{ "0.5", MIB / 2 },
		{ "512K", MIB / 2 },
		{ "512k", MIB / 2 },
		{ "1M", MIB },
		{ "1.5G", 1536 * MIB },
		{ "2T", MIB * MIB * 2 },
		{ "1KiB", 1024 },
		{ "1kib", 1024 },
		{ "3MiB", 3 * MIB },
		{ "1GiB", 1024 * MIB },
		{ "1tIb", MIB * MIB },
		{ "0.000001G", 1073 }, /* rounded down to whole bytes */
		{ "0.0001K", 0 },
		{ "8388607T", 9223370937343148032 },
		{ "8388607.999999T", 9223372036853676296 },
		{ "8796093022207", 9223372036853727232 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_size(cases[i].text, MIB, &got);

		expect(cases[i].text, failed, got, cases[i].expected);
	}
}
END_TEST

START_TEST(sizes_in_bytes)
{
	static const struct value cases[] = {
		{ "1", 1 },
		{ "0.9", 0 },
		{ "1K", 1024 },
		{ "9223372036854775807", INT64_MAX },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_size(cases[i].text, 1, &got);

		expect(cases[i].text, failed, got, cases[i].expected);
	}
}
END_TEST

START_TEST(sizes_that_are_none)
{
	static const char *const cases[] = {
		"",
		" ",
		" 1",
		"1 ",
		"1\n",
		"+1",
		"-1",
		"-0",
		"1 K",
		"K",
		".5",
		"1.",
		"1.K",
		"1.5.5",
		"1.1234567",
		"1KB",
		"1Ki",
		"1KiBB",
		"1B",
		"1P",
		"1MM",
		"0x10",
		"1e3",
		"1,5",
		"nan",
		"inf",
		"unlimited",
		"\xef\xbc\x91",
		"1\xc3\x8b",
		"1%n",
		/* above INT64_MAX bytes, above 2^64 bytes, above 2^64 itself */
		"8388608T",
		"9223372036854775807K",
		"18446744073709551616",
		"99999999999999999999999999999999999999",
		"8796093022208",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_size(cases[i], MIB, &got);

		expect_refused(cases[i], failed, got);
	}
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *text;
		uint64_t min, max, expected;
	} cases[] = {
		{ "0", 0, 10, 0 },
		{ "10", 0, 10, 10 },
		{ "1", 1, 1, 1 },
		{ "007", 0, 10, 7 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_number(cases[i].text, cases[i].min, cases[i].max, &got);

		expect(cases[i].text, failed, got, cases[i].expected);
	}
}
END_TEST

START_TEST(numbers_that_are_none)
{
	static const struct {
		const char *text;
		uint64_t min, max;
	} cases[] = {
		{ "0", 1, 10 },
		{ "11", 1, 10 },
		{ "", 0, 10 },
		{ " 1", 0, 10 },
		{ "1 ", 0, 10 },
		{ "+1", 0, 10 },
		{ "-1", 0, 10 },
		{ "-0", 0, 10 },
		{ "1.0", 0, 10 },
		{ "1k", 0, 10 },
		{ "0x1", 0, 10 },
		{ "one", 0, 10 },
		{ "1\t", 0, 10 },
		{ "1e1", 0, 10 },
		{ "18446744073709551616", 0, UINT64_MAX },
		{ "18446744073709551626", 0, UINT64_MAX }, /* 10 modulo 2^64 */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_number(cases[i].text, cases[i].min, cases[i].max, &got);

		expect_refused(cases[i].text, failed, got);
	}
}
END_TEST

START_TEST(durations)
{
	static const struct value cases[] = {
		{ "0", 0 },
		{ "1", 1000 },
		{ "1.5", 1500 },
		{ "0.0001", 0 }, /* rounded down to whole milliseconds */
		{ "0s", 0 },
		{ "250ms", 250 },
		{ "10s", 10000 },
		{ "1m30s", 90000 },
		{ "2h", 7200000 },
		{ "1.5h", 5400000 },
		{ "1h1m1s1ms", 3661001 },
		{ "1h1ms", 3600001 },
		{ "90m", 5400000 },
		{ "0.5ms", 0 },
		{ "9223372036854ms", 9223372036854 }, /* the last whose nanoseconds fit */
		{ "9223372036s", 9223372036000 },
		{ "2562047h", 9223369200000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_duration(cases[i].text, &got);

		expect(cases[i].text, failed, got, cases[i].expected);
	}
}
END_TEST

START_TEST(durations_that_are_none)
{
	static const char *const cases[] = {
		"",
		" ",
		"s",
		"ms",
		"1x",
		"1d",
		"1 s",
		" 1s",
		"1s ",
		"-1s",
		"+1s",
		"-1",
		"1s1m",
		"1s1s",
		"1ms1s",
		"1h30",
		"1m30",
		"1ss",
		"1sm",
		"1mss",
		"1m 30s",
		"1..5s",
		"1.s",
		".5s",
		"1H",
		"1S",
		"1e3s",
		"0x1s",
		"1.1234567s",
		"unlimited",
		"9223372036855ms",
		"9223372037s",
		"2562048h",
		"9223372036s855ms",
		"18446744073709551616ms",
		"99999999999999999999h",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = UNTOUCHED;
		int failed = parse_duration(cases[i], &got);

		expect_refused(cases[i], failed, got);
	}
}
END_TEST

START_TEST(signals)
{
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "sigterm", SIGTERM },
		{ "Term", SIGTERM }, { "15", SIGTERM },      { "INT", SIGINT },
		{ "KILL", SIGKILL }, { "SIGUSR1", SIGUSR1 }, { "winch", SIGWINCH },
		{ "1", SIGHUP },     { "64", 64 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int got = UNTOUCHED, failed = parse_signal(cases[i].text, &got);

		expect(cases[i].text, failed, (uint64_t)got, (uint64_t)cases[i].expected);
	}
}
END_TEST

START_TEST(signals_that_are_none)
{
	static const char *const cases[] = {
		"",    "0",          "65",         "-9",
		"+9",  "9x",         " 9",         "TERM ",
		"SIG", "SIGSIGTERM", "SIGFOO",     "SIG15",
		"TER", "TERMINATE",  "4294967311", "18446744073709551631",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int got = UNTOUCHED, failed = parse_signal(cases[i], &got);

		expect_refused(cases[i], failed, (uint64_t)got);
	}
}
END_TEST

Suite *values_suite(void)
{
	Suite *suite = suite_create("values");
	TCase *accepted = tcase_create("accepted"), *refused = tcase_create("refused");

	tcase_add_test(accepted, sizes);
	tcase_add_test(accepted, sizes_in_bytes);
	tcase_add_test(accepted, numbers);
	tcase_add_test(accepted, durations);
	tcase_add_test(accepted, signals);
	tcase_add_test(refused, sizes_that_are_none);
	tcase_add_test(refused, numbers_that_are_none);
	tcase_add_test(refused, durations_that_are_none);
	tcase_add_test(refused, signals_that_are_none);
	suite_add_tcase(suite, accepted);
	suite_add_tcase(suite, refused);
	return suite;
}
