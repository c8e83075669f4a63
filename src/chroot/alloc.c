/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocation's directories on the host. Runs in the launcher as root. While they are made
 * nothing of the task exists; when they are removed their content is whatever a hostile task left.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/tree.h"
#include "chroot/chroot.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* mkdir -p; the last directory is for root alone. */
static int make_path(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int bad;

		*slash = '\0';
		bad = mkdir(path, 0755);
		*slash = '/';
		if (bad && errno != EEXIST)
			return -1;
	}
	return mkdir(path, 0700) && errno != EEXIST ? -1 : 0;
}

static int open_parent(const char *path, struct pool *pool, struct error *err)
{
	char *copy = pool_strdup(pool, path);
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (!copy)
		return pool_error(err, STAGE_SETUP);
	if (fd < 0 && errno == ENOENT) {
		if (make_path(copy))
			return error_set(err, STAGE_SETUP, errno,
					 "make the allocation directory %s", path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st))
		return error_set(err, STAGE_SETUP, errno, "open the allocation directory %s", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022 && !(st.st_mode & S_ISVTX))) {
		error_set(err, STAGE_SETUP, 0,
			  "the allocation directory %s can be changed by others than root", path);
		return error_remedy(err,
				    "chown root and chmod 0700 it, or choose another --alloc-dir");
	}
	return take_fd(&fd);
}

struct wanted {
	const char *name;
	mode_t mode;
	bool users; /* owned by the task's user */
};

static int make_directories(int fd, const struct wanted *wanted, size_t n, const struct user *user)
{
	for (size_t i = 0; i < n; i++) {
		if (mkdirat(fd, wanted[i].name, wanted[i].mode))
			return -1;
		if (wanted[i].users &&
		    fchownat(fd, wanted[i].name, user->uid, user->gid, AT_SYMLINK_NOFOLLOW))
			return -1;
	}
	return 0;
}

/*
 * Copies of the mounts that the directories are on: a descriptor of a directory belongs to the
 * mount namespace that it was opened in and cannot be bound in another, a detached mount can be
 * attached anywhere.
 */
static int open_trees(struct alloc *alloc, struct error *err)
{
	const unsigned int copy = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	alloc->shared_tree = open_tree(alloc->shared_fd, "", copy | AT_EMPTY_PATH);
	alloc->local_tree = open_tree(alloc->task_fd, "local", copy);
	alloc->tmp_tree = open_tree(alloc->task_fd, "tmp", copy);
	if (alloc->shared_tree >= 0 && alloc->local_tree >= 0 && alloc->tmp_tree >= 0)
		return 0;
	error_set(err, STAGE_SETUP, errno, "copy the mounts of the allocation %s (open_tree)",
		  alloc->path);
	return err->errnum == ENOSYS || err->errnum == EPERM ?
		       error_remedy(err, "it takes Linux 5.12 or newer, and CAP_SYS_ADMIN") :
		       -1;
}

static int make_all(const struct task *task, struct alloc *alloc)
{
	const struct wanted top[] = { { "alloc", 0777, true }, { task->name, 0755, false } };
	static const struct wanted shared[] = { { "logs", 0777, true },
						{ "tmp", 0777, true },
						{ "data", 0777, true } };
	static const struct wanted own[] = { { "local", 0777, true }, { "tmp", 01777, true } };
	AUTO_FD fd = openat(alloc->parent_fd, alloc->id, OPEN_DIR);

	if (fd < 0 || make_directories(fd, top, 2, &task->user))
		return -1;
	alloc->shared_fd = openat(fd, "alloc", OPEN_DIR);
	alloc->task_fd = openat(fd, task->name, OPEN_DIR);
	if (alloc->shared_fd < 0 || alloc->task_fd < 0)
		return -1;
	return make_directories(alloc->shared_fd, shared, 3, &task->user) ||
			       make_directories(alloc->task_fd, own, 2, &task->user) ?
		       -1 :
		       0;
}

static int fill(const struct task *task, struct alloc *alloc, struct error *err)
{
	if (make_all(task, alloc) == 0)
		return 0;
	error_set(err, STAGE_SETUP, errno, "fill the allocation %s", alloc->path);
	return err->errnum == EPERM ?
		       error_remedy(err, "giving it to the task's user takes CAP_CHOWN") :
		       -1;
}

static void close_directories(struct alloc *alloc)
{
	drop_fd(&alloc->shared_fd);
	drop_fd(&alloc->task_fd);
	drop_fd(&alloc->shared_tree);
	drop_fd(&alloc->local_tree);
	drop_fd(&alloc->tmp_tree);
}

int alloc_create(const struct task *task, struct pool *pool, struct alloc *alloc, struct error *err)
{
	struct error ignored;

	*alloc = (struct alloc)ALLOC_INIT;
	alloc->path = pool_printf(pool, "%s/%s", task->alloc_dir, task->id);
	if (!alloc->path)
		return pool_error(err, STAGE_SETUP);
	alloc->parent_fd = open_parent(task->alloc_dir, pool, err);
	if (alloc->parent_fd < 0)
		return -1;
	if (mkdirat(alloc->parent_fd, task->id, 0755)) {
		error_set(err, STAGE_SETUP, errno, "make the allocation %s", alloc->path);
		return err->errnum == EEXIST ?
			       error_remedy(
				       err,
				       "a task with this id runs, or was kept: choose another --id") :
			       -1;
	}
	alloc->id = task->id;
	if (fill(task, alloc, err) == 0 && open_trees(alloc, err) == 0)
		return 0;
	alloc_remove(alloc, &ignored);
	return -1;
}

void alloc_release(struct alloc *alloc)
{
	close_directories(alloc);
	drop_fd(&alloc->parent_fd);
}

int alloc_remove(struct alloc *alloc, struct error *err)
{
	if (!alloc->id)
		return 0;
	close_directories(alloc); /* a caller may have allowed us few descriptors */
	if (tree_remove(alloc->parent_fd, alloc->id))
		return error_set(err, STAGE_RUN, errno, "remove the allocation %s", alloc->path);
	alloc->id = NULL;
	return 0;
}

/* Which of our directories a destination lies in, and the rest of it; NULL: in none. */
static const char *destination_base(const struct alloc *alloc, const char *path, int *base_fd)
{
	path += strspn(path, "/");
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strncmp(path, "local", 5) == 0 && (!path[5] || path[5] == '/')) {
		*base_fd = alloc->task_fd;
		return path; /* local is a directory of the task's own one */
	}
	if (strncmp(path, "../", 3) == 0)
		path += 3;
	if (strncmp(path, "alloc", 5) == 0 && (!path[5] || path[5] == '/')) {
		*base_fd = alloc->shared_fd;
		return path + 5;
	}
	return NULL;
}

/*
 * Opens, and makes where missing, the directory at path below fd. Nothing but plain components is
 * accepted.
 */
static int open_below(int base_fd, const char *path)
{
	AUTO_FD fd = openat(base_fd, ".", OPEN_DIR);

	while (fd >= 0 && *(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");
		char name[256];
		int next;

		if (length >= sizeof(name) || (length == 2 && strncmp(path, "..", 2) == 0)) {
			errno = length == 2 ? EXDEV : ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, length);
		name[length] = '\0';
		if (mkdirat(fd, name, 0755) && errno != EEXIST)
			return -1;
		next = tree_open(fd, name);
		drop_fd(&fd);
		fd = next;
		path += length;
	}
	return take_fd(&fd);
}

int alloc_open_destination(const struct alloc *alloc, const char *destination, struct error *err)
{
	int base = -1, fd;
	const char *rest = destination_base(alloc, destination, &base);

	if (!rest)
		return error_set_kind(
			err, STAGE_CHROOT, ERROR_USAGE, 0,
			"--artifact-destination %s: expected a directory below local/ or alloc/",
			destination);
	fd = open_below(base, rest);
	return fd >= 0 ? fd :
			 error_set(err, STAGE_CHROOT, errno, "open the artifact's destination %s",
				   destination);
}
