/* SPDX-License-Identifier: Apache-2.0 */
/* The task that is made of a spec: its environment, capabilities, identity, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "task_tests.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The whole environment, sorted, one variable a line. */
static const char *sorted_env(struct trial *trial)
{
	const char *entries[100] = { NULL }, *text = "";
	size_t n = 0;

	ck_assert_ptr_nonnull(trial->task.env);
	while (trial->task.env[n]) {
		ck_assert_uint_lt(n, COUNT(entries));
		entries[n] = trial->task.env[n];
		n++;
	}
	qsort(entries, n, sizeof(entries[0]), by_text);
	for (size_t i = 0; i < n; i++)
		text = pool_printf(&trial->pool, "%s%s\n", text, entries[i]);
	return text;
}

START_TEST(environment)
{
	TRIAL trial = TRIAL_INIT;

	trial_succeeds(&trial);
	ck_assert_str_eq(sorted_env(&trial), "HOME=/n\n"
					     "LOGNAME=nobody\n"
					     "NOMAD_ALLOC_DIR=/alloc\n"
					     "NOMAD_ALLOC_ID=" TEST_ID "\n"
					     "NOMAD_CPU_LIMIT=100\n"
					     "NOMAD_DC=dc1\n"
					     "NOMAD_MEMORY_LIMIT=300\n"
					     "NOMAD_REGION=global\n"
					     "NOMAD_SECRETS_DIR=/secrets\n"
					     "NOMAD_SHORT_ALLOC_ID=0a1b2c3d\n"
					     "NOMAD_TASK_DIR=/local\n"
					     "NOMAD_TASK_NAME=sleep\n"
					     "PATH=/usr/local/bin:/usr/bin:/bin\n"
					     "USER=nobody\n");
}
END_TEST

/* A user without an entry has no name; what the user sets wins; without a limit there is no
 * variable of it. */
START_TEST(environment_of_the_user)
{
	static const char *const env[] = { "PATH=/mine", "NOMAD_DC=other", "X=1",
					   "X=", "E=a=b\nc" };
	TRIAL trial = TRIAL_INIT;

	trial.facts.user = (struct user){ .uid = 12345, .gid = 12345, .home = "/" };
	trial.spec.limits = (struct limits){ .cpu_mhz = 2000 };
	trial.spec.id = "job-7";
	trial.spec.name = "web";
	for (size_t i = 0; i < COUNT(env); i++)
		trial_add(&trial, &trial.spec.env, env[i]);
	trial_add(&trial, &trial.spec.node.meta, "rack=r1");
	trial_add(&trial, &trial.spec.node.meta, "my-key/1.x=m");
	trial_succeeds(&trial);
	ck_assert_str_eq(sorted_env(&trial), "E=a=b\nc\n"
					     "HOME=/\n"
					     "NOMAD_ALLOC_DIR=/alloc\n"
					     "NOMAD_ALLOC_ID=job-7\n"
					     "NOMAD_CPU_LIMIT=2000\n"
					     "NOMAD_DC=other\n"
					     "NOMAD_META_MY_KEY_1.X=m\n"
					     "NOMAD_META_RACK=r1\n"
					     "NOMAD_META_my_key_1.x=m\n"
					     "NOMAD_META_rack=r1\n"
					     "NOMAD_REGION=global\n"
					     "NOMAD_SECRETS_DIR=/secrets\n"
					     "NOMAD_SHORT_ALLOC_ID=job-7\n"
					     "NOMAD_TASK_DIR=/local\n"
					     "NOMAD_TASK_NAME=web\n"
					     "PATH=/mine\n"
					     "X=\n");
}
END_TEST

START_TEST(variables_that_are_none)
{
	static const char *const cases[][2] = {
		{ "=x", "--env =x: expected KEY=VALUE or KEY" },
		{ "", "--env : expected KEY=VALUE or KEY" },
		{ "=", "--env =: expected KEY=VALUE or KEY" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TRIAL trial = TRIAL_INIT;

		trial_add(&trial, &trial.spec.env, cases[i][0]);
		trial_fails(&trial, cases[i][1]);
	}
	for (int i = 0; i < 2; i++) {
		TRIAL trial = TRIAL_INIT;

		trial_add(&trial, &trial.spec.node.meta, i ? "=x" : "rack");
		trial_fails(&trial, i ? "--meta =x: expected KEY=VALUE" :
					"--meta rack: expected KEY=VALUE");
	}
}
END_TEST

#define ROOT_SET 0xa80405fb /* the 13 that Nomad's driver allows */

START_TEST(capabilities)
{
	static const struct {
		uid_t uid;
		uint64_t held;
		const char *add[3], *drop[3];
		uint64_t expected;
	} cases[] = {
		{ 65534, ALL_CAPABILITIES, { NULL }, { NULL }, 0 },
		{ 0, ALL_CAPABILITIES, { NULL }, { NULL }, ROOT_SET },
		{ 65534, ALL_CAPABILITIES, { "net_bind_service" }, { NULL }, 1 << 10 },
		{ 65534, ALL_CAPABILITIES, { "CAP_CHOWN", "Kill" }, { NULL }, 0x21 },
		{ 65534, ALL_CAPABILITIES, { "all" }, { NULL }, ALL_CAPABILITIES },
		{ 65534, ALL_CAPABILITIES, { "all" }, { "chown" }, ALL_CAPABILITIES - 1 },
		{ 0, ALL_CAPABILITIES, { NULL }, { "all" }, 0 },
		{ 0, ALL_CAPABILITIES, { NULL }, { "chown", "CAP_KILL" }, ROOT_SET & ~0x21UL },
		{ 0, ALL_CAPABILITIES, { "net_bind_service" }, { "all" }, 1 << 10 },
		{ 0, ALL_CAPABILITIES, { "chown" }, { "chown" }, ROOT_SET }, /* adding wins */
		{ 0, ALL_CAPABILITIES, { "net_raw" }, { NULL }, ROOT_SET | 1 << 13 },
		/* never more than the launcher has */
		{ 0, 0x3, { NULL }, { NULL }, 0x3 },
		{ 65534, 0x3, { "all" }, { NULL }, 0x3 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TRIAL trial = TRIAL_INIT;

		trial.facts.user.uid = cases[i].uid;
		trial.facts.held_capabilities = cases[i].held;
		for (size_t j = 0; cases[i].add[j]; j++)
			trial_add(&trial, &trial.spec.cap_add, cases[i].add[j]);
		for (size_t j = 0; cases[i].drop[j]; j++)
			trial_add(&trial, &trial.spec.cap_drop, cases[i].drop[j]);
		trial_succeeds(&trial);
		ck_assert_msg(trial.task.capabilities == cases[i].expected,
			      "case %zu: %jx, expected %jx", i, (uintmax_t)trial.task.capabilities,
			      (uintmax_t)cases[i].expected);
	}
}
END_TEST

START_TEST(capabilities_that_are_none)
{
	for (int i = 0; i < 3; i++) {
		TRIAL trial = TRIAL_INIT;

		trial.facts.held_capabilities = 0x1;
		trial_add(&trial, i == 1 ? &trial.spec.cap_drop : &trial.spec.cap_add,
			  i == 2 ? "sys_admin" : "root");
		trial_fails(
			&trial,
			i == 0 ?
				"--cap-add root: unknown capability; see capabilities(7), or all" :
			i == 1 ?
				"--cap-drop root: unknown capability; see capabilities(7), or all" :
				"--cap-add sys_admin: this launcher does not hold that capability itself");
	}
}
END_TEST

/* n times 'x', from the pool. */
static const char *many(struct trial *trial, size_t n)
{
	char *text = pool_alloc(&trial->pool, n + 1);

	return memset(text, 'x', n);
}

START_TEST(names)
{
	static const char *const cases[][2] = {
		{ "/bin/sleep", "sleep" },
		{ "sleep", "sleep" },
		{ "/opt/my prog", "my_prog" },
		{ "/opt/.hidden", "_hidden" },
		{ "/opt/-x", "_x" },
		{ "/opt/\xc3\xa4", "__" },
		{ "/", "task" },
		{ "/opt/a-b_c.d", "a-b_c.d" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TRIAL trial = TRIAL_INIT;

		trial.spec.program = cases[i][0];
		trial_succeeds(&trial);
		ck_assert_str_eq(trial.task.name, cases[i][1]);
		ck_assert_str_eq(trial.task.id, TEST_ID);
		ck_assert_ptr_null(trial.task.hostname);
	}
	for (size_t i = 127; i < 130; i++) {
		TRIAL trial = TRIAL_INIT;

		trial.spec.program = many(&trial, i);
		trial_succeeds(&trial);
		ck_assert_uint_eq(strlen(trial.task.name), i < 128 ? i : 128);
	}
}
END_TEST

START_TEST(identifiers)
{
	static const char *const bad[] = { "",    ".",   "..",       ".x",  "-x",
					   "a/b", "a b", "\xc3\xa4", "a\n", "a:b" };
	static const char rule[] =
		"expected 1 to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -";

	for (size_t i = 0; i <= COUNT(bad); i++) {
		TRIAL trial = TRIAL_INIT;
		const char *text = i < COUNT(bad) ? bad[i] : many(&trial, 129);
		const char *shown = i == 8 ? "a?" : text; /* no control characters in messages */

		trial.spec.id = text;
		trial_fails(&trial, pool_printf(&trial.pool, "--id \"%s\": %s", shown, rule));
		trial.spec.id = NULL;
		trial.spec.name = text;
		trial_fails(&trial, pool_printf(&trial.pool, "--name \"%s\": %s", shown, rule));
	}
	TRIAL trial = TRIAL_INIT;

	trial.spec.id = trial.spec.name = many(&trial, 128);
	trial_succeeds(&trial);
	trial.spec.id = "0";
	trial.spec.name = "_";
	trial_succeeds(&trial);
	trial.spec.name = "alloc";
	trial_fails(&trial,
		    "--name alloc: that is the allocation's shared directory; choose another");
}
END_TEST

START_TEST(hostnames)
{
	TRIAL trial = TRIAL_INIT;

	trial.spec.hostname = many(&trial, 64);
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.hostname, trial.spec.hostname);
	trial.spec.hostname = "";
	trial_fails(&trial, "--hostname \"\": expected 1 to 64 bytes");
	trial.spec.hostname = many(&trial, 65);
	trial_fails(&trial, pool_printf(&trial.pool, "--hostname \"%s\": expected 1 to 64 bytes",
					trial.spec.hostname));
}
END_TEST

#define HINT "pass arguments with --args, or the whole command behind --"

START_TEST(commands)
{
	static const char *const bad[][2] = {
		{ "", "--command is empty" },
		{ "  \t\n", "--command is empty" },
		{ " x", "--command \" x\": white space around the name; " HINT },
		{ "x\t", "--command \"x?\": white space around the name; " HINT },
		{ "/bin/echo hi", "--command \"/bin/echo hi\": more than one word; " HINT },
		{ "${EMPTY}", "--command is empty" },
		{ "${SPACE}", "--command \"a b\": more than one word; " HINT },
	};
	TRIAL program = TRIAL_INIT, none = TRIAL_INIT;

	for (size_t i = 0; i < COUNT(bad); i++) {
		TRIAL trial = TRIAL_INIT;

		trial_add(&trial, &trial.spec.env, "EMPTY=");
		trial_add(&trial, &trial.spec.env, "SPACE=a b");
		trial.spec.command = bad[i][0];
		trial.spec.name = "t";
		trial_fails(&trial, bad[i][1]);
	}
	program.spec.program = " any name\t"; /* behind `--` a file may be called anything */
	trial_succeeds(&program);
	ck_assert_str_eq(program.task.command, " any name\t");
	program.spec.program = "";
	trial_fails(&program, "the command is empty");
	ck_assert_int_eq(interpolate(&none.spec, &none.facts, &none.pool, &none.task, &none.err),
			 -1);
	ck_assert_str_eq(none.err.text, "no command; name one with --command PATH, or behind --");
}
END_TEST

START_TEST(everything_else)
{
	TRIAL trial = TRIAL_INIT;

	trial.spec.limits = (struct limits){ .cpu_mhz = 7, .memory_bytes = 8, .pids = 9 };
	trial.spec.timeout_ms = 10;
	trial.spec.kill_timeout_ms = 11;
	trial.spec.kill_signal = 12;
	trial.spec.alloc_dir = "/a";
	trial.spec.keep = true;
	trial_succeeds(&trial);
	ck_assert_uint_eq(trial.task.limits.cpu_mhz, 7);
	ck_assert_uint_eq(trial.task.limits.memory_bytes, 8);
	ck_assert_uint_eq(trial.task.limits.pids, 9);
	ck_assert_uint_eq(trial.task.timeout_ms, 10);
	ck_assert_uint_eq(trial.task.kill_timeout_ms, 11);
	ck_assert_int_eq(trial.task.kill_signal, 12);
	ck_assert_str_eq(trial.task.alloc_dir, "/a");
	ck_assert(trial.task.keep);
	ck_assert_uint_eq(trial.task.user.uid, 65534);
	ck_assert_str_eq(trial.task.work_dir, "/");
	ck_assert_uint_eq(trial.task.sources_n, 0);
	trial.spec.work_dir = "tmp";
	trial_fails(&trial, "--work-dir tmp: expected an absolute path inside the chroot");
}
END_TEST

Suite *task_suite(void)
{
	Suite *suite = suite_create("task");
	TCase *made = tcase_create("made"), *refused = tcase_create("refused");

	tcase_add_test(made, environment);
	tcase_add_test(made, environment_of_the_user);
	tcase_add_test(made, capabilities);
	tcase_add_test(made, names);
	tcase_add_test(made, hostnames);
	tcase_add_test(made, everything_else);
	tcase_add_test(refused, variables_that_are_none);
	tcase_add_test(refused, capabilities_that_are_none);
	tcase_add_test(refused, identifiers);
	tcase_add_test(refused, commands);
	suite_add_tcase(suite, made);
	suite_add_tcase(suite, refused);
	return suite;
}
