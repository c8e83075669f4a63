/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser, on a table of the test's own that has each type once, and the table of `run`
 * itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"
#include "suites.h"

struct target {
	bool flag, other, secret_flag;
	const char *text, *secret, *two_words;
	struct strings list;
	uint64_t memory, number, count, duration;
	int signal, choice;
};

#define AT(field) offsetof(struct target, field)

static const char *const choices[] = { "red", "green", NULL };

/* clang-format off */
static const struct option table[] = {
	{ .name = "flag", .letter = 'f', .type = OPTION_FLAG, .offset = AT(flag) },
	{ .name = "other", .letter = 'o', .type = OPTION_FLAG, .offset = AT(other) },
	{ .name = "secret-flag", .type = OPTION_FLAG, .offset = AT(secret_flag), .env = NOT_FROM_ENV },
	{ .name = "text", .letter = 't', .type = OPTION_STRING, .offset = AT(text), .value = "TEXT" },
	{ .name = "secret", .type = OPTION_STRING, .offset = AT(secret), .value = "S", .env = NOT_FROM_ENV },
	{ .name = "two-words", .type = OPTION_STRING, .offset = AT(two_words), .value = "TEXT" },
	{ .name = "list", .letter = 'l', .type = OPTION_STRINGS, .offset = AT(list), .value = "ITEM" },
	{ .name = "memory", .letter = 'm', .type = OPTION_MEMORY, .offset = AT(memory), .value = "SIZE" },
	{ .name = "number", .type = OPTION_NUMBER, .offset = AT(number), .value = "N", .min = 1, .max = 10 },
	{ .name = "count", .type = OPTION_NUMBER, .offset = AT(count), .value = "N", .min = 0, .max = 10 },
	{ .name = "duration", .type = OPTION_DURATION, .offset = AT(duration), .value = "TIME" },
	{ .name = "signal", .type = OPTION_SIGNAL, .offset = AT(signal), .value = "SIGNAL" },
	{ .name = "choice", .type = OPTION_CHOICE, .offset = AT(choice), .value = "C", .choices = choices },
	{ 0 },
};
/* clang-format on */

/* One call of the parser and all that came of it. */
struct parsed {
	struct target target;
	struct arguments arguments;
	struct error err;
	int result;
	char *argv[16];
	char text[2000];
};

/* The built-in values, so that a changed field shows. */
static const struct target defaults = { .number = 5, .count = 6, .duration = 7, .choice = 1 };

static void add(struct parsed *parsed, const char *name, const char *value)
{
	size_t used = strlen(parsed->text);

	snprintf(parsed->text + used, sizeof(parsed->text) - used, "%s%s=%s", used ? " " : "", name,
		 value);
}

static void add_number(struct parsed *parsed, const char *name, uint64_t value, uint64_t built_in)
{
	char digits[24];

	if (value == built_in)
		return;
	snprintf(digits, sizeof(digits), "%ju", (uintmax_t)value);
	add(parsed, name, digits);
}

/* All fields that differ from the built-in values, as one text. */
static void describe(struct parsed *parsed)
{
	const struct target *t = &parsed->target;

	add_number(parsed, "flag", t->flag, 0);
	add_number(parsed, "other", t->other, 0);
	add_number(parsed, "secret_flag", t->secret_flag, 0);
	if (t->text)
		add(parsed, "text", t->text);
	if (t->secret)
		add(parsed, "secret", t->secret);
	if (t->two_words)
		add(parsed, "two_words", t->two_words);
	for (size_t i = 0; i < t->list.n; i++)
		add(parsed, "list", t->list.v[i]);
	add_number(parsed, "memory", t->memory, 0);
	add_number(parsed, "number", t->number, defaults.number);
	add_number(parsed, "count", t->count, defaults.count);
	add_number(parsed, "duration", t->duration, defaults.duration);
	add_number(parsed, "signal", (uint64_t)t->signal, 0);
	add_number(parsed, "choice", (uint64_t)t->choice, 1);
}

static void parse(struct parsed *parsed, struct pool *pool, const char *const *argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	*parsed = (struct parsed){ .target = defaults, .arguments = { .argc = argc } };
	ck_assert_int_lt(argc, 16);
	memcpy(parsed->argv, argv, (size_t)argc * sizeof(*argv));
	parsed->arguments.argv = parsed->argv;
	parsed->result =
		options_parse(table, &parsed->arguments, &parsed->target, pool, &parsed->err);
}

/* The arguments are taken, every field is as described, and the operands begin at
 * argv[operands_from]. */
static void takes(const char *expected, int operands_from, const char *const *argv)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	struct parsed parsed;

	parse(&parsed, &pool, argv);
	ck_assert_msg(parsed.result == 0, "%s: refused: %s", argv[1], parsed.err.text);
	describe(&parsed);
	ck_assert_str_eq(parsed.text, expected);
	ck_assert_int_eq(parsed.arguments.operands_from, operands_from);
	ck_assert(!parsed.arguments.help);
}

static void refuses(const char *message, const char *const *argv)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	struct parsed parsed;

	parse(&parsed, &pool, argv);
	ck_assert_msg(parsed.result == -1, "%s: taken, expected: %s", argv[1], message);
	ck_assert_str_eq(parsed.err.text, message);
	ck_assert_int_eq(parsed.err.kind, ERROR_USAGE);
	ck_assert_int_eq(parsed.err.stage, STAGE_SETUP);
}

#define ALONE ((const char *const[]){ "run", NULL })
#define ARGV(...) ((const char *const[]){ "run", __VA_ARGS__, NULL })

START_TEST(types)
{
	takes("", 1, ALONE);
	takes("flag=1", 2, ARGV("--flag"));
	takes("text=x", 3, ARGV("--text", "x"));
	takes("list=a list=b list=a", 7, ARGV("--list", "a", "--list", "b", "--list", "a"));
	takes("memory=314572800", 3, ARGV("--memory", "300"));
	takes("memory=1024", 3, ARGV("--memory", "1K"));
	takes("number=10", 3, ARGV("--number", "10"));
	takes("count=0", 3, ARGV("--count", "0"));
	takes("duration=90000", 3, ARGV("--duration", "1m30s"));
	takes("signal=15", 3, ARGV("--signal", "term"));
	takes("choice=0", 3, ARGV("--choice", "red"));
	takes("text=b number=3", 7, ARGV("--text", "a", "--number", "3", "--text", "b"));
	takes("count=0", 3, ARGV("--count", "unlimited"));
	takes("", 5, ARGV("--memory", "9", "--memory", "unlimited")); /* 0, as it is built in */
}
END_TEST

START_TEST(values_are_verbatim)
{
	takes("text=--flag", 3, ARGV("--text", "--flag"));
	takes("text=--", 3, ARGV("--text", "--"));
	takes("text=-", 3, ARGV("--text", "-"));
	takes("text=", 3, ARGV("--text", ""));
	takes("text=", 2, ARGV("--text="));
	takes("text==", 2, ARGV("--text=="));
	takes("text=a=b", 2, ARGV("--text=a=b"));
	takes("text=--text=x", 2, ARGV("--text=--text=x"));
	takes("list=-x list=--list", 4, ARGV("--list=-x", "--list", "--list"));
	takes("text=a b\n\xff", 3, ARGV("--text", "a b\n\xff"));
	takes("text=--help", 3, ARGV("--text", "--help"));
}
END_TEST

START_TEST(letters)
{
	takes("flag=1", 2, ARGV("-f"));
	takes("flag=1 other=1", 2, ARGV("-fo"));
	takes("flag=1 other=1", 3, ARGV("-o", "-f"));
	takes("text=x", 3, ARGV("-t", "x"));
	takes("text=x", 2, ARGV("-tx"));
	takes("text==x", 2, ARGV("-t=x"));
	takes("text=-f", 3, ARGV("-t", "-f"));
	takes("flag=1 text=of", 2, ARGV("-ftof"));
	takes("flag=1 text=of", 3, ARGV("-ft", "of"));
	takes("text=ext", 2, ARGV("-text")); /* a dash more is missing, and cannot be guessed */
	takes("list=a list=b", 4, ARGV("-la", "-l", "b"));
	refuses("unknown option -x", ARGV("-x"));
	refuses("unknown option -fx", ARGV("-fx"));
	refuses("--text needs a value: --text TEXT", ARGV("-ft"));
}
END_TEST

START_TEST(operands)
{
	takes("", 1, ARGV("operand", "--flag"));
	takes("flag=1", 2, ARGV("--flag", "operand", "--other"));
	takes("flag=1", 2, ARGV("--flag", "-", "--other")); /* standard input, not an option */
	takes("", 1, ARGV("", "--flag"));
	takes("", 2, ARGV("--"));
	takes("flag=1", 3, ARGV("--flag", "--", "--other"));
	takes("", 2, ARGV("--", "--"));
	takes("", 2, ARGV("--", "--help"));
}
END_TEST

START_TEST(dashes)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	struct parsed parsed;

	parse(&parsed, &pool, ARGV("--flag", "--", "x"));
	ck_assert(parsed.arguments.after_dashes);
	parse(&parsed, &pool, ARGV("--flag", "x", "--", "y"));
	ck_assert(!parsed.arguments.after_dashes);
}
END_TEST

START_TEST(help)
{
	static const char *const forms[] = { "--help", "-h" };

	for (size_t i = 0; i < 2; i++) {
		AUTO_POOL pool = POOL_INIT(1 << 20);
		struct parsed parsed;

		parse(&parsed, &pool, ARGV("--flag", forms[i], "--nonsense"));
		ck_assert_int_eq(parsed.result, 0);
		ck_assert(parsed.arguments.help);
	}
	refuses("unknown option --nonsense", ARGV("--nonsense", "--help"));
}
END_TEST

START_TEST(unknown_options)
{
	refuses("unknown option --nope", ARGV("--nope"));
	refuses("unknown option --tex", ARGV("--tex", "x")); /* no abbreviations */
	refuses("unknown option --Text", ARGV("--Text", "x"));
	refuses("unknown option --=x", ARGV("--=x"));
	refuses("unknown option ---flag", ARGV("---flag"));
	refuses("unknown option --no?e", ARGV("--no\ne"));
}
END_TEST

START_TEST(missing_and_needless_values)
{
	refuses("--text needs a value: --text TEXT", ARGV("--text"));
	refuses("--memory needs a value: --memory SIZE", ARGV("--flag", "--memory"));
	refuses("--flag takes no value", ARGV("--flag=1"));
	refuses("--flag takes no value", ARGV("--flag="));
}
END_TEST

START_TEST(bad_values)
{
	refuses("--memory: bad value \"-1\"; expected a size such as 300 (MiB), 512K, 1.5G, or unlimited",
		ARGV("--memory", "-1"));
	refuses("--number: bad value \"11\"; expected a whole number from 1 to 10",
		ARGV("--number=11"));
	refuses("--number: bad value \"unlimited\"; expected a whole number from 1 to 10",
		ARGV("--number", "unlimited"));
	refuses("--count: bad value \"\"; expected a whole number from 0 to 10, or unlimited",
		ARGV("--count", ""));
	refuses("--duration: bad value \"1x\"; expected a duration such as 250ms, 10s, 1m30s or 2h",
		ARGV("--duration", "1x"));
	refuses("--signal: bad value \"NOPE\"; expected a signal such as TERM, SIGINT or 9",
		ARGV("--signal", "NOPE"));
	refuses("--choice: bad value \"Red\"; expected one of: red green", ARGV("--choice", "Red"));
	refuses("--choice: bad value \"r?d\"; expected one of: red green",
		ARGV("--choice", "r\033d"));
}
END_TEST

START_TEST(environment_gives_defaults)
{
	setenv("NOMAD_EXEC_FLAG", "1", 1);
	setenv("NOMAD_EXEC_OTHER", "0", 1);
	setenv("NOMAD_EXEC_TEXT", "--from env", 1);
	setenv("NOMAD_EXEC_TWO_WORDS", "yes", 1);
	setenv("NOMAD_EXEC_LIST", "a b", 1);
	setenv("NOMAD_EXEC_MEMORY", "1G", 1);
	setenv("NOMAD_EXEC_SIGNAL", "HUP", 1);
	setenv("NOMAD_EXEC_SECRET", "never", 1);
	setenv("NOMAD_EXEC_SECRET_FLAG", "1", 1);
	setenv("NOMAD_EXEC_NOPE", "x", 1);
	takes("flag=1 text=--from env two_words=yes list=a b memory=1073741824 signal=1", 1, ALONE);
	takes("flag=1 text=mine two_words=yes list=x list=y memory=2097152 signal=1", 9,
	      ARGV("--text", "mine", "--list", "x", "--list", "y", "--memory", "2"));
	setenv("NOMAD_EXEC_FLAG", "", 1);
	setenv("NOMAD_EXEC_TEXT", "", 1);
	takes("text= two_words=yes list=a b memory=1073741824 signal=1", 1, ALONE);
}
END_TEST

START_TEST(bad_environment)
{
	setenv("NOMAD_EXEC_NUMBER", "x", 1);
	refuses("the environment's default of --number: bad value \"x\"; expected a whole number from 1 to 10",
		ARGV("--number", "2"));
	unsetenv("NOMAD_EXEC_NUMBER");
	setenv("NOMAD_EXEC_FLAG", "yes", 1);
	refuses("NOMAD_EXEC_FLAG: bad value \"yes\"; expected 1 or 0", ARGV("--flag"));
}
END_TEST

START_TEST(full_pool)
{
	AUTO_POOL pool = POOL_INIT(16);
	struct parsed parsed;

	parse(&parsed, &pool, ARGV("--list", "x"));
	ck_assert_int_eq(parsed.result, -1);
	ck_assert_str_eq(parsed.err.text, "the strings of this run: Cannot allocate memory");
	ck_assert_int_eq(parsed.err.kind, ERROR_FAILED);
}
END_TEST

static void without_defaults(void)
{
	clearenv();
}

Suite *options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *forms = tcase_create("forms"), *refused = tcase_create("refused");
	TCase *environment = tcase_create("environment");
	TCase *const cases[] = { forms, refused, environment };

	tcase_add_test(forms, types);
	tcase_add_test(forms, values_are_verbatim);
	tcase_add_test(forms, letters);
	tcase_add_test(forms, operands);
	tcase_add_test(forms, dashes);
	tcase_add_test(forms, help);
	tcase_add_test(refused, unknown_options);
	tcase_add_test(refused, missing_and_needless_values);
	tcase_add_test(refused, bad_values);
	tcase_add_test(refused, full_pool);
	tcase_add_test(environment, environment_gives_defaults);
	tcase_add_test(environment, bad_environment);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tcase_add_checked_fixture(cases[i], without_defaults, NULL);
		suite_add_tcase(suite, cases[i]);
	}
	return suite;
}
