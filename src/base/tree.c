/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes a tree of any depth with few descriptors. Runs in the launcher as root; names, depth and
 * number of what is removed are up to an attacker, who no longer runs.
 */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* How deep a walk goes before it moves what is deeper up to the top, to be taken there in its turn.
 */
#define DEPTH_MAX 64

struct removal {
	int top_fd;
	unsigned long lifted; /* directories moved up so far: gives them their names */
};

/* A filter of system calls that does not know openat2 says EPERM, as some containers' do. */
int tree_open(int fd, const char *name)
{
	struct open_how how = { .flags = OPEN_DIR,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
	int inner = (int)syscall(SYS_openat2, fd, name, &how, sizeof(how));

	return inner < 0 && (errno == ENOSYS || errno == EPERM) ? openat(fd, name, OPEN_DIR) :
								  inner;
}

static int empty_directory(struct removal *removal, DIR *dir, int depth);

/* Names that are taken, as whoever filled the tree may have foreseen ours, are passed over. */
static int lift(struct removal *removal, int fd, const char *name)
{
	char lifted[40];

	do {
		snprintf(lifted, sizeof(lifted), ".lifted-%lu", removal->lifted++);
		if (renameat(fd, name, removal->top_fd, lifted) == 0)
			return 0;
	} while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
	return -1;
}

static DIR *open_directory(int fd, const char *name)
{
	AUTO_FD inner = tree_open(fd, name);
	DIR *dir = inner < 0 ? NULL : fdopendir(inner);

	if (dir)
		take_fd(&inner);
	return dir;
}

/* Where there are no descriptors left the walk is as deep as it gets. */
static int remove_directory(struct removal *removal, int fd, const char *name, int depth)
{
	AUTO_DIR inner = NULL;

	if (unlinkat(fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	if (depth < DEPTH_MAX) {
		inner = open_directory(fd, name);
		if (!inner && (errno != EMFILE || !depth))
			return -1;
	}
	if (!inner)
		return lift(removal, fd, name);
	if (empty_directory(removal, inner, depth + 1))
		return -1;
	return unlinkat(fd, name, AT_REMOVEDIR);
}

static int empty_directory(struct removal *removal, DIR *dir, int depth)
{
	int fd = dirfd(dir);

	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? -1 : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type != DT_DIR && unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		if (remove_directory(removal, fd, entry->d_name, depth))
			return -1;
	}
}

static int empty_top(DIR *top)
{
	struct removal removal = { .top_fd = top ? dirfd(top) : -1 };
	unsigned long before;

	do { /* again for what was moved up to the top meanwhile */
		before = removal.lifted;
		if (!top || empty_directory(&removal, top, 0))
			return -1;
		rewinddir(top);
	} while (removal.lifted != before);
	return 0;
}

int tree_empty(int fd)
{
	AUTO_DIR top = open_directory(fd, ".");

	return empty_top(top);
}

int tree_remove(int fd, const char *name)
{
	AUTO_DIR top = open_directory(fd, name);

	return empty_top(top) ? -1 : unlinkat(fd, name, AT_REMOVEDIR);
}
