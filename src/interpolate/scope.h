/* SPDX-License-Identifier: Apache-2.0 */
/* Private to interpolate: what names mean, and the expansion of one text. */
#ifndef INTERPOLATE_SCOPE_H
#define INTERPOLATE_SCOPE_H

#include <search.h>

#include "interpolate/interpolate.h"

struct scope {
	const struct spec *spec;
	const struct facts *facts;
	struct pool *pool;
	struct strings env;        /* "KEY=VALUE", each key once */
	struct hsearch_data index; /* key -> its position in env */
};

/* Room for `entries` variables; released by scope_release. */
int scope_init(struct scope *scope, const struct spec *spec, const struct facts *facts,
	       struct pool *pool, size_t entries, struct error *err);
void scope_release(struct scope *scope);

/* Defines or replaces a variable of the task's environment; the value is taken as it is. */
int scope_define(struct scope *scope, const char *key, const char *value, struct error *err);

enum lookup_order { ENV_FIRST, NODE_FIRST };

/*
 * A copy of text with every `${…}` replaced that has a value. `where` names the text in errors
 * ("--args 2"). NULL on error.
 */
const char *scope_expand(struct scope *scope, enum lookup_order order, const char *where,
			 const char *text, struct error *err);

/* The artifacts of the task. Private to this folder, as all here. */
int sources_make(struct scope *scope, struct task *task, struct error *err);

#endif
