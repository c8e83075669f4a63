/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a query, between '&' or ';'. Pure. Private to this folder. */
#ifndef FETCH_QUERY_H
#define FETCH_QUERY_H

#define QUERY_KEY_BYTES 64

struct parameter {
	char key[QUERY_KEY_BYTES]; /* decoded, cut at its end */
	const char *value;         /* behind the '='; NULL: there is none */
	const char *end;           /* the separator, or the end of the query */
};

/* The parameter that begins at text, behind a separator. */
struct parameter query_parameter(const char *text);

#endif
