/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user asked for: option tables and their one parser, and the strict readers of single
 * values.
 *
 * Runs in the launcher before anything else. Everything here may be hostile (a wrapper script may
 * pass on foreign strings); the parsers take whole strings, check ranges and never guess.
 */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include "base/error.h"
#include "task.h"

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_STRING,   /* const char * */
	OPTION_STRINGS,  /* struct strings; repeatable, keeps its order */
	OPTION_MEMORY,   /* uint64_t bytes; a bare number is MiB; "unlimited" is 0 */
	OPTION_SIZE,     /* uint64_t bytes, so is a bare number */
	OPTION_NUMBER,   /* uint64_t within [min, max]; "unlimited" is 0 when min is 0 */
	OPTION_DURATION, /* uint64_t milliseconds; a bare number is seconds */
	OPTION_SIGNAL,   /* int */
	OPTION_CHOICE,   /* int: index into choices */
};

/* What NOMAD_EXEC_<OPTION> may set: everything but what names the task or may hold a secret. */
enum option_env { FROM_ENV, NOT_FROM_ENV };

/* Options that describe one of several things, each of which begins with the option that names it.
 */
struct option_group {
	size_t list; /* offset of a struct elements in the struct that receives the values */
	size_t element_bytes; /* of which the options' offsets are */
	const void *defaults;
};

struct option {
	char letter; /* 0: none */
	const char *name;
	enum option_type type;
	size_t offset;       /* in the struct that receives the value */
	const char *value;   /* "SIZE"; NULL for flags */
	const char *summary; /* one line for --help */
	const char *manual; /* a sentence or more for the manual, mdoc; NULL: the summary will do */
	const struct option_group *group; /* NULL: of the whole; else not FROM_ENV */
	bool begins; /* its group: given once more, it begins the next; a string */
	enum option_env env;
	uint64_t min, max;          /* OPTION_NUMBER */
	bool no_unlimited;          /* OPTION_NUMBER: 0 means none, not that there is no limit */
	const char *const *choices; /* OPTION_CHOICE, NULL-terminated */
};

struct arguments {
	int argc;
	char **argv;       /* argv[0] is the name of the command */
	bool anywhere;     /* options may stand behind operands, too */
	int operands_from; /* index of the first operand; argc when there is none */
	bool after_dashes; /* a `--` came before the operands */
	bool help; /* --help or -h stood where an option may stand; nothing behind it was read */
	/* All that the program was given, as other processes see it, and the copies that argv has.
	 */
	char **shown, **copies;
	int shown_n;
};

/*
 * Reads arguments->argv[1..] by the table (at most 64 entries, ended by a NULL name) into *target,
 * which holds the built-in values, and sets operands_from and after_dashes. GNU long options,
 * `--opt value` and `--opt=value`, the value taken verbatim even if it begins with `-`; no
 * abbreviations; letters may be bundled; options end at `--` or, unless `anywhere` is set, at the
 * first argument that is none. Operands then are the last of argv, in their order. Defaults of
 * NOMAD_EXEC_<OPTION> are taken first, flags win; a repeatable option that is given drops its
 * default. An option of a group is for the thing that was named last. Strings are not copied.
 * Errors are of kind ERROR_USAGE and name the option, the value, and what is expected. The first
 * one is reported; *target has all that could be read all the same, before and behind it, up to the
 * first argument that is no option.
 */
int options_parse(const struct option *table, struct arguments *arguments, void *target,
		  struct pool *pool, struct error *err);

/*
 * Makes argv a copy of what the caller gave, so that what others see of it can be changed. -1: out
 * of memory.
 */
int arguments_copy(struct arguments *arguments, struct pool *pool);

/*
 * Shows other processes `instead` where `value`, a part of one of argv, stands; as much of it as
 * there is room for. A value that is not of argv is left alone.
 */
void arguments_hide(const struct arguments *arguments, const char *value, const char *instead);

/* What `run` takes, and its built-in values. */
extern const struct option run_options[];
extern const struct spec run_defaults;

/* What `fetch` takes. */
struct fetch_spec {
	const char *checksum, *destination, *output, *unpack, *permissions, *owner;
	int mode; /* enum artifact_mode */
	struct strings headers, header_files;
	uint64_t strip_components;
	bool force, no_clobber, json;
	struct fetch_options fetch;
};

extern const struct option fetch_options[];
extern const struct fetch_spec fetch_defaults;

/*
 * Strict readers: whole string, range checked, no sign, no white space. Return 0, or -1 leaving
 * *out alone. Sizes: digits, optional decimal fraction, optional unit K M G T or KiB MiB GiB TiB
 * (1024-based), any case of the letter; `unit` is what a bare number counts in. Durations: 250ms,
 * 10s, 1m30s, 2h; bare number: seconds. Signals: TERM, SIGTERM, 15, any case. Names and numbers
 * that are unknown fail.
 */
int parse_size(const char *text, uint64_t unit, uint64_t *bytes);
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);
int parse_duration(const char *text, uint64_t *milliseconds);
int parse_signal(const char *text, int *number);

/*
 * Append the NUL-separated arguments of an --args-file, or the KEY=VALUE and KEY lines of an
 * --env-file (`#` begins a comment line), at most 2 MiB.
 */
int read_args_file(const char *path, struct strings *args, struct pool *pool, struct error *err);
int read_env_file(const char *path, struct strings *env, struct pool *pool, struct error *err);

/* Appends the lines of a --header-file; empty ones are passed over, a CR at an end is cut off. */
int read_header_file(const char *path, struct strings *headers, struct pool *pool,
		     struct error *err);

#endif
