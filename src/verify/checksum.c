/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a checksum as a user writes it. Pure; any byte may come in. */
#include <string.h>
#include <strings.h>

#include "verify/verify.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const char *text, unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++, text += 2) {
		int high = hex_value(text[0]), low = high < 0 ? -1 : hex_value(text[1]);

		if (low < 0)
			return -1;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return *text ? -1 : 0;
}

static const struct digest_type *find_by_digits(size_t digits)
{
	for (const struct digest_type *type = digest_types; type->name; type++)
		if (digits == 2 * type->bytes)
			return type;
	return NULL;
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
	if (parse_hex(hex, checksum->digest, type->bytes)) {
		*checksum = (struct checksum){ 0 };
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "checksum %.200s: %s has exactly %zu hex digits", text,
				      type->name, 2 * type->bytes);
	}
	checksum->type = type->name;
	checksum->digest_bytes = type->bytes;
	return 0;
}
