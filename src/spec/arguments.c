/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments as we read them, and as others see them. Whoever may list processes can read the
 * command line of each; a secret should not stay there longer than it takes to read it.
 */
#include <string.h>

#include "spec/spec.h"

int arguments_copy(struct arguments *arguments, struct pool *pool)
{
	size_t bytes = ((size_t)arguments->argc + 1) * sizeof(char *);
	char **copies = pool_alloc(pool, bytes), **argv = pool_alloc(pool, bytes);

	if (!copies || !argv)
		return -1;
	for (int i = 0; i < arguments->argc; i++) {
		copies[i] = argv[i] = pool_strdup(pool, arguments->argv[i]);
		if (!argv[i])
			return -1;
	}
	arguments->shown = arguments->argv;
	arguments->shown_n = arguments->argc;
	arguments->copies = copies;
	arguments->argv = argv;
	return 0;
}

void arguments_hide(const struct arguments *arguments, const char *value, const char *instead)
{
	for (int i = 0; value && i < arguments->shown_n; i++) {
		const char *copy = arguments->copies[i];
		size_t length = strlen(copy);
		char *shown;

		if (value < copy || value > copy + length)
			continue;
		shown = arguments->shown[i] + (value - copy);
		length = strlen(shown);
		memset(shown, 0, length);
		memcpy(shown, instead, strnlen(instead, length));
		return;
	}
}
