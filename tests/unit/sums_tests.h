/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sums files share: known checksums, and memory of an exact size. */
#ifndef TESTS_SUMS_TESTS_H
#define TESTS_SUMS_TESTS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/verify.h"

/* Of "Hello\n". */
#define MD5 "09f7e02f1290be211da707a266f153b3"
#define SHA1 "1d229271928d3f9e2bb0375bd6ce5db6c6d348d9"
#define SHA256 "66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18"
#define SHA384                                                                                     \
	"1d283e09aa7e597f2c0505c13f7c09eb4d4cd198fb7b144eeea2824cc59a046d"                         \
	"9363b3f038abf7aa6bde7f8adaf561a4"
#define SHA512                                                                                     \
	"c2bad2223811194582af4d1508ac02cd69eeeeedeeb98d54fcae4dcefb13cc88"                         \
	"2e7640328206603d3fb9cd5f949a9be0db054dd34fbfa190c498a5fe09750cef"
/* Of nothing we have. */
#define ZERO40 "0000000000000000000000000000000000000000"
#define ZERO32 "00000000000000000000000000000000"
#define ZERO64 ZERO32 ZERO32

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static inline char *exact_copy(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, n);
	return copy;
}

/* "sha256" when it is Hello's, else "sha256!". */
static inline void describe_checksum(const struct checksum *checksum, char *text, size_t size)
{
	static const char *const hello[] = { "md5:" MD5, "sha1:" SHA1, "sha256:" SHA256,
					     "sha384:" SHA384, "sha512:" SHA512 };
	char formatted[CHECKSUM_TEXT_BYTES];
	bool right = false;

	checksum_format(checksum, formatted);
	for (size_t i = 0; i < sizeof(hello) / sizeof(hello[0]); i++)
		right = right || strcmp(formatted, hello[i]) == 0;
	snprintf(text, size, "%s%s", checksum->type, right ? "" : "!");
}

/* A line with a name of this many bytes. */
static inline char *long_line(size_t name_bytes, size_t *n)
{
	char *line = malloc(66 + name_bytes);

	ck_assert_ptr_nonnull(line);
	memcpy(line, SHA256 "  ", 66);
	memset(line + 66, 'x', name_bytes);
	*n = 66 + name_bytes;
	return line;
}

#endif
