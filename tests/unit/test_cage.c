/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as cgroup files. No group is made. */
#include <stdio.h>

#include "launch/launch.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* All files of one controller as text: "file=value", with "?" behind those a kernel may lack. */
static void ck_values(const struct limits *limits, const char *controller, bool v2,
		      const char *expected)
{
	struct cage_value values[CAGE_VALUES_MAX];
	size_t n = cage_values(limits, controller, v2, values);
	char text[400] = "";

	ck_assert_uint_le(n, CAGE_VALUES_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s=%s%s", i ? " " : "",
			 values[i].file, values[i].value, values[i].optional ? "?" : "");
	}
	ck_assert_str_eq(text, expected);
}

/* From the runtime specification's curve; 2 and 262144 are the ends of what the kernel takes. */
START_TEST(cpu)
{
	static const struct {
		uint64_t mhz;
		unsigned int shares, weight;
	} cases[] = {
		{ 1, 2, 1 },
		{ 2, 2, 1 },
		{ 3, 3, 2 },
		{ 10, 10, 4 },
		{ 50, 50, 10 },
		{ 100, 100, 17 },
		{ 250, 250, 34 },
		{ 500, 500, 58 },
		{ 1000, 1000, 99 },
		{ 1023, 1023, 100 },
		{ 1024, 1024, 100 },
		{ 1025, 1025, 101 },
		{ 2000, 2000, 170 },
		{ 4000, 4000, 297 },
		{ 10000, 10000, 627 },
		{ 262143, 262143, 10000 },
		{ 262144, 262144, 10000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct limits limits = { .cpu_mhz = cases[i].mhz };
		char expected[60];

		snprintf(expected, sizeof(expected), "cpu.weight=%u", cases[i].weight);
		ck_values(&limits, "cpu", true, expected);
		snprintf(expected, sizeof(expected), "cpu.shares=%u", cases[i].shares);
		ck_values(&limits, "cpu", false, expected);
	}
}
END_TEST

START_TEST(memory)
{
	const struct limits limits = { .cpu_mhz = 100, .memory_bytes = 300 << 20, .pids = 7 };
	const struct limits most = { .memory_bytes = INT64_MAX };

	ck_values(&limits, "memory", true, "memory.max=314572800 memory.swap.max=0?");
	ck_values(&limits, "memory", false,
		  "memory.limit_in_bytes=314572800 memory.memsw.limit_in_bytes=314572800? "
		  "memory.swappiness=0?");
	ck_values(&most, "memory", true, "memory.max=9223372036854775807 memory.swap.max=0?");
}
END_TEST

START_TEST(processes)
{
	const struct limits one = { .pids = 1 }, most = { .pids = 4194304 };

	ck_values(&one, "pids", true, "pids.max=1");
	ck_values(&one, "pids", false, "pids.max=1");
	ck_values(&most, "pids", true, "pids.max=4194304");
}
END_TEST

/* 0 is no limit: nothing is written, and the group's own default stays. */
START_TEST(no_limit)
{
	const struct limits none = { .cpu_mhz = 100 };

	ck_values(&none, "memory", true, "");
	ck_values(&none, "memory", false, "");
	ck_values(&none, "pids", true, "");
	ck_values(&none, "pids", false, "");
}
END_TEST

Suite *cage_suite(void)
{
	Suite *suite = suite_create("cage");
	TCase *values = tcase_create("values");

	tcase_add_test(values, cpu);
	tcase_add_test(values, memory);
	tcase_add_test(values, processes);
	tcase_add_test(values, no_limit);
	suite_add_tcase(suite, values);
	return suite;
}
