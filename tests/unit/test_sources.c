/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of artifacts, and becomes a source of the task. Pure. */
#include "suites.h"
#include "task_tests.h"

START_TEST(artifacts_that_are_refused)
{
	static const struct {
		const char *checksum, *option, *expected;
	} cases[] = {
		{ NULL, "archive", "--artifact-option archive: expected KEY=VALUE" },
		{ NULL, "=x", "--artifact-option =x: expected KEY=VALUE" },
		{ NULL, "sshkey=x",
		  "--artifact-option sshkey: not supported; supported are checksum, archive and filename" },
		{ "sha256:aa", "checksum=sha256:bb",
		  "two checksums for one artifact: sha256:aa and sha256:bb" },
	};
	TRIAL trial = TRIAL_INIT;

	trial.spec.program = "/x";
	trial.spec.artifact_source = "http://h/x";
	trial.spec.artifact_destination = "local/";
	trial.spec.checksum = cases[_i].checksum;
	trial_add(&trial, &trial.spec.artifact_options, cases[_i].option);
	trial_fails(&trial, cases[_i].expected);
}
END_TEST

/* The type of a checksum is never a reference, its value may be one. */
START_TEST(checksums_of_artifacts)
{
	static const struct {
		const char *written, *made;
	} cases[] = {
		{ "sha256:${V}", "sha256:aa" },
		{ "${V}", "aa" },
		{ "${T}:aa", "${T}:aa" },
		{ "${B}", "${B}" }, /* would bring its type with it */
		{ "file:http://h/${V}", "file:http://h/aa" },
	};
	TRIAL trial = TRIAL_INIT;

	trial_add(&trial, &trial.spec.env, "V=aa");
	trial_add(&trial, &trial.spec.env, "T=md5");
	trial_add(&trial, &trial.spec.env, "B=md5:aa");
	trial.spec.program = "/x";
	trial.spec.artifact_source = "http://h/x";
	trial.spec.artifact_destination = "local/";
	trial.spec.checksum = cases[_i].written;
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.sources[0].checksum, cases[_i].made);
}
END_TEST

START_TEST(every_place_of_an_artifact)
{
	TRIAL trial = TRIAL_INIT;
	const struct source *source;

	trial_add(&trial, &trial.spec.env, "V=x");
	trial.spec.program = "/x";
	trial.spec.artifact_source = "http://${V}/${V}";
	trial.spec.artifact_destination = "local/${V}";
	trial.spec.checksum = "sha256:${V}";
	trial.spec.artifact_mode = ARTIFACT_DIR;
	trial_add(&trial, &trial.spec.artifact_headers, "${V}: ${V}");
	trial_add(&trial, &trial.spec.artifact_options, "archive=${V}");
	trial_add(&trial, &trial.spec.artifact_options, "filename=${V}");
	trial_succeeds(&trial);
	ck_assert_uint_eq(trial.task.sources_n, 1);
	source = trial.task.sources;
	ck_assert_str_eq(source->url, "http://x/x");
	ck_assert_str_eq(source->destination, "local/x");
	ck_assert_str_eq(source->checksum, "sha256:x");
	ck_assert_str_eq(source->headers.v[0], "x: x");
	ck_assert_str_eq(source->archive, "x");
	ck_assert_str_eq(source->filename, "x");
	ck_assert_int_eq(source->mode, ARTIFACT_DIR);
}
END_TEST

Suite *sources_suite(void)
{
	Suite *suite = suite_create("sources");
	TCase *artifacts = tcase_create("artifacts");

	tcase_add_loop_test(artifacts, artifacts_that_are_refused, 0, 4);
	tcase_add_test(artifacts, every_place_of_an_artifact);
	tcase_add_loop_test(artifacts, checksums_of_artifacts, 0, 5);
	suite_add_tcase(suite, artifacts);
	return suite;
}
