/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which line of a sums file is meant by one file. Pure; every byte of the sums file may be hostile.
 * In doubt it is an error: a checksum of some other file proves nothing.
 */
#include <stdio.h>
#include <string.h>

#include "verify/verify.h"

#define NAMES_SHOWN 5

/* How well a listed name fits. */
enum fit { FIT_NONE, FIT_BASE_NAME, FIT_NAME, FIT_PATH };

struct search {
	const char *name, *path;
	enum fit fit;                          /* the best so far; what follows is of these */
	struct checksum found[HASH_TYPES_MAX]; /* one of each type */
	bool ambiguous;
	char listed[SUMS_NAME_BYTES]; /* the first one's name */
	size_t named, bare;           /* lines of all kinds */
	struct checksum bare_checksum;
};

static const char *clean(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		for (path += 2; *path == '/';)
			path++;
	return path;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum fit fit_of(const struct search *search, const char *listed)
{
	if (search->path && strcmp(clean(listed), clean(search->path)) == 0)
		return FIT_PATH;
	if (!*search->name || strcmp(base_name(listed), search->name) != 0)
		return FIT_NONE;
	return strcmp(clean(listed), search->name) == 0 ? FIT_NAME : FIT_BASE_NAME;
}

/* Another checksum for the file: better, or to be had beside, or against, the ones before. */
static void take(struct search *search, const struct sums *sums, enum fit fit)
{
	const char *type = sums->checksum.type;
	struct checksum *found =
		&search->found[digest_type_find(type, strlen(type)) - digest_types];

	if (fit < search->fit)
		return;
	if (fit > search->fit) {
		memset(search->found, 0, sizeof(search->found));
		search->fit = fit;
		search->ambiguous = false;
		strcpy(search->listed, sums->name);
	}
	if (found->type ? !checksum_equal(found, &sums->checksum) :
			  strcmp(clean(sums->name), clean(search->listed)) != 0)
		search->ambiguous = true;
	*found = sums->checksum;
}

static void look_at(struct search *search, const struct sums *sums, enum sums_line line)
{
	enum fit fit;

	if (line == SUMS_BARE) {
		search->bare++;
		search->bare_checksum = sums->checksum;
	}
	if (line != SUMS_NAMED)
		return;
	search->named++;
	fit = fit_of(search, sums->name);
	if (fit != FIT_NONE)
		take(search, sums, fit);
}

/* The names that are there, so that a typing error is seen; never all of a large file. */
static int refuse_unlisted(const struct search *search, const char *bytes, size_t n,
			   struct error *err)
{
	struct sums sums;
	enum sums_line line;
	size_t shown = 0;
	char names[NAMES_SHOWN * 64 + 40];
	size_t used = 0;

	if (sums_begin(&sums, bytes, n, err))
		return -1;
	while (shown < NAMES_SHOWN && (line = sums_next(&sums)) != SUMS_END)
		if (line == SUMS_NAMED)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.60s",
						 shown++ ? ", " : "", sums.name);
	if (search->named > shown)
		snprintf(names + used, sizeof(names) - used, " and %zu more",
			 search->named - shown);
	return error_set(err, STAGE_VERIFY, 0, "no checksum for %.200s; there are some for %s",
			 search->path ? search->path : search->name, names);
}

static int refuse(const struct search *search, const char *bytes, size_t n, struct error *err)
{
	if (search->named)
		return refuse_unlisted(search, bytes, n, err);
	if (search->bare)
		return error_set(
			err, STAGE_VERIFY, 0,
			"there are %zu checksums without a name, so none is known to be for "
			"%.200s",
			search->bare, search->name);
	return error_set(err, STAGE_VERIFY, 0, "there is no checksum in it");
}

int sums_find(const char *bytes, size_t n, const char *name, const char *path,
	      struct sums_match *match, struct error *err)
{
	struct search search = { .name = name, .path = path };
	struct sums sums;
	enum sums_line line;

	*match = (struct sums_match){ 0 };
	if (sums_begin(&sums, bytes, n, err))
		return -1;
	while ((line = sums_next(&sums)) != SUMS_END)
		look_at(&search, &sums, line);
	if (search.ambiguous)
		return error_set(
			err, STAGE_VERIFY, 0,
			"there are different checksums for %.200s; name one with --checksum",
			path ? path : name);
	if (search.fit == FIT_NONE && !search.named && search.bare == 1) {
		match->checksum = search.bare_checksum;
		return 0;
	}
	if (search.fit == FIT_NONE)
		return refuse(&search, bytes, n, err);
	for (size_t i = 0; i < HASH_TYPES_MAX; i++)
		if (search.found[i].type)
			match->checksum = search.found[i];
	match->by_base_name = search.fit == FIT_BASE_NAME;
	strcpy(match->name, search.listed);
	return 0;
}
