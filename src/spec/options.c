/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one option parser. Pure but for the defaults it takes from the environment; every byte of
 * argv and of the environment may be hostile. The table alone knows what options exist.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"

static const struct option *find_long(const struct option *table, const char *name, size_t length)
{
	for (; table->name; table++)
		if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
			return table;
	return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
	for (; table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static int set_choice(const struct option *option, int *index, const char *text)
{
	for (int i = 0; option->choices[i]; i++)
		if (strcmp(option->choices[i], text) == 0) {
			*index = i;
			return 0;
		}
	return -1;
}

static int set_limit(const struct option *option, uint64_t *number, const char *text)
{
	if (option->min == 0 && !option->no_unlimited && strcmp(text, "unlimited") == 0) {
		*number = 0;
		return 0;
	}
	if (option->type == OPTION_MEMORY)
		return parse_size(text, 1 << 20, number);
	return parse_number(text, option->min, option->max, number);
}

/* Stores one value; -1: it does not read as the option's type; 1: out of memory. */
static int store(const struct option *option, void *target, const char *text, struct pool *pool)
{
	void *field = (char *)target + option->offset;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_STRING:
		*(const char **)field = text;
		return 0;
	case OPTION_STRINGS:
		return strings_add(pool, field, text) ? 1 : 0;
	case OPTION_MEMORY:
	case OPTION_NUMBER:
		return set_limit(option, field, text);
	case OPTION_SIZE:
		return parse_size(text, 1, field);
	case OPTION_DURATION:
		return parse_duration(text, field);
	case OPTION_SIGNAL:
		return parse_signal(text, field);
	case OPTION_CHOICE:
		return set_choice(option, field, text);
	}
	return -1;
}

static int expected(const struct option *option, struct error *err)
{
	switch (option->type) {
	case OPTION_MEMORY:
		return error_remedy(err,
				    "expected a size such as 300 (MiB), 512K, 1.5G, or unlimited");
	case OPTION_NUMBER:
		return error_remedy(err,
				    "expected a whole number from %" PRIu64 " to %" PRIu64 "%s",
				    option->min, option->max,
				    option->min || option->no_unlimited ? "" : ", or unlimited");
	case OPTION_SIZE:
		return error_remedy(err, "expected a size such as 4096, 512K, 10M or 1.5G");
	case OPTION_DURATION:
		return error_remedy(err, "expected a duration such as 250ms, 10s, 1m30s or 2h");
	case OPTION_SIGNAL:
		return error_remedy(err, "expected a signal such as TERM, SIGINT or 9");
	case OPTION_CHOICE:
		error_remedy(err, "expected one of:");
		for (int i = 0; option->choices[i]; i++) {
			size_t used = strlen(err->text);

			strncat(err->text + used, " ", sizeof(err->text) - used - 1);
			strncat(err->text + used, option->choices[i], sizeof(err->text) - used - 2);
		}
		return -1;
	default:
		return -1;
	}
}

static int set_value(const struct option *option, void *target, const char *origin,
		     const char *text, struct pool *pool, struct error *err)
{
	int bad = store(option, target, text, pool);

	if (bad > 0)
		return pool_error(err, STAGE_SETUP);
	if (!bad)
		return 0;
	error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "%s%s: bad value \"%s\"", origin,
		       option->name, text);
	return expected(option, err);
}

/* NOMAD_EXEC_<NAME>, upper case, `_` for `-`. */
static const char *from_environment(const struct option *option, char *name, size_t size)
{
	size_t n = strlen(strcpy(name, "NOMAD_EXEC_"));

	for (const char *p = option->name; *p && n + 1 < size; p++)
		name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	name[n] = '\0';
	return getenv(name);
}

static int take_defaults(const struct option *table, void *target, struct pool *pool,
			 struct error *err)
{
	for (const struct option *option = table; option->name; option++) {
		char name[80];
		const char *text = option->env == FROM_ENV ?
					   from_environment(option, name, sizeof(name)) :
					   NULL;

		if (!text || (option->type == OPTION_FLAG && (!*text || strcmp(text, "0") == 0)))
			continue;
		if (option->type == OPTION_FLAG && strcmp(text, "1") != 0)
			return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
					      "%s: bad value \"%s\"; expected 1 or 0", name, text);
		if (set_value(option, target, "the environment's default of --", text, pool, err))
			return -1;
	}
	return 0;
}

static int unknown(const char *argument, struct error *err)
{
	return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "unknown option %s", argument);
}

/* The first use of a repeatable option replaces what the environment gave. */
struct parse {
	const struct option *table;
	struct arguments *arguments;
	void *target;
	struct pool *pool;
	uint64_t seen; /* bit n: the table's entry n was given */
	int at;
};

/* The thing that an option of a group is for: the last one, or a new one. NULL without memory. */
static void *element_of(const struct parse *parse, const struct option *option)
{
	const struct option_group *group = option->group;
	struct elements *list = (struct elements *)(void *)((char *)parse->target + group->list);
	char *last = list->n ? list->v[list->n - 1] : NULL;

	if (last && (!option->begins || !*(const char **)(void *)(last + option->offset)))
		return last;
	return elements_add(parse->pool, list, group->defaults, group->element_bytes);
}

static int give(struct parse *parse, const struct option *option, const char *value,
		struct error *err)
{
	uint64_t bit = 1ULL << (option - parse->table);
	void *target = option->group ? element_of(parse, option) : parse->target;

	if (!target)
		return pool_error(err, STAGE_SETUP);
	if (option->type == OPTION_STRINGS && !option->group && !(parse->seen & bit))
		*(struct strings *)((char *)target + option->offset) = (struct strings){ 0 };
	parse->seen |= bit;
	return set_value(option, target, "--", value, parse->pool, err);
}

/* The value of an option: behind its `=` or letter, or the next argument, taken verbatim. */
static int give_with_value(struct parse *parse, const struct option *option, const char *attached,
			   struct error *err)
{
	if (option->type == OPTION_FLAG)
		return give(parse, option, "", err);
	if (!attached && parse->at + 1 < parse->arguments->argc)
		attached = parse->arguments->argv[++parse->at];
	if (!attached)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--%s needs a value: --%s %s", option->name, option->name,
				      option->value);
	return give(parse, option, attached, err);
}

static int parse_long(struct parse *parse, const char *argument, struct error *err)
{
	const char *name = argument + 2, *equals = strchr(name, '=');
	const struct option *option =
		find_long(parse->table, name, equals ? (size_t)(equals - name) : strlen(name));

	if (!option)
		return unknown(argument, err);
	if (equals && option->type == OPTION_FLAG)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "--%s takes no value",
				      option->name);
	return give_with_value(parse, option, equals ? equals + 1 : NULL, err);
}

static int parse_letters(struct parse *parse, const char *argument, struct error *err)
{
	for (const char *letter = argument + 1; *letter; letter++) {
		const struct option *option = find_letter(parse->table, *letter);

		if (!option)
			return unknown(argument, err);
		if (option->type != OPTION_FLAG)
			return give_with_value(parse, option, letter[1] ? letter + 1 : NULL, err);
		if (give(parse, option, "", err))
			return -1;
	}
	return 0;
}

/*
 * Puts what was passed over on the way in front of the operands that follow: the places there were
 * read already.
 */
static void gather_operands(struct arguments *arguments, const struct strings *passed,
			    int rest_from)
{
	arguments->operands_from = rest_from - (int)passed->n;
	for (size_t i = 0; i < passed->n; i++)
		arguments->argv[arguments->operands_from + (int)i] =
			(char *)(uintptr_t)passed->v[i];
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* What is read in spite of an earlier error fills the target as well; the first error counts. */
static int parse_options(struct parse *parse, struct strings *passed, struct error *err)
{
	struct arguments *arguments = parse->arguments;
	struct error later, *next = err;

	for (; parse->at < arguments->argc; parse->at++) {
		const char *argument = arguments->argv[parse->at];

		if (argument[0] != '-' || !argument[1]) {
			if (!arguments->anywhere)
				break;
			if (strings_add(parse->pool, passed, argument))
				return pool_error(err, STAGE_SETUP);
			continue;
		}
		if (strcmp(argument, "--") == 0) {
			arguments->after_dashes = true;
			parse->at++;
			break;
		}
		arguments->help = next == err && is_help(argument);
		if (arguments->help)
			break;
		if (argument[1] == '-' ? parse_long(parse, argument, next) :
					 parse_letters(parse, argument, next))
			next = &later;
	}
	return next == err ? 0 : -1;
}

int options_parse(const struct option *table, struct arguments *arguments, void *target,
		  struct pool *pool, struct error *err)
{
	struct parse parse = { table, arguments, target, pool, 0, 1 };
	struct strings passed = { 0 };
	struct error later;
	int bad = take_defaults(table, target, pool, err);

	arguments->after_dashes = arguments->help = false;
	if (parse_options(&parse, &passed, bad ? &later : err) || bad)
		return -1;
	if (!arguments->help)
		gather_operands(arguments, &passed, parse.at);
	return 0;
}
