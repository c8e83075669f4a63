/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson, opened when JSON is first written. Values are made with the table's functions, handed to
 * their parent with object_set, and the whole is freed by json_write or json_drop.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

struct json {
	__typeof__(json_object) *object;
	__typeof__(json_object_set_new) *object_set;
	__typeof__(json_array) *array;
	__typeof__(json_array_append_new) *array_append;
	__typeof__(json_string) *string;
	__typeof__(json_integer) *integer;
	__typeof__(json_true) *true_value;
	__typeof__(json_false) *false_value;
	__typeof__(json_null) *null;
	__typeof__(json_dumpfd) *dumpfd;
	__typeof__(json_delete) *delete_value;
};

int json_open(struct json *json, enum stage stage, struct error *err);

/*
 * Sets key to the text, which is defused (base/text.h) unless it is UTF-8; NULL is null. -1: out of
 * memory.
 */
int json_set_text(const struct json *json, json_t *object, const char *key, const char *text);

/* Sets key to the number; a negative one is unknown and becomes null. */
int json_set_count(const struct json *json, json_t *object, const char *key, int64_t number);

/* Sets key to the time, as RFC 3339 in UTC with milliseconds; tv_sec 0 is null. */
int json_set_time(const struct json *json, json_t *object, const char *key,
		  const struct timespec *time);

int json_set_bool(const struct json *json, json_t *object, const char *key, int yes);

#endif
