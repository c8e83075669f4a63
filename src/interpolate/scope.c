/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `${NAME}`, `${env.NAME}`, `${env["NAME"]}`, and `$${` for a literal `${`. Everything else is
 * plain text. The task's variables are found through libc's hash table, so that ten thousand of
 * them cost no more each than one.
 */
#include "interpolate/scope.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int scope_init(struct scope *scope, const struct spec *spec, const struct facts *facts,
	       struct pool *pool, size_t entries, struct error *err)
{
	*scope = (struct scope){ .spec = spec, .facts = facts, .pool = pool };
	if (!hcreate_r(entries * 2 + 16, &scope->index))
		return error_set(err, STAGE_SETUP, errno, "a table for %zu variables", entries);
	return 0;
}

void scope_release(struct scope *scope)
{
	hdestroy_r(&scope->index);
}

static const char *env_value(struct scope *scope, char *key)
{
	ENTRY *found;

	if (!hsearch_r((ENTRY){ .key = key }, FIND, &found, &scope->index))
		return NULL;
	return strchr(scope->env.v[(uintptr_t)found->data], '=') + 1;
}

int scope_define(struct scope *scope, const char *key, const char *value, struct error *err)
{
	char *entry = pool_printf(scope->pool, "%s=%s", key, value);
	char *name = entry ? pool_strdup(scope->pool, key) : NULL;
	ENTRY *found;

	if (!name)
		return pool_error(err, STAGE_SETUP);
	if (hsearch_r((ENTRY){ .key = name }, FIND, &found, &scope->index)) {
		scope->env.v[(uintptr_t)found->data] = entry;
		return 0;
	}
	if (!hsearch_r((ENTRY){ .key = name, .data = (void *)(uintptr_t)scope->env.n }, ENTER,
		       &found, &scope->index))
		return error_set(err, STAGE_SETUP, errno, "environment variable %s", key);
	return strings_add(scope->pool, &scope->env, entry) ? pool_error(err, STAGE_SETUP) : 0;
}

static const char *pair_value(const struct strings *pairs, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = pairs->n; i-- > 0;) /* the last one given wins */
		if (strncmp(pairs->v[i], key, length) == 0 && pairs->v[i][length] == '=')
			return pairs->v[i] + length + 1;
	return NULL;
}

static const char *attribute_value(const struct attributes *attributes, const char *name)
{
	for (size_t i = 0; attributes && i < attributes->n; i++)
		if (strcmp(attributes->v[i].name, name) == 0)
			return attributes->v[i].value;
	return NULL;
}

static char *without_prefix(char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static const char *node_value(const struct scope *scope, char *key)
{
	const struct node_values *node = &scope->spec->node;
	char *name;

	if ((name = without_prefix(key, "attr.")))
		return attribute_value(scope->facts->attributes, name);
	if ((name = without_prefix(key, "meta.")))
		return pair_value(&node->meta, name);
	name = without_prefix(key, "node.");
	if (!name)
		name = without_prefix(key, "nomad."); /* the page's own example writes it so */
	if (!name)
		return NULL;
	if (strcmp(name, "datacenter") == 0)
		return node->datacenter;
	if (strcmp(name, "region") == 0)
		return node->region;
	if (strcmp(name, "class") == 0)
		return node->class;
	if (strcmp(name, "pool") == 0)
		return "default";
	if (strcmp(name, "unique.name") == 0)
		return node->name ? node->name : scope->facts->hostname;
	if (strcmp(name, "unique.id") == 0)
		return attribute_value(scope->facts->attributes, "unique.host_id");
	return NULL;
}

static const char *look_up(struct scope *scope, enum lookup_order order, char *key)
{
	char *name = without_prefix(key, "env.");
	const char *value;

	if (name && (value = env_value(scope, name)))
		return value;
	value = order == ENV_FIRST ? env_value(scope, key) : node_value(scope, key);
	if (value)
		return value;
	return order == ENV_FIRST ? node_value(scope, key) : env_value(scope, key);
}

/* What a reference at text ("${…") spans, and the name in it; 0 when it is plain text after all. */
static size_t parse_reference(const char *text, const char **name, size_t *length)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	const char *inner = text + 2, *end;

	if (strncmp(inner, "env[\"", 5) == 0 && (end = strchr(inner + 5, '"')) &&
	    strncmp(end, "\"]}", 3) == 0) {
		*name = inner + 5;
		*length = (size_t)(end - *name);
		return (size_t)(end + 3 - text);
	}
	*name = inner;
	*length = strspn(inner, allowed);
	return *length && inner[*length] == '}' ? *length + 3 : 0;
}

/*
 * The value of the reference at text, whose length goes to *span; NULL: leave the bytes as they
 * are.
 */
static const char *resolve(struct scope *scope, enum lookup_order order, const char *text,
			   size_t *span, char **key)
{
	size_t length;
	const char *name;

	*key = NULL;
	*span = parse_reference(text, &name, &length);
	if (!*span)
		return NULL;
	*key = pool_strndup(scope->pool, name, length);
	if (!*key)
		return NULL;
	return name != text + 2 ? env_value(scope, *key) : look_up(scope, order, *key);
}

struct output {
	char *data;
	size_t used, size;
};

static int put(struct pool *pool, struct output *out, const char *text, size_t length)
{
	if (out->size - out->used <= length) {
		size_t size = (out->used + length + 1) * 2;
		char *data = pool_alloc(pool, size);

		if (!data)
			return -1;
		if (out->used)
			memcpy(data, out->data, out->used);
		out->data = data;
		out->size = size;
	}
	memcpy(out->data + out->used, text, length);
	out->used += length;
	out->data[out->used] = '\0';
	return 0;
}

/* Puts what stands at *text, a '$', and moves *text behind it. */
static int put_dollar(struct scope *scope, enum lookup_order order, const char *where,
		      const char **text, struct output *out, struct error *err)
{
	const char *value = NULL;
	size_t span = 1;
	char *key = NULL;
	int bad;

	if (strncmp(*text, "$${", 3) == 0) {
		bad = put(scope->pool, out, "${", 2);
		*text += 3;
		return bad ? pool_error(err, STAGE_SETUP) : 0;
	}
	if ((*text)[1] == '{')
		value = resolve(scope, order, *text, &span, &key);
	if (!span)
		span = 1;
	if (key && !value && scope->spec->strict)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "%s: unknown variable ${%s}", where, key);
	bad = value ? put(scope->pool, out, value, strlen(value)) :
		      put(scope->pool, out, *text, span);
	*text += span;
	return bad ? pool_error(err, STAGE_SETUP) : 0;
}

const char *scope_expand(struct scope *scope, enum lookup_order order, const char *where,
			 const char *text, struct error *err)
{
	struct output out = { 0 };

	if (!strstr(text, "${")) {
		const char *copy = pool_strdup(scope->pool, text);

		if (!copy)
			pool_error(err, STAGE_SETUP);
		return copy;
	}
	while (*text) {
		size_t plain = strcspn(text, "$");

		if (put(scope->pool, &out, text, plain)) {
			pool_error(err, STAGE_SETUP);
			return NULL;
		}
		text += plain;
		if (*text && put_dollar(scope, order, where, &text, &out, err))
			return NULL;
	}
	return out.data;
}
