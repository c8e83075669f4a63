/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time program: copies a page of the manual from stdin to stdout, and puts what the option
 * tables say in the place of two marker lines,
 *
 *   .\" OPTIONS [COMMAND]       the options; without a command those that stand before it
 *   .\" ENVIRONMENT [COMMAND]   the NOMAD_EXEC_* variables that give them defaults
 *
 * It is linked with all of src but main.c, so that the page and the parser read the same tables.
 * Promises that the default an option has in the code is named in its text; else, as for an unknown
 * marker, it fails and the page is not made. Runs at build time without privilege, on files of the
 * project; nothing hostile comes in.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

#define COLUMNS 78

/* The options of a command; with no name those of the program, which has no struct of defaults. */
static const struct option *find_table(const char *name, const void **defaults)
{
	*defaults = NULL;
	if (!*name)
		return global_options;
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0) {
			*defaults = commands[i]->defaults;
			return commands[i]->options;
		}
	return NULL;
}

/* The built-in value as the user would write it; false: there is none that could be named. */
static bool default_text(const struct option *option, const void *defaults, char *text, size_t size)
{
	const void *field = (const char *)defaults + option->offset;
	const char *string;
	uint64_t number;
	int index;

	switch (option->type) {
	case OPTION_STRING:
		string = *(const char *const *)field;
		return string && snprintf(text, size, "%s", string) > 0;
	case OPTION_MEMORY:
		number = *(const uint64_t *)field >> 20; /* a bare number counts MiB */
		return number && snprintf(text, size, "%" PRIu64, number) > 0;
	case OPTION_NUMBER:
		number = *(const uint64_t *)field;
		return number && snprintf(text, size, "%" PRIu64, number) > 0;
	case OPTION_DURATION:
		number = *(const uint64_t *)field;
		if (number % 1000)
			return snprintf(text, size, "%" PRIu64 "ms", number) > 0;
		return number && snprintf(text, size, "%" PRIu64 "s", number / 1000) > 0;
	case OPTION_SIGNAL:
		index = *(const int *)field;
		return index && snprintf(text, size, "SIG%s", sigabbrev_np(index)) > 0;
	case OPTION_CHOICE:
		return snprintf(text, size, "%s", option->choices[*(const int *)field]) > 0;
	default:
		return false;
	}
}

static int check_default(const struct option *option, const void *defaults)
{
	char text[200];

	if (!defaults || !default_text(option, defaults, text, sizeof(text)) ||
	    strstr(option->manual ? option->manual : option->summary, text))
		return 0;
	fprintf(stderr, "options: --%s: its text does not name its default, %s\n", option->name,
		text);
	return -1;
}

/* One character of UTF-8 at *text as mdoc's escape of its number; moves *text to its last byte. */
static void put_wide(FILE *out, const unsigned char **text)
{
	unsigned int lead = **text, length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	unsigned int code = lead & (0xffU >> (length + 1));

	for (; --length && ((*text)[1] & 0xc0) == 0x80; (*text)++)
		code = code << 6 | ((*text)[1] & 0x3f);
	fprintf(out, "\\[u%04X]", code);
}

/*
 * Plain text as mdoc: what roff would act on is escaped. Every dash stays what it is when the text
 * is copied to a shell.
 */
static void put_text(FILE *out, const char *from, size_t length)
{
	const unsigned char *text = (const unsigned char *)from, *end = text + length;

	if (length && (*text == '.' || *text == '\''))
		fprintf(out, "\\&");
	for (; text < end; text++)
		if (*text & 0x80)
			put_wide(out, &text);
		else if (*text == '\\')
			fprintf(out, "\\e");
		else if (*text == '-')
			fprintf(out, "\\-");
		else
			putc(*text, out);
}

/*
 * A summary as a sentence: "working directory inside the chroot (/)" becomes "Working directory
 * inside the chroot (default: /)." What begins with a reference or with a list of words is
 * completed.
 */
static void put_summary(FILE *out, const struct option *option)
{
	const char *summary = option->summary;
	size_t length = strlen(summary);
	const char *open = length && summary[length - 1] == ')' ? strrchr(summary, '(') : NULL;
	char first = (char)toupper((unsigned char)*summary);

	if (option->type == OPTION_CHOICE)
		fprintf(out, "One of ");
	else if (*summary == '$')
		fprintf(out, "The value of ");
	else
		putc(first, out), summary++, length--;
	if (open) {
		put_text(out, summary, (size_t)(open + 1 - summary));
		fprintf(out, "default: ");
		put_text(out, open + 1, strlen(open + 1));
	} else {
		put_text(out, summary, length);
	}
	fprintf(out, ".\n");
}

static void put_names(FILE *out, const struct option *option)
{
	fprintf(out, "Fl \\-");
	put_text(out, option->name, strlen(option->name));
	if (option->value) {
		fprintf(out, " Ar ");
		put_text(out, option->value, strlen(option->value));
	}
	fprintf(out, "\n");
}

static void put_option(FILE *out, const struct option *option)
{
	fprintf(out, ".It ");
	if (option->letter)
		fprintf(out, "Fl %c , ", option->letter);
	put_names(out, option);
	if (option->manual)
		fprintf(out, "%s\n", option->manual);
	else
		put_summary(out, option);
	if (option->type == OPTION_NUMBER)
		fprintf(out, "A whole number from %" PRIu64 " to %" PRIu64 ".\n", option->min,
			option->max);
}

static int put_options(FILE *out, const struct option *table, const void *defaults)
{
	int bad = 0;

	fprintf(out, ".Bl -tag -width Ds\n");
	for (const struct option *option = table; option->name; option++) {
		bad |= check_default(option, defaults);
		put_option(out, option);
	}
	fprintf(out, ".El\n");
	return bad;
}

static void put_environment(FILE *out, const struct option *table)
{
	fprintf(out, ".Bl -tag -width NOMAD_EXEC_ARTIFACT_DESTINATION -compact\n");
	for (const struct option *option = table; option->name; option++) {
		if (option->env != FROM_ENV)
			continue;
		fprintf(out, ".It Ev NOMAD_EXEC_");
		for (const char *p = option->name; *p; p++)
			putc(*p == '-' ? '_' : toupper((unsigned char)*p), out);
		fprintf(out, "\n.");
		put_names(out, option);
	}
	fprintf(out, ".El\n");
}

/*
 * Prints a list with its long lines broken at blanks, as everybody's roff linter wants it. Macro
 * lines stay in one piece, and no line begins with what would make it a macro.
 */
static void put_wrapped(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n"), at = length;

		if (*text != '.' && length > COLUMNS)
			for (at = COLUMNS; at && (text[at] != ' ' || strchr(".'", text[at + 1]));
			     at--)
				continue;
		if (!at)
			at = length;
		printf("%.*s\n", (int)at, text);
		text += at + !!text[at];
	}
}

/* The rest of a line behind a marker, without blanks around it; NULL: the line is another one. */
static const char *after_marker(char *line, const char *marker)
{
	size_t length = strlen(marker);

	if (strncmp(line, marker, length) != 0)
		return NULL;
	line += length;
	line[strcspn(line, "\n")] = '\0';
	return line + strspn(line, " ");
}

/* The list that a marker stands for. */
static int put_list(const char *command, bool is_environment)
{
	const void *defaults;
	const struct option *table = find_table(command, &defaults);
	char *text = NULL;
	size_t size;
	FILE *out;
	int bad = 0;

	if (!table) {
		fprintf(stderr, "options: %s: there is no such command\n", command);
		return -1;
	}
	out = open_memstream(&text, &size);
	if (out && is_environment)
		put_environment(out, table);
	else if (out)
		bad = put_options(out, table, defaults);
	if (!out || fclose(out)) {
		perror("options");
		bad = -1;
	} else {
		put_wrapped(text);
	}
	free(text);
	return bad;
}

static int put_line(char *line)
{
	const char *command = after_marker(line, ".\\\" OPTIONS");

	if (command)
		return put_list(command, false);
	command = after_marker(line, ".\\\" ENVIRONMENT");
	if (command)
		return put_list(command, true);
	return fputs(line, stdout) < 0 ? -1 : 0;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	int bad = 0;

	while (getline(&line, &size, stdin) > 0)
		bad |= put_line(line);
	free(line);
	if (ferror(stdin) || fflush(stdout) || ferror(stdout)) {
		perror("options");
		bad = -1;
	}
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
