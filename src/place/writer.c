/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what an archive holds. Runs in the child that unpacks, whose root the top directory is
 * where that is possible. Names are clean, but the order and kind of entries are up to an attacker:
 * nothing that was made as a link or a file is ever gone through, and the top was empty at the
 * beginning, so that everything in it was written by this archive.
 */
#include "place/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/tree.h"

static int failed(struct error *err, const char *action)
{
	return error_set(err, STAGE_CHROOT, errno, "%s", action);
}

void writer_init(struct writer *writer, int top_fd, uint64_t directories_max)
{
	writer->set_owner = false;
	writer->directories_left = directories_max;
	writer->depth = 1;
	writer->levels[0].fd = top_fd;
	writer->levels[0].mtime.tv_nsec = UTIME_OMIT;
}

void writer_own(struct writer *writer, uid_t uid, gid_t gid)
{
	writer->set_owner = true;
	writer->uid = uid;
	writer->gid = gid;
}

static struct level *innermost(struct writer *writer)
{
	return &writer->levels[writer->depth - 1];
}

static int set_times(int fd, const struct timespec *mtime)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, *mtime };

	return futimens(fd, times);
}

static int leave(struct writer *writer, struct error *err)
{
	struct level *level = innermost(writer);
	int bad = level->mtime.tv_nsec != UTIME_OMIT && set_times(level->fd, &level->mtime);

	if (bad)
		failed(err, "set the time of its directory");
	drop_fd(&level->fd);
	writer->depth--;
	return bad ? -1 : 0;
}

static int make_directory(const struct writer *writer, int fd, const char *name, mode_t mode)
{
	int inner;

	if (mkdirat(fd, name, mode))
		return -1;
	inner = tree_open(fd, name);
	if (inner >= 0 && writer->set_owner && fchown(inner, writer->uid, writer->gid))
		drop_fd(&inner);
	return inner;
}

static int not_a_directory(struct error *err, const char *name)
{
	int errnum = errno;

	if (errnum == ELOOP || errnum == ENOTDIR)
		return error_set(err, STAGE_CHROOT, 0,
				 "it lies below %s, which is a link or a file in this archive",
				 name);
	return error_set(err, STAGE_CHROOT, errnum, "open the directory %s", name);
}

static struct level *push(struct writer *writer, const char *name, int fd)
{
	struct level *level = &writer->levels[writer->depth++];

	level->fd = fd;
	level->mtime = (struct timespec){ .tv_nsec = UTIME_OMIT };
	memcpy(level->name, name, strlen(name) + 1);
	return level;
}

/* The time that it was given when it was left before is the one that it has. */
static int enter_one(struct writer *writer, const char *name, bool make, struct error *err)
{
	int at = innermost(writer)->fd;
	AUTO_FD fd = tree_open(at, name);
	struct stat st;

	if (fd >= 0) {
		if (fstat(fd, &st))
			return failed(err, "look at its directory");
		push(writer, name, take_fd(&fd))->mtime = st.st_mtim;
		return 0;
	}
	if (errno != ENOENT || !make)
		return not_a_directory(err, name);
	if (!writer->directories_left--)
		return error_set(err, STAGE_CHROOT, 0,
				 "it is in more directories than are allowed");
	fd = make_directory(writer, at, name, 0755);
	if (fd < 0)
		return failed(err, "make its directory");
	push(writer, name, take_fd(&fd));
	return 0;
}

/*
 * Makes the directory that `name` lies in the innermost one. *last is then the last part of it,
 * which is all of it that is left to look up.
 */
static int enter(struct writer *writer, const char *name, bool make, const char **last,
		 struct error *err)
{
	char part[ENTRY_PART_BYTES];
	unsigned int depth = 1;
	const char *slash;

	for (; (slash = strchr(name, '/')); name = slash + 1, depth++) {
		size_t length = (size_t)(slash - name);

		if (length >= sizeof(part) || depth > WRITER_DEPTH_MAX)
			return error_set(err, STAGE_CHROOT, ENAMETOOLONG, "find its directory");
		memcpy(part, name, length);
		part[length] = '\0';
		if (depth < writer->depth && strcmp(writer->levels[depth].name, part) == 0)
			continue;
		while (writer->depth > depth)
			if (leave(writer, err))
				return -1;
		if (enter_one(writer, part, make, err))
			return -1;
	}
	while (writer->depth > depth)
		if (leave(writer, err))
			return -1;
	*last = name;
	return 0;
}

int writer_directory(struct writer *writer, const char *name, const struct dress *dress,
		     struct error *err)
{
	const mode_t mode = (dress->mode & 0755) | 0700;
	const char *last = name;
	int at, fd;

	if (enter(writer, name, true, &last, err))
		return -1;
	at = innermost(writer)->fd;
	fd = make_directory(writer, at, last, mode);
	if (fd < 0 && errno == EEXIST) {
		fd = tree_open(at, last);
		if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
			return error_set(err, STAGE_CHROOT, 0,
					 "it is a directory here, and was a link or a file before");
		if (fd >= 0 && fchmod(fd, mode))
			drop_fd(&fd);
	}
	if (fd < 0)
		return failed(err, "make the directory");
	push(writer, last, fd)->mtime = dress->mtime;
	return 0;
}

/* What was there under this name goes, unless it is a directory. */
static int make_room(int fd, const char *name, struct error *err)
{
	if (unlinkat(fd, name, 0) == 0)
		return 0;
	if (errno == EISDIR)
		return error_set(err, STAGE_CHROOT, 0, "it was a directory before");
	return failed(err, "replace what was there before");
}

int writer_file(struct writer *writer, const char *name, const struct dress *dress,
		struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *last = name;
	int at, fd;

	if (enter(writer, name, true, &last, err))
		return -1;
	at = innermost(writer)->fd;
	fd = openat(at, last, flags, dress->mode);
	if (fd < 0 && errno == EEXIST) {
		if (make_room(at, last, err))
			return -1;
		fd = openat(at, last, flags, dress->mode);
	}
	return fd < 0 ? failed(err, "make the file") : fd;
}

int writer_file_end(const struct writer *writer, int fd, const struct dress *dress,
		    struct error *err)
{
	AUTO_FD held = fd;

	if (dress->mtime.tv_nsec != UTIME_OMIT && set_times(fd, &dress->mtime))
		return failed(err, "set its time");
	if (writer->set_owner && fchown(fd, writer->uid, writer->gid))
		return failed(err, "set its owner");
	return close(take_fd(&held)) ? failed(err, "write it") : 0;
}

int writer_symlink(struct writer *writer, const char *name, const char *target,
		   const struct dress *dress, struct error *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, dress->mtime };
	const char *last = name;
	int at;

	if (enter(writer, name, true, &last, err))
		return -1;
	at = innermost(writer)->fd;
	if (symlinkat(target, at, last)) {
		if (errno != EEXIST)
			return failed(err, "make the link");
		if (make_room(at, last, err))
			return -1;
		if (symlinkat(target, at, last))
			return failed(err, "make the link");
	}
	if (dress->mtime.tv_nsec != UTIME_OMIT && utimensat(at, last, times, AT_SYMLINK_NOFOLLOW))
		return failed(err, "set its time");
	if (writer->set_owner && fchownat(at, last, writer->uid, writer->gid, AT_SYMLINK_NOFOLLOW))
		return failed(err, "set its owner");
	return 0;
}

/* Of a link another name could lie where its target leads elsewhere: only files have more of them.
 */
static int open_target(struct writer *writer, const char *target, const char **last,
		       struct error *err)
{
	struct error ignored;
	struct stat st;

	if (enter(writer, target, false, last, &ignored) ||
	    fstatat(innermost(writer)->fd, *last, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return error_set(err, STAGE_CHROOT, 0,
				 "it is a hard link to %.255s, which is no file of this archive",
				 target);
	return fcntl(innermost(writer)->fd, F_DUPFD_CLOEXEC, 0);
}

int writer_hard_link(struct writer *writer, const char *name, const char *target, struct error *err)
{
	const char *last = name, *old = target;
	AUTO_FD from = open_target(writer, target, &old, err);
	int at;

	if (from < 0 || enter(writer, name, true, &last, err))
		return -1;
	at = innermost(writer)->fd;
	if (linkat(from, old, at, last, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return failed(err, "make the hard link");
	if (strcmp(name, target) == 0)
		return 0;
	if (make_room(at, last, err))
		return -1;
	return linkat(from, old, at, last, 0) ? failed(err, "make the hard link") : 0;
}

int writer_end(struct writer *writer, struct error *err)
{
	while (writer->depth > 1)
		if (leave(writer, err))
			return -1;
	return 0;
}
