/* SPDX-License-Identifier: Apache-2.0 */
/* `${…}`: what is a reference, what it stands for, and where. */
#include <stdio.h>
#include <string.h>

#include "suites.h"
#include "task_tests.h"

/* The node and the environment that Nomad's own tests use, with two traps. */
static void fill(struct trial *trial)
{
	static struct attribute attribute_list[] = {
		{ "arch", "amd64" },
		{ "kernel.name", "linux" },
		{ "unique.host_id", "26cfdf2a" },
	};
	static const struct attributes attributes = { attribute_list, 3, 3 };
	static const char *const env[] = {
		"NOMAD_IP=127.0.0.1",
		"NOMAD_PORT_WEB=:80",
		"NOMAD.PERIOD=period",
		"NOMAD-DASH=dash",
		"FOO=v",
		"A=B",
		"B=c",
		"EMPTY=",
		"REF=$${B}",
		"a b=spaced",
		"env.X=dotted",
		"node.class=mine",
		"DOLLAR=$",
	};

	trial->facts.attributes = &attributes;
	trial->spec.node.name = "test node";
	trial->spec.node.class = "test class";
	trial->spec.node.datacenter = "test dc";
	trial->spec.node.region = "test region";
	trial_add(trial, &trial->spec.node.meta, "instance=t2-micro");
	trial_add(trial, &trial->spec.node.meta, "my-key=m");
	for (size_t i = 0; i < COUNT(env); i++)
		trial_add(trial, &trial->spec.env, env[i]);
}

static void expect_argument(const char *text, const char *expected)
{
	TRIAL trial = TRIAL_INIT;

	fill(&trial);
	trial_add(&trial, &trial.spec.args, text);
	trial_succeeds(&trial);
	ck_assert_msg(strcmp(trial.task.args[0], expected) == 0,
		      "\"%s\" becomes \"%s\", expected \"%s\"", text, trial.task.args[0], expected);
	ck_assert_ptr_null(trial.task.args[1]);
}

START_TEST(references)
{
	static const char *const cases[][2] = {
		{ "${FOO}", "v" },
		{ "\"${NOMAD_IP}\"!", "\"127.0.0.1\"!" },
		{ "${NOMAD.PERIOD}", "period" },
		{ "${NOMAD-DASH}", "dash" },
		{ "${NOMAD_IP}${NOMAD_PORT_WEB}", "127.0.0.1:80" },
		{ "a${FOO}b${FOO}c", "avbvc" },
		{ "${FOO}}", "v}" },
		{ "$${FOO}$", "${FOO}$" },
		{ "${EMPTY}", "" },
		{ "x${EMPTY}y", "xy" },
		{ "${node.unique.name}${attr.arch}", "test nodeamd64" },
		{ "${meta.instance} ${meta.my-key}", "t2-micro m" },
		{ "${node.datacenter} ${node.region}", "test dc test region" },
		{ "${nomad.datacenter} ${nomad.region}", "test dc test region" },
		{ "${node.pool}", "default" },
		{ "${node.unique.id}", "26cfdf2a" },
		{ "${attr.kernel.name}", "linux" },
		{ "${NOMAD_META_instance} ${NOMAD_META_INSTANCE}", "t2-micro t2-micro" },
		{ "${NOMAD_TASK_DIR} ${NOMAD_CPU_LIMIT}", "/local 100" },
		{ "${PATH}", "/usr/local/bin:/usr/bin:/bin" },
		{ "${env.FOO}", "v" },
		{ "${env[\"FOO\"]}", "v" },
		{ "${env[\"a b\"]}", "spaced" },
		{ "${env[\"env.X\"]}${env.X}", "dotteddotted" },
		{ "\xc3\xa4${FOO}\xff", "\xc3\xa4v\xff" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_argument(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(plain_text)
{
	static const char *const cases[] = {
		"",
		"plain",
		"$",
		"$$",
		"test-$",
		"$FOO",
		"${FOO",
		"${",
		"{FOO}",
		"$(FOO)",
		"${}",
		"${a b}",
		"${ FOO}",
		"${FOO }",
		"${A:-x}",
		"%{FOO}",
		"$ {FOO}",
		"${\xc3\xa4}",
		"${FOO\n}",
		"${env[FOO]}",
		"${env['FOO']}",
		"${env[\"FOO\"]",
		"${env[\"FOO\"}",
		"${env[\"\"]}",
	};
	static const char *const unknown[] = {
		"${UNKNOWN}",   "${foo}",      "${meta.nope}",        "${attr.nope}",
		"${node.nope}", "${env.NOPE}", "${env[\"NOPE\"]}",    "${.}",
		"${-}",         "${attr.}",    "${node.unique.id.x}",
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_argument(cases[i], cases[i]);
	for (size_t i = 0; i < COUNT(unknown); i++)
		expect_argument(unknown[i], unknown[i]);
}
END_TEST

/* What comes out is never read again. */
START_TEST(one_pass)
{
	expect_argument("${REF}", "${B}");
	expect_argument("${${A}}", "${B}");
	expect_argument("${DOLLAR}{FOO}", "${FOO}");
	expect_argument("$${${FOO}}", "${v}");
}
END_TEST

/* The example of the driver's page. */
START_TEST(example_of_the_page)
{
	static const char *const args[] = { "${nomad.datacenter}", "${MY_ENV}", "${meta.foo}" };
	TRIAL trial = TRIAL_INIT;

	for (size_t i = 0; i < COUNT(args); i++)
		trial_add(&trial, &trial.spec.args, args[i]);
	trial_add(&trial, &trial.spec.env, "MY_ENV=my value");
	trial_add(&trial, &trial.spec.node.meta, "foo=first");
	trial_add(&trial, &trial.spec.node.meta, "foo=last wins");
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.args[0], "dc1");
	ck_assert_str_eq(trial.task.args[1], "my value");
	ck_assert_str_eq(trial.task.args[2], "last wins");
	ck_assert_ptr_null(trial.task.args[3]);
}
END_TEST

/* A variable of the task called like a node value: the command and its arguments see the variable,
 * its values do not. */
START_TEST(order_of_lookup)
{
	TRIAL trial = TRIAL_INIT;

	fill(&trial);
	trial.spec.command = "/bin/${node.class}";
	trial.spec.name = "t-${node.datacenter}";
	trial.spec.node.datacenter = "dc2";
	trial_add(&trial, &trial.spec.args, "${node.class}");
	trial_add(&trial, &trial.spec.env, "SEEN=${node.class}");
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.command, "/bin/mine");
	ck_assert_str_eq(trial.task.args[0], "mine");
	ck_assert_str_eq(trial_env(&trial, "SEEN"), "test class");
	ck_assert_str_eq(trial.task.name, "t-dc2");
}
END_TEST

/* A value sees the variables that were given before it, and those of the launcher. */
START_TEST(values_of_variables)
{
	static const char *const env[] = {
		"ONE=1",           "TWO=${ONE}2", "EARLY=${LATE}",           "LATE=3",
		"PATH=${PATH}:/x", "ONE=${ONE}+", "DIR=${NOMAD_TASK_DIR}/x",
	};
	TRIAL trial = TRIAL_INIT;

	for (size_t i = 0; i < COUNT(env); i++)
		trial_add(&trial, &trial.spec.env, env[i]);
	trial_succeeds(&trial);
	ck_assert_str_eq(trial_env(&trial, "TWO"), "12");
	ck_assert_str_eq(trial_env(&trial, "EARLY"), "${LATE}");
	ck_assert_str_eq(trial_env(&trial, "PATH"), "/usr/local/bin:/usr/bin:/bin:/x");
	ck_assert_str_eq(trial_env(&trial, "ONE"), "1+");
	ck_assert_str_eq(trial_env(&trial, "DIR"), "/local/x");
}
END_TEST

START_TEST(every_place)
{
	TRIAL trial = TRIAL_INIT;

	trial_add(&trial, &trial.spec.env, "V=x");
	trial.spec.program = "/${V} y/${V}";
	trial.spec.work_dir = "/${V}";
	trial.spec.hostname = "h-${node.region}";
	trial_succeeds(&trial);
	ck_assert_str_eq(trial.task.command, "/x y/x");
	ck_assert_str_eq(trial.task.work_dir, "/x");
	ck_assert_str_eq(trial.task.hostname, "h-global");
}
END_TEST

/* With --strict a reference without a value is an error that names it and its place; plain text is
 * none. */
START_TEST(strict)
{
	static const char *const env[] = { "FOO=bar", "BAD=x ${NOPE}" };

	for (int i = 0; i < 5; i++) {
		TRIAL trial = TRIAL_INIT;

		trial.spec.strict = true;
		trial_add(&trial, &trial.spec.args, "$FOO ${ ${} ${a b} $${NOPE} %{x}");
		switch (i) {
		case 0:
			trial_succeeds(&trial);
			ck_assert_str_eq(trial.task.args[0], "$FOO ${ ${} ${a b} ${NOPE} %{x}");
			break;
		case 1:
			trial_add(&trial, &trial.spec.args, "a ${env[\"NOPE\"]}");
			trial_fails(&trial, "argument 2: unknown variable ${NOPE}");
			break;
		case 2:
			trial.spec.command = "/bin/${meta.nope}";
			trial_fails(&trial, "--command: unknown variable ${meta.nope}");
			break;
		case 3:
			trial_add(&trial, &trial.spec.env, env[0]);
			trial_add(&trial, &trial.spec.env, env[1]);
			trial_fails(&trial, "BAD: unknown variable ${NOPE}");
			break;
		case 4:
			trial.spec.work_dir = "/${attr.x}";
			trial_fails(&trial, "--work-dir: unknown variable ${attr.x}");
			break;
		}
	}
}
END_TEST

/* 10,000 variables, and one argument of 1 MiB that refers to all of them, again and again. */
START_TEST(much)
{
	enum { VARIABLES = 10000, BYTES = 1 << 20 };
	TRIAL trial = TRIAL_INIT;
	char *argument = pool_alloc(&trial.pool, BYTES + 1), *in = argument;
	char *expected = pool_alloc(&trial.pool, BYTES + 1), *out = expected;

	for (int i = 0; i < VARIABLES; i++)
		trial_add(&trial, &trial.spec.env, pool_printf(&trial.pool, "KEY_%d=%d", i, i * 7));
	for (int i = 0; in + 20 < argument + BYTES; i = (i + 1) % VARIABLES) {
		in += sprintf(in, "${KEY_%d}-", i);
		out += sprintf(out, "%d-", i * 7);
	}
	memset(in, 'x', (size_t)(argument + BYTES - in));
	memset(out, 'x', (size_t)(argument + BYTES - in));
	trial_add(&trial, &trial.spec.args, argument);
	trial_succeeds(&trial);
	ck_assert_uint_eq(strlen(argument), BYTES);
	ck_assert(strcmp(trial.task.args[0], expected) == 0);
	ck_assert_str_eq(trial_env(&trial, "KEY_9999"), "69993");
}
END_TEST

START_TEST(without_memory)
{
	TRIAL trial = TRIAL_INIT;

	trial.spec.command = "/bin/sleep";
	trial.pool.left_bytes = 0;
	ck_assert_int_eq(trial_run(&trial), -1);
	ck_assert_str_eq(trial.err.text, "the strings of this run: Cannot allocate memory");
	ck_assert_int_eq(trial.err.kind, ERROR_FAILED);
}
END_TEST

/* Attributes cost time to find out: they are asked for exactly when a text refers to them. */
START_TEST(wish_for_attributes)
{
	static const char *const wishes[] = { "x${attr.arch}", "${node.unique.id}",
					      "${nomad.unique.id}" };
	static const char *const others[] = { "", "attr.arch", "${node.unique.name}",
					      "${meta.attr}" };

	for (size_t i = 0; i < COUNT(wishes); i++) {
		const char *text = wishes[i];
		struct strings list = { .v = &text, .n = 1 };
		struct artifact_spec artifacts[] = {
			{ .source = text },  { .destination = text }, { .checksum = text },
			{ .headers = list }, { .options = list },
		};
		void *artifact[] = { &artifacts[0], &artifacts[1], &artifacts[2], &artifacts[3],
				     &artifacts[4] };
		const struct spec specs[] = {
			{ .command = text },
			{ .program = text },
			{ .args = list },
			{ .env = list },
			{ .artifacts = { .v = &artifact[0], .n = 1 } },
			{ .artifacts = { .v = &artifact[1], .n = 1 } },
			{ .artifacts = { .v = &artifact[2], .n = 1 } },
			{ .artifacts = { .v = &artifact[3], .n = 1 } },
			{ .artifacts = { .v = &artifact[4], .n = 1 } },
			{ .name = text },
			{ .hostname = text },
			{ .work_dir = text },
		};

		for (size_t j = 0; j < COUNT(specs); j++)
			ck_assert_msg(interpolate_wants_attributes(&specs[j]), "%s, place %zu",
				      text, j);
	}
	for (size_t i = 0; i < COUNT(others); i++)
		ck_assert(!interpolate_wants_attributes(&(struct spec){ .command = others[i] }));
}
END_TEST

Suite *interpolate_suite(void)
{
	Suite *suite = suite_create("interpolate");
	TCase *grammar = tcase_create("grammar"), *meaning = tcase_create("meaning");
	TCase *bounds = tcase_create("bounds");

	tcase_add_test(grammar, references);
	tcase_add_test(grammar, plain_text);
	tcase_add_test(grammar, one_pass);
	tcase_add_test(grammar, strict);
	tcase_add_test(meaning, example_of_the_page);
	tcase_add_test(meaning, order_of_lookup);
	tcase_add_test(meaning, values_of_variables);
	tcase_add_test(meaning, every_place);
	tcase_add_test(meaning, wish_for_attributes);
	tcase_add_test(bounds, much);
	tcase_add_test(bounds, without_memory);
	suite_add_tcase(suite, grammar);
	suite_add_tcase(suite, meaning);
	suite_add_tcase(suite, bounds);
	return suite;
}
