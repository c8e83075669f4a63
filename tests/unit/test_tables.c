/* SPDX-License-Identifier: Apache-2.0 */
/* The option tables of the program: what the parser and the help take for granted of them, and what
 * `run` promises. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "spec/spec.h"
#include "suites.h"

/* What the parser and the help take for granted of a table. */
static void check_table(const struct option *options, size_t target_bytes)
{
	size_t n = 0;

	for (const struct option *option = options; option->name; option++, n++) {
		ck_assert_msg((option->type == OPTION_FLAG) == !option->value, "--%s: value",
			      option->name);
		ck_assert_msg((option->type == OPTION_CHOICE) == !!option->choices, "--%s: choices",
			      option->name);
		ck_assert_msg(option->type != OPTION_NUMBER || option->min < option->max,
			      "--%s: range", option->name);
		ck_assert_msg(option->summary && *option->summary, "--%s: no summary",
			      option->name);
		ck_assert_msg(option->offset <
				      (option->group ? option->group->element_bytes : target_bytes),
			      "--%s: offset", option->name);
		ck_assert_msg(!option->group || option->env == NOT_FROM_ENV, "--%s: environment",
			      option->name);
		ck_assert_msg(!option->begins || (option->group && option->type == OPTION_STRING),
			      "--%s: it cannot begin anything", option->name);
		for (const struct option *other = option + 1; other->name; other++) {
			ck_assert_str_ne(other->name, option->name);
			ck_assert_msg(!option->letter || other->letter != option->letter,
				      "--%s and --%s: -%c", option->name, other->name,
				      option->letter);
		}
	}
	ck_assert_uint_le(n, 64);
	ck_assert_uint_gt(n, 0);
}

START_TEST(tables_of_the_program)
{
	check_table(global_options, sizeof(struct global_options));
	for (size_t i = 0; commands[i]; i++)
		check_table(commands[i]->options, commands[i]->target_bytes);
}
END_TEST

/* These name the task or may hold a secret: the environment of a whole session must not set them.
 */
START_TEST(what_the_environment_may_not_set)
{
	static const char *const names[] = {
		"command", "args",   "env",     "checksum",        "artifact-source",
		"id",      "result", "dry-run", "artifact-header", "artifact-option",
		"insecure"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct option *option = run_options;

		while (option->name && strcmp(option->name, names[i]) != 0)
			option++;
		ck_assert_msg(option->name != NULL, "run has no --%s", names[i]);
		ck_assert_msg(option->env == NOT_FROM_ENV, "the environment can set --%s",
			      names[i]);
	}
}
END_TEST

START_TEST(built_in_values_of_run)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	char *argv[] = { pool_strdup(&pool, "run"), NULL };
	struct arguments arguments = { .argc = 1, .argv = argv };
	struct spec spec = run_defaults;
	struct error err;

	clearenv(); /* no NOMAD_EXEC_… */
	ck_assert_int_eq(options_parse(run_options, &arguments, &spec, &pool, &err), 0);
	ck_assert_str_eq(spec.user, "nobody");
	ck_assert_str_eq(spec.work_dir, "/");
	ck_assert_uint_eq(spec.limits.cpu_mhz, 100);
	ck_assert_uint_eq(spec.limits.memory_bytes, 314572800);
	ck_assert_uint_eq(spec.limits.pids, 4096);
	ck_assert_int_eq(spec.kill_signal, SIGINT);
	ck_assert_uint_eq(spec.kill_timeout_ms, 5000);
	ck_assert_uint_eq(spec.timeout_ms, 0);
	ck_assert_uint_eq(spec.artifacts.n, 0);
	ck_assert(!spec.keep && !spec.strict && !spec.dry_run);
}
END_TEST

START_TEST(built_in_values_of_fetch)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	char *argv[] = { pool_strdup(&pool, "fetch"), NULL };
	struct arguments arguments = { .argc = 1, .argv = argv };
	struct fetch_spec spec = fetch_defaults;
	struct error err;

	clearenv(); /* no NOMAD_EXEC_… */
	ck_assert_int_eq(options_parse(fetch_options, &arguments, &spec, &pool, &err), 0);
	ck_assert_str_eq(spec.destination, ".");
	ck_assert_int_eq(spec.mode, ARTIFACT_ANY);
	ck_assert_uint_eq(spec.fetch.retries, 5);
	ck_assert_uint_eq(spec.fetch.connections, 4);
	ck_assert_uint_eq(spec.fetch.max_bytes, 107374182400);
	ck_assert_uint_eq(spec.fetch.cache_max_bytes, 10737418240);
	ck_assert_str_eq(spec.fetch.cache_dir, "/var/cache/nomad-exec");
	ck_assert_str_eq(digest_types[spec.fetch.min_hash].name, "md5");
	ck_assert(!spec.fetch.insecure && !spec.fetch.no_cache && !spec.fetch.allow_metadata);
}
END_TEST

Suite *tables_suite(void)
{
	Suite *suite = suite_create("tables");
	TCase *tables = tcase_create("tables");

	tcase_add_test(tables, tables_of_the_program);
	tcase_add_test(tables, what_the_environment_may_not_set);
	tcase_add_test(tables, built_in_values_of_run);
	tcase_add_test(tables, built_in_values_of_fetch);
	suite_add_tcase(suite, tables);
	return suite;
}
