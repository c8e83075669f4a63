/* SPDX-License-Identifier: Apache-2.0 */
/* `nomad-exec fingerprint`: the attributes of this host on stdout. Needs no root; changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "node/node.h"

enum format { FORMAT_TEXT, FORMAT_JSON };

struct fingerprint {
	int format;
	const char *alloc_dir;
};

static const char *const formats[] = { "text", "json", NULL };

/* clang-format off */
static const struct option options[] = {
	{ .letter = 'f', .name = "format", .type = OPTION_CHOICE, .offset = offsetof(struct fingerprint, format),
	  .value = "FORMAT", .choices = formats, .summary = "text or json (text)" },
	{ .name = "alloc-dir", .type = OPTION_STRING, .offset = offsetof(struct fingerprint, alloc_dir), .value = "DIR",
	  .summary = "whose file system is reported (/var/lib/nomad-exec/alloc)" },
	{ 0 },
};
/* clang-format on */

/*
 * Whether the query names the attribute or, as "cpu" and "cpu." do, all below a name. "driver.exec"
 * is the attribute alone: a script that asks for it must not be answered by what is below it.
 */
static bool matches(const char *name, const char *query)
{
	size_t length = strlen(query);

	if (!length || strncmp(name, query, length) != 0)
		return false;
	if (!name[length] || query[length - 1] == '.')
		return true;
	return name[length] == '.' && strcmp(query, "driver.exec") != 0;
}

/* All attributes are asked for when nothing is named. */
static bool is_wanted(const char *name, const struct arguments *arguments)
{
	if (arguments->operands_from >= arguments->argc)
		return true;
	for (int i = arguments->operands_from; i < arguments->argc; i++)
		if (matches(name, arguments->argv[i]))
			return true;
	return false;
}

static const char *exact_value(const struct attributes *attributes,
			       const struct arguments *arguments)
{
	if (arguments->argc - arguments->operands_from != 1)
		return NULL;
	for (size_t i = 0; i < attributes->n; i++)
		if (strcmp(attributes->v[i].name, arguments->argv[arguments->operands_from]) == 0)
			return attributes->v[i].value;
	return NULL;
}

static void print_text(const struct attributes *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		printf("%s=%s\n", wanted->v[i].name, wanted->v[i].value);
}

static int print_json(const struct attributes *wanted, struct error *err)
{
	struct json json;
	json_t *object;
	int bad = 0;

	if (json_open(&json, STAGE_RUN, err))
		return -1;
	object = json.object();
	for (size_t i = 0; !bad && i < wanted->n; i++)
		bad = json_set_text(&json, object, wanted->v[i].name, wanted->v[i].value);
	bad = bad || json.dumpfd(object, STDOUT_FILENO, JSON_INDENT(2));
	putchar('\n');
	if (object)
		json.delete_value(object);
	return bad ? error_set(err, STAGE_RUN, errno, "write JSON to standard output") : 0;
}

static int fingerprint_main(const struct arguments *arguments, void *target, struct pool *pool,
			    int *status, struct error *err)
{
	const struct fingerprint *spec = target;
	AUTO_FD root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct node_source source = { .root_fd = root, .alloc_dir = spec->alloc_dir };
	struct attributes all = { 0 }, wanted;
	const char *why_not, *value;

	if (root < 0)
		return error_set(err, STAGE_SETUP, errno, "open /");
	if (node_attributes(&source, pool, &all, &why_not, err))
		return -1;
	if (why_not)
		log_warn("no driver.exec here: %s", why_not);
	value = spec->format == FORMAT_TEXT ? exact_value(&all, arguments) : NULL;
	if (value) {
		printf("%s\n", value);
		return 0;
	}
	wanted = (struct attributes){ .v = pool_alloc(pool, (all.n + 1) * sizeof(*all.v)) };
	if (!wanted.v)
		return pool_error(err, STAGE_SETUP);
	for (size_t i = 0; i < all.n; i++)
		if (is_wanted(all.v[i].name, arguments))
			wanted.v[wanted.n++] = all.v[i];
	*status = wanted.n ? 0 : 1;
	if (spec->format == FORMAT_JSON)
		return print_json(&wanted, err);
	print_text(&wanted);
	return 0;
}

static const struct fingerprint defaults = { .alloc_dir = "/var/lib/nomad-exec/alloc" };
static const char *const synopsis[] = { "[OPTIONS] [ATTRIBUTE|PREFIX...]", NULL };

const struct command command_fingerprint = {
	.name = "fingerprint",
	.summary = "print the attributes of this host",
	.synopsis = synopsis,
	.options = options,
	.target_bytes = sizeof(struct fingerprint),
	.defaults = &defaults,
	.takes_operands = true,
	.statuses = { 1, 2, 1, 1, 1 },
	.run = fingerprint_main,
};
