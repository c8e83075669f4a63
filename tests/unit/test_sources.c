/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of artifacts, and becomes a source of the task. Pure. */
#include "suites.h"
#include "task_tests.h"

static struct artifact_spec *add_artifact(struct trial *trial, const char *source)
{
	const struct artifact_spec artifact = { .source = source, .destination = "local/" };
	struct artifact_spec *added =
		elements_add(&trial->pool, &trial->spec.artifacts, &artifact, sizeof(artifact));

	ck_assert_ptr_nonnull(added);
	return added;
}

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
	struct artifact_spec *artifact;

	trial.spec.program = "/x";
	artifact = add_artifact(&trial, "http://h/x");
	artifact->checksum = cases[_i].checksum;
	trial_add(&trial, &artifact->options, cases[_i].option);
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
	struct artifact_spec *artifact;

	trial_add(&trial, &trial.spec.env, "V=aa");
	trial_add(&trial, &trial.spec.env, "T=md5");
	trial_add(&trial, &trial.spec.env, "B=md5:aa");
	trial.spec.program = "/x";
	artifact = add_artifact(&trial, "http://h/x");
	artifact->checksum = cases[_i].written;
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.sources[0].checksum, cases[_i].made);
}
END_TEST

START_TEST(every_place_of_an_artifact)
{
	TRIAL trial = TRIAL_INIT;
	struct artifact_spec *artifact;
	const struct source *source;

	trial_add(&trial, &trial.spec.env, "V=x");
	trial.spec.program = "/x";
	artifact = add_artifact(&trial, "http://${V}/${V}");
	artifact->destination = "local/${V}";
	artifact->checksum = "sha256:${V}";
	artifact->mode = ARTIFACT_DIR;
	trial_add(&trial, &artifact->headers, "${V}: ${V}");
	trial_add(&trial, &artifact->options, "archive=${V}");
	trial_add(&trial, &artifact->options, "filename=${V}");
	add_artifact(&trial, "second");
	trial_succeeds(&trial);
	ck_assert_uint_eq(trial.task.sources_n, 2);
	ck_assert_str_eq(trial.task.sources[1].url, "second");
	ck_assert_ptr_null(trial.task.sources[1].checksum);
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
