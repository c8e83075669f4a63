/* SPDX-License-Identifier: Apache-2.0 */
/* The table of jansson's functions, and three setters for the shapes that reports are made of. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lazy.h"
#include "base/text.h"

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct json, object, json_object),
	LAZY_SYMBOL(struct json, object_set, json_object_set_new),
	LAZY_SYMBOL(struct json, array, json_array),
	LAZY_SYMBOL(struct json, array_append, json_array_append_new),
	LAZY_SYMBOL(struct json, string, json_string),
	LAZY_SYMBOL(struct json, integer, json_integer),
	LAZY_SYMBOL(struct json, true_value, json_true),
	LAZY_SYMBOL(struct json, false_value, json_false),
	LAZY_SYMBOL(struct json, null, json_null),
	LAZY_SYMBOL(struct json, dumpfd, json_dumpfd),
	LAZY_SYMBOL(struct json, delete_value, json_delete),
};

static const struct lazy_library jansson = {
	.purpose = "JSON",
	.package = "libjansson4",
	.sonames = { "libjansson.so.4" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(jansson, "[{\"soname\":[\"libjansson.so.4\"],\"feature\":\"json\","
		   "\"description\":\"reports as JSON\",\"priority\":\"recommended\"}]");

int json_open(struct json *json, enum stage stage, struct error *err)
{
	return lazy_open(&jansson, json, stage, err);
}

int json_set_text(const struct json *json, json_t *object, const char *key, const char *text)
{
	json_t *value = text ? json->string(text) : json->null();
	char *clean;

	if (value || !text)
		return json->object_set(object, key, value);
	clean = strdup(text);
	if (clean)
		text_defuse(clean);
	value = clean ? json->string(clean) : NULL;
	free(clean);
	return json->object_set(object, key, value);
}

int json_set_count(const struct json *json, json_t *object, const char *key, int64_t number)
{
	return json->object_set(object, key, number < 0 ? json->null() : json->integer(number));
}

int json_set_bool(const struct json *json, json_t *object, const char *key, int yes)
{
	return json->object_set(object, key, yes ? json->true_value() : json->false_value());
}

int json_set_time(const struct json *json, json_t *object, const char *key,
		  const struct timespec *time)
{
	char text[40], *end = text;
	struct tm utc;

	if (!time->tv_sec || !gmtime_r(&time->tv_sec, &utc))
		return json_set_text(json, object, key, NULL);
	end += strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(end, sizeof(text) - (size_t)(end - text), ".%03ldZ", time->tv_nsec / 1000000);
	return json_set_text(json, object, key, text);
}
