/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Staging directories, and what killed runs left of them. Runs in the launcher as root. Others may
 * write to the destination: what has our name there may be anything, so it is never followed. A
 * lock (flock(2)) tells a live one from a dead one, because the kernel lets go of it when the last
 * process that holds it ends.
 */
#include "place/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/tree.h"
#include "place/entry.h"
#include "place/place.h"

#define PREFIX OUR_PREFIX "place-"
#define ATTEMPTS_MAX 20

void staging_name(char *name)
{
	uint64_t random;

	/* Never short and never interrupted for so few bytes: getrandom(2). */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uintptr_t)name ^ (uint64_t)getpid();
	snprintf(name, STAGING_NAME_BYTES, PREFIX "%016llx", (unsigned long long)random);
}

/* Whether `name` in the directory is still what fd is. */
static bool is_still(int directory_fd, const char *name, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 &&
	       fstatat(directory_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Between its making and its lock a directory looks like a dead one: then another is made. */
int staging_make(int directory_fd, struct staging *staging, struct error *err)
{
	for (int i = 0; i < ATTEMPTS_MAX; i++) {
		AUTO_FD fd = -1;

		staging_name(staging->name);
		if (mkdirat(directory_fd, staging->name, 0700)) {
			if (errno == EEXIST)
				continue;
			break;
		}
		fd = tree_open(directory_fd, staging->name);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) ||
		    !is_still(directory_fd, staging->name, fd))
			continue;
		staging->directory_fd = directory_fd;
		staging->fd = take_fd(&fd);
		return 0;
	}
	return error_set(err, STAGE_CHROOT, errno, "make a directory to unpack in");
}

/* What is in it goes by the descriptor: the name may mean something else by now. */
static int remove_directory(int directory_fd, const char *name, int fd)
{
	return tree_empty(fd) ? -1 : unlinkat(directory_fd, name, AT_REMOVEDIR);
}

void staging_remove(struct staging *staging)
{
	if (staging->fd < 0)
		return;
	if (remove_directory(staging->directory_fd, staging->name, staging->fd))
		log_warn("remove the directory %s that was unpacked in: %s", staging->name,
			 strerror(errno));
	drop_fd(&staging->fd);
}

/*
 * Whether we can have made it. A directory of ours is for nobody else; a file has its mode already
 * in the moment before it is renamed, but none by which others could write to it.
 */
static bool is_ours(const struct stat *st)
{
	if (st->st_uid != geteuid())
		return false;
	return S_ISDIR(st->st_mode) ? (st->st_mode & 07777) == 0700 :
				      S_ISREG(st->st_mode) && !(st->st_mode & 07022);
}

/* A directory that something is mounted on is none. */
static int open_left(int directory_fd, const char *name)
{
	int fd = tree_open(directory_fd, name);

	return fd < 0 && errno == ENOTDIR ?
		       openat(directory_fd, name,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) :
		       fd;
}

/*
 * A file of ours has a name of ours only between its making and its renaming. Who held the lock
 * until now may have renamed it, so the name is looked at again.
 */
static void clean_one(int directory_fd, const char *name)
{
	AUTO_FD fd = open_left(directory_fd, name);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !is_ours(&st) || flock(fd, LOCK_EX | LOCK_NB) ||
	    !is_still(directory_fd, name, fd))
		return;
	if (S_ISREG(st.st_mode))
		unlinkat(directory_fd, name, 0);
	else if (remove_directory(directory_fd, name, fd))
		log_warn("remove %s, which a killed run left: %s", name, strerror(errno));
}

void place_clean(int directory_fd)
{
	int again = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
			clean_one(directory_fd, entry->d_name);
}
