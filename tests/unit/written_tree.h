/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory that stands for / and that the test itself fills: `WRITTEN_TREE tree = tree_make();`.
 * Unlike the recorded ones below trees/ it holds what would be dull or huge to record.
 */
#ifndef TESTS_WRITTEN_TREE_H
#define TESTS_WRITTEN_TREE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct written_tree {
	char path[64];
	int fd;
};

static inline struct written_tree tree_make(void)
{
	struct written_tree tree = { .path = "/tmp/nomad-exec-tree-XXXXXX" };

	ck_assert_msg(mkdtemp(tree.path) != NULL, "%s: %s", tree.path, strerror(errno));
	tree.fd = open(tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(tree.fd, 0);
	return tree;
}

/* Makes or replaces a file and the directories above it. */
static inline void tree_write(const struct written_tree *tree, const char *path, const char *text)
{
	char part[256];
	FILE *file;
	int fd;

	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		ck_assert(mkdirat(tree->fd, part, 0755) == 0 || errno == EEXIST);
	}
	fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	file = fdopen(fd, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static inline int tree_unlink(const char *path, const struct stat *facts, int type, struct FTW *at)
{
	(void)facts;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void tree_release(struct written_tree *tree)
{
	nftw(tree->path, tree_unlink, 8, FTW_DEPTH | FTW_PHYS);
	close(tree->fd);
}

#define WRITTEN_TREE __attribute__((cleanup(tree_release))) struct written_tree

#endif
