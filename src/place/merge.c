/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the staging directory to the destination, by renames. Runs in the launcher as root. What was
 * unpacked, and what is in the destination, is hostile: directories are opened one component at a
 * time, never through links and never where something is mounted, and files are never opened.
 *
 * The first walk only looks, so that what cannot work, or what the child was not to make, is found
 * while nothing has changed. The second one moves. Between two of its renames a failing disk can
 * leave a part of the files replaced; each of them is whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/tree.h"
#include "place/entry.h"
#include "place/publish.h"
#include "place/unpack.h"
#include "place/writer.h"

struct merging {
	bool no_clobber, moving;
	size_t length; /* of path */
	char path[ENTRY_NAME_BYTES];
};

static int refuse(const struct merging *merging, const char *name, const char *why,
		  struct error *err)
{
	return error_set(err, STAGE_CHROOT, 0, "%.*s%s: %s", (int)merging->length, merging->path,
			 name, why);
}

static int failed(const struct merging *merging, const char *name, const char *action,
		  struct error *err)
{
	return error_set(err, STAGE_CHROOT, errno, "%s %.*s%s", action, (int)merging->length,
			 merging->path, name);
}

static bool is_directory(int fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int merge_directory(struct merging *merging, int from, int to, struct error *err);

/* Both are directories; or to is -1, where the destination has none yet. */
static int merge_below(struct merging *merging, int from, int to, const char *name,
		       struct error *err)
{
	AUTO_FD inner_from = tree_open(from, name), inner_to = to < 0 ? -1 : tree_open(to, name);
	const size_t length = merging->length;
	int n, bad;

	if (inner_from < 0 || (to >= 0 && inner_to < 0))
		return failed(merging, name, "open the directory", err);
	n = snprintf(merging->path + length, sizeof(merging->path) - length, "%s/", name);
	if (n < 0 || (size_t)n >= sizeof(merging->path) - length)
		return refuse(merging, name, "its name is too long", err);
	merging->length += (size_t)n;
	bad = merge_directory(merging, inner_from, inner_to, err);
	merging->length = length;
	return bad;
}

static const char *link_problem(int from, const char *name, const char *path)
{
	char target[ENTRY_NAME_BYTES];
	ssize_t n = readlinkat(from, name, target, sizeof(target));

	if (n < 0 || (size_t)n == sizeof(target))
		return "what it links to cannot be read";
	target[n] = '\0';
	return entry_link_problem(path, target);
}

/* By the rules that the child had, which an archive may have taken over. */
static int judge(const struct merging *merging, int from, const char *name, struct error *err)
{
	char path[ENTRY_NAME_BYTES];
	const char *problem;
	struct stat st;
	int n = snprintf(path, sizeof(path), "%.*s%s", (int)merging->length, merging->path, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return refuse(merging, name, "its name is too long", err);
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return failed(merging, name, "look at", err);
	problem = entry_name_problem(path, WRITER_DEPTH_MAX);
	if (!problem)
		problem = entry_kind_problem(st.st_mode);
	if (!problem && S_ISLNK(st.st_mode))
		problem = link_problem(from, name, path);
	return problem ? refuse(merging, name, problem, err) : 0;
}

/* What is there in place of a file. */
static int check_file(const struct merging *merging, const char *name, mode_t there,
		      struct error *err)
{
	const char *problem = entry_kind_problem(there);

	if (S_ISDIR(there))
		return refuse(merging, name, "a directory is there, where a file is to be", err);
	if (merging->no_clobber)
		return refuse(merging, name, "it is there already, and is not to be replaced", err);
	if (!problem)
		return 0;
	error_set(err, STAGE_CHROOT, 0, "replace %.*s%s: %s", (int)merging->length, merging->path,
		  name, problem);
	return error_remedy(err, "choose another directory");
}

static int check(struct merging *merging, int from, int to, const struct dirent *entry,
		 struct error *err)
{
	const bool directory = is_directory(from, entry);
	const char *name = entry->d_name;
	struct stat st;

	if (judge(merging, from, name, err))
		return -1;
	if (to < 0 || fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (to >= 0 && errno != ENOENT)
			return failed(merging, name, "look at", err);
		return directory ? merge_below(merging, from, -1, name, err) : 0;
	}
	if (!directory)
		return check_file(merging, name, st.st_mode, err);
	if (S_ISDIR(st.st_mode))
		return merge_below(merging, from, to, name, err);
	return refuse(merging, name,
		      S_ISLNK(st.st_mode) ? "a link is there, where a directory is to be" :
					    "a file is there, where a directory is to be",
		      err);
}

static int move(struct merging *merging, int from, int to, const struct dirent *entry,
		struct error *err)
{
	const bool directory = is_directory(from, entry);
	const char *name = entry->d_name;
	struct stat st;

	if (!directory && !merging->no_clobber) {
		if (renameat(from, name, to, name) == 0)
			return 0;
	} else if (!directory) {
		if (rename_new(from, name, to, name) == 0)
			return 0;
	} else {
		/* Also an empty directory is filled, not replaced: it is somebody's, as it is. */
		if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return merge_below(merging, from, to, name, err);
		if (errno == ENOENT && renameat(from, name, to, name) == 0)
			return 0;
	}
	return failed(merging, name, "move into the destination", err);
}

static int merge_directory(struct merging *merging, int from, int to, struct error *err)
{
	AUTO_FD again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!dir)
		return failed(merging, ".", "read the directory", err);
	take_fd(&again);
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? failed(merging, ".", "read the directory", err) : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((merging->moving ? move : check)(merging, from, to, entry, err))
			return -1;
	}
}

int merge(const struct staging *staging, int directory_fd, bool no_clobber, struct error *err)
{
	struct merging merging = { .no_clobber = no_clobber };

	if (merge_directory(&merging, staging->fd, directory_fd, err))
		return -1;
	merging.moving = true;
	return merge_directory(&merging, staging->fd, directory_fd, err);
}
