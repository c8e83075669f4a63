/* SPDX-License-Identifier: Apache-2.0 */
/* The artifacts that a task wants. Pure; every string may be hostile. */
#include <stdio.h>
#include <string.h>

#include "interpolate/scope.h"

/* The type of a checksum is what it says itself; only its value may be a reference. */
static const char *expand_checksum(struct scope *scope, const char *text, struct error *err)
{
	const char *colon = strchr(text, ':');
	const char *value =
		scope_expand(scope, ENV_FIRST, "--checksum", colon ? colon + 1 : text, err);

	if (!value || (!colon && strchr(value, ':')))
		return value ? text : NULL;
	if (!colon)
		return value;
	value = pool_printf(scope->pool, "%.*s:%s", (int)(colon - text), text, value);
	if (!value)
		pool_error(err, STAGE_SETUP);
	return value;
}

static int set_checksum(struct scope *scope, struct source *source, const char *text,
			struct error *err)
{
	const char *checksum = expand_checksum(scope, text, err);

	if (!checksum)
		return -1;
	if (source->checksum && strcmp(source->checksum, checksum) != 0)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "two checksums for one artifact: %.200s and %.200s",
				      source->checksum, checksum);
	source->checksum = checksum;
	return 0;
}

/* What go-getter calls the options of an artifact; most of its own are for sources that we refuse.
 */
static int set_option(struct scope *scope, struct source *source, const char *option,
		      struct error *err)
{
	const char *equals = strchr(option, '='), *value;
	size_t length = equals ? (size_t)(equals - option) : 0;

	if (!length)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--artifact-option %s: expected KEY=VALUE", option);
	if (length == 8 && strncmp(option, "checksum", length) == 0)
		return set_checksum(scope, source, equals + 1, err);
	value = scope_expand(scope, ENV_FIRST, "--artifact-option", equals + 1, err);
	if (!value)
		return -1;
	if (length == 7 && strncmp(option, "archive", length) == 0)
		source->archive = value;
	else if (length == 8 && strncmp(option, "filename", length) == 0)
		source->filename = value;
	else
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"--artifact-option %.*s: not supported; supported are checksum, archive and filename",
			(int)length, option);
	return 0;
}

static int set_headers(struct scope *scope, struct source *source, const struct strings *headers,
		       struct error *err)
{
	for (size_t i = 0; i < headers->n; i++) {
		const char *text =
			scope_expand(scope, ENV_FIRST, "--artifact-header", headers->v[i], err);

		if (!text)
			return -1;
		if (strings_add(scope->pool, &source->headers, text))
			return pool_error(err, STAGE_SETUP);
	}
	return 0;
}

static bool is_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (!path[length] || path[length] == '/');
}

/* Relative to the task's directory, beside which alloc/ is: "local/x", "alloc/x", "../alloc/x". */
static int check_destination(const char *destination, struct error *err)
{
	const char *path = destination + strspn(destination, "/");
	bool good;

	path += strncmp(path, "./", 2) == 0 ? 2 : 0;
	good = is_in(path, "local");
	path += !good && strncmp(path, "../", 3) == 0 ? 3 : 0;
	good = good || is_in(path, "alloc");
	for (; good && *path; path += strspn(path, "/")) {
		good = !is_in(path, "..");
		path += strcspn(path, "/");
	}
	return good ? 0 :
		      error_set_kind(
			      err, STAGE_SETUP, ERROR_USAGE, 0,
			      "--artifact-destination %s: expected a directory below local/ or alloc/",
			      destination);
}

static int make_source(struct scope *scope, const struct artifact_spec *spec, struct source *source,
		       struct error *err)
{
	if (!spec->source)
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"%s without --artifact-source: there is nothing that it is for",
			spec->checksum ? "--checksum" : "an option of an artifact");
	source->mode = (enum artifact_mode)spec->mode;
	source->url = scope_expand(scope, ENV_FIRST, "--artifact-source", spec->source, err);
	source->destination =
		scope_expand(scope, ENV_FIRST, "--artifact-destination", spec->destination, err);
	if (!source->url || !source->destination || check_destination(source->destination, err))
		return -1;
	if (spec->checksum && set_checksum(scope, source, spec->checksum, err))
		return -1;
	for (size_t i = 0; i < spec->options.n; i++)
		if (set_option(scope, source, spec->options.v[i], err))
			return -1;
	return set_headers(scope, source, &spec->headers, err);
}

int sources_make(struct scope *scope, struct task *task, struct error *err)
{
	const struct elements *artifacts = &scope->spec->artifacts;

	task->sources = pool_alloc(scope->pool, artifacts->n * sizeof(*task->sources));
	task->sources_n = artifacts->n;
	if (!task->sources)
		return pool_error(err, STAGE_SETUP);
	for (size_t i = 0; i < artifacts->n; i++)
		if (make_source(scope, artifacts->v[i], &task->sources[i], err))
			return -1;
	return 0;
}
