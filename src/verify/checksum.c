/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a checksum as a user writes it, and judges its type. Any byte may come in. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "verify/verify.h"

static const struct digest_type *find_by_digits(size_t digits)
{
	for (const struct digest_type *type = digest_types; type->name; type++)
		if (digits == 2 * type->bytes)
			return type;
	return NULL;
}

int checksum_from_hex(const char *hex, size_t length, const struct digest_type *type,
		      struct checksum *checksum)
{
	*checksum = (struct checksum){ 0 };
	if (!type)
		type = find_by_digits(length);
	if (!type || length != 2 * type->bytes)
		return -1;
	for (size_t i = 0; i < type->bytes; i++) {
		int high = text_hex_value(hex[2 * i]), low = text_hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		checksum->digest[i] = (unsigned char)(high << 4 | low);
	}
	checksum->type = type->name;
	checksum->digest_bytes = type->bytes;
	return 0;
}

static int refuse_type(const char *text, const char *colon, struct error *err)
{
	if (!colon)
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"checksum %.200s: expected TYPE:HEX, or 32, 40, 64, 96 or 128 hex digits",
			text);
	return error_set_kind(
		err, STAGE_SETUP, ERROR_USAGE, 0,
		"checksum %.200s: not supported; supported are md5, sha1, sha256, sha384 and sha512",
		text);
}

int checksum_parse(const char *text, struct checksum *checksum, struct error *err)
{
	const char *colon = text ? strchr(text, ':') : NULL, *hex = colon ? colon + 1 : text;
	const struct digest_type *type;

	*checksum = (struct checksum){ 0 };
	if (!text)
		return 0;
	type = colon ? digest_type_find(text, (size_t)(colon - text)) :
		       find_by_digits(strlen(text));
	if (!type)
		return refuse_type(text, colon, err);
	if (checksum_from_hex(hex, strlen(hex), type, checksum))
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "checksum %.200s: %s has exactly %zu hex digits", text,
				      type->name, 2 * type->bytes);
	return 0;
}

int checksum_require(const struct checksum *checksum, const char *min_type, struct error *err)
{
	/* The table of types goes from the weakest to the strongest. */
	if (digest_type_find(checksum->type, strlen(checksum->type)) >=
	    digest_type_find(min_type, strlen(min_type)))
		return 0;
	return error_set_kind(
		err, STAGE_SETUP, ERROR_USAGE, 0,
		"checksum type %s is weaker than %s, the weakest that --min-hash allows",
		checksum->type, min_type);
}

void checksum_warn_if_weak(const char *type)
{
	if (digest_type_is_weak(type))
		log_warn(
			"checksum type %s is broken: different files with one checksum can be made; use sha256",
			type);
}
