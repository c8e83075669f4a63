/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the unit tests, from the top of the project, as anyone. Each test has a process of its own;
 * CK_FORK=no runs them in this one, for a debugger, and CK_RUN_SUITE=NAME runs one suite alone.
 * Prints what failed, and at the end one line "N passed, N failed".
 */
#include <stdio.h>
#include <stdlib.h>

#include "suites.h"

static void print_failures(SRunner *runner)
{
	TestResult **failures = srunner_failures(runner);

	for (int i = 0; i < srunner_ntests_failed(runner); i++)
		printf("%s:%d: %s: %s\n", tr_lfile(failures[i]), tr_lno(failures[i]),
		       tr_tcname(failures[i]), tr_msg(failures[i]));
	free(failures);
}

int main(void)
{
	SRunner *runner;
	int run, failed;

	/* Seconds: with sanitizers, or on an emulated processor, the usual 4 are not enough. */
	setenv("CK_DEFAULT_TIMEOUT", "120", 0);
	runner = srunner_create(base_suite());
	srunner_add_suite(runner, tree_suite());
	srunner_add_suite(runner, values_suite());
	srunner_add_suite(runner, files_suite());
	srunner_add_suite(runner, options_suite());
	srunner_add_suite(runner, tables_suite());
	srunner_add_suite(runner, interpolate_suite());
	srunner_add_suite(runner, sources_suite());
	srunner_add_suite(runner, task_suite());
	srunner_add_suite(runner, node_suite());
	srunner_add_suite(runner, fetch_suite());
	srunner_add_suite(runner, sigv4_suite());
	srunner_add_suite(runner, s3_suite());
	srunner_add_suite(runner, credentials_suite());
	srunner_add_suite(runner, verify_suite());
	srunner_add_suite(runner, sums_suite());
	srunner_add_suite(runner, find_suite());
	srunner_add_suite(runner, place_names_suite());
	srunner_add_suite(runner, place_suite());
	srunner_add_suite(runner, place_limits_suite());
	srunner_add_suite(runner, place_hostile_suite());
	srunner_add_suite(runner, cage_suite());
	srunner_run_all(runner, CK_SILENT);
	run = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	print_failures(runner);
	srunner_free(runner);
	printf("%d passed, %d failed\n", run - failed, failed);
	return run == 0 || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
