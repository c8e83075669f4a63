/* SPDX-License-Identifier: Apache-2.0 */
/* What may be shown of any bytes. Pure; every byte may be hostile. */
#include "base/text.h"

#include <stddef.h>

/* How many bytes the character at p has; 0: none that may be shown begins there. */
static size_t shown_bytes(const unsigned char *p)
{
	static const unsigned int least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	unsigned int value = p[0] & (0x7fU >> n);

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fU);
	}
	return value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ? 0 : n;
}

void text_defuse(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		size_t n = shown_bytes(p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
}

int text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
