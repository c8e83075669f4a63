/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test program: signs requests for sources in S3, for others to compare. Each line of stdin is
 * "SECONDS SOURCE"; what comes out is the URL, the headers, one a line, and an empty line. It is
 * linked with all of src but main.c. Credentials are looked for where the program looks for them.
 * An error is printed and ends it with status 1. Runs as anyone; its input is the tests' own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/s3.h"

static int sign(const char *source, time_t now, struct error *err)
{
	AUTO_POOL pool = POOL_INIT((size_t)1 << 20);
	struct s3_credentials credentials;
	struct strings headers = { 0 };
	struct s3_object object;

	if (s3_parse(source, &pool, &object, err) ||
	    s3_find_credentials(&object, &pool, &credentials, err) ||
	    s3_sign(&object, &credentials, now, &pool, &headers, err))
		return -1;
	puts(object.url);
	for (size_t i = 0; i < headers.n; i++)
		puts(headers.v[i]);
	puts("");
	return 0;
}

int main(void)
{
	char line[10000], *source;
	struct error err;

	while (fgets(line, sizeof(line), stdin)) {
		time_t now = strtoll(line, &source, 10);

		source[strcspn(source, "\n")] = '\0';
		if (sign(source + (*source == ' '), now, &err)) {
			fprintf(stderr, "sign: %s\n", err.text);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
