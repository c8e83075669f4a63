/* SPDX-License-Identifier: Apache-2.0 */
/* Text that may hold anything, made fit to be shown. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Replaces by '?', in place, every control character (those of C1 too, which a terminal obeys) and
 * every byte that is not part of a UTF-8 character. Source: RFC 3629.
 */
void text_defuse(char *text);

/* The value of a hexadecimal digit in any case; -1: it is none. */
int text_hex_value(char c);

#endif
