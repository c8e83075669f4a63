/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the unit tests, in the order in which they run: each is made by
 * tests/unit/test_NAME.c. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

Suite *base_suite(void);
Suite *tree_suite(void);
Suite *values_suite(void);
Suite *files_suite(void);
Suite *options_suite(void);
Suite *tables_suite(void);
Suite *interpolate_suite(void);
Suite *sources_suite(void);
Suite *task_suite(void);
Suite *node_suite(void);
Suite *fetch_suite(void);
Suite *sigv4_suite(void);
Suite *s3_suite(void);
Suite *credentials_suite(void);
Suite *verify_suite(void);
Suite *sums_suite(void);
Suite *find_suite(void);
Suite *place_names_suite(void);
Suite *place_suite(void);
Suite *place_limits_suite(void);
Suite *place_hostile_suite(void);
Suite *cage_suite(void);

#endif
