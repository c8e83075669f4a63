/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/node share: recorded machines, surveys of them, and their results. */
#ifndef TESTS_NODE_TESTS_H
#define TESTS_NODE_TESTS_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/node.h"
#include "node/survey.h"

#define POOL_MAX ((size_t)1 << 24)

TCase *node_calls_case(void); /* test_node_calls.c */
TCase *node_odd_case(void);
TCase *node_user_case(void); /* test_node_user.c */

static inline int open_tree(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "tests/unit/trees/%s", name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s; run from the top of the project", path, strerror(errno));
	return fd;
}

static inline const char *find_value(const struct attributes *attributes, const char *name)
{
	for (size_t i = 0; i < attributes->n; i++)
		if (strcmp(attributes->v[i].name, name) == 0)
			return attributes->v[i].value;
	return NULL;
}

static inline void add_text(char *text, size_t size, const struct attribute *attribute)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s=%s\n", attribute->name, attribute->value);
}

/* A survey of a tree up to its mounts, in pools of the test. */
static inline struct survey survey_of(int root_fd, struct pool *pool, struct attributes *attributes)
{
	struct survey survey = {
		.root_fd = root_fd, .pool = pool, .scratch = pool, .attributes = attributes
	};

	*attributes = (struct attributes){ 0 };
	survey_mounts(&survey);
	return survey;
}

/* The last attributes that were added, as text. */
static inline const char *added(const struct attributes *attributes, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < attributes->n; i++)
		add_text(text, size, &attributes->v[i]);
	return text;
}

#endif
