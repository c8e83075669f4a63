/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes the plan. Runs in the child that becomes PID 1 of the task, as root, in its own mount
 * namespace, before anything of the task runs.
 *
 * Every tree is prepared as a detached mount and attached by descriptor: an attribute is in force
 * before the tree can be reached, and no path is looked up that somebody else could swap. All of it
 * goes onto a tmpfs of ours that only this process sees. When the namespace dies, so do all the
 * mounts. Sources: mount_setattr(2) (Linux 5.12), open_tree(2), move_mount(2), fsopen(2)
 * (Linux 5.2), pivot_root(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "chroot/chroot.h"

static const char new_kernel[] = "nomad-exec needs Linux 5.12 or newer, and CAP_SYS_ADMIN";

/*
 * The step that failed; the errors of a kernel that lacks the calls, or forbids them, carry the
 * remedy.
 */
static int failed(struct error *err, const char *action, const char *object)
{
	error_set(err, STAGE_CHROOT, errno, "%s %s", action, object);
	return err->errnum == ENOSYS || err->errnum == EPERM ? error_remedy(err, "%s", new_kernel) :
							       -1;
}

/*
 * Both calls want `/` to be the root of a mount: it is not in a plain chroot, nor, for
 * pivot_root(2), on an initramfs.
 */
static int failed_at_root(struct error *err, const char *action, const char *object)
{
	failed(err, action, object);
	return err->errnum == EINVAL ?
		       error_remedy(
			       err,
			       "nomad-exec's own root must be a mount: not a plain chroot, not an initramfs") :
		       -1;
}

/* A NULL key ends a list; a NULL value is a flag that an older kernel may refuse. */
struct setting {
	const char *key, *value;
};

/* A detached mount of a new file system. */

static int new_filesystem(const char *type, const struct setting *settings, unsigned int attributes)
{
	AUTO_FD context = fsopen(type, FSOPEN_CLOEXEC);

	if (context < 0)
		return -1;
	for (; settings->key; settings++)
		if (!settings->value)
			fsconfig(context, FSCONFIG_SET_FLAG, settings->key, NULL, 0);
		else if (fsconfig(context, FSCONFIG_SET_STRING, settings->key, settings->value, 0))
			return -1;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, attributes);
}

/* Makes the directories above target on our tmpfs. */
static int make_parents(int root, const char *target)
{
	char path[4096];

	for (const char *slash = strchr(target, '/'); slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)snprintf(path, sizeof(path), "%.*s", (int)(slash - target), target) >=
		    sizeof(path)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (mkdirat(root, path, 0755) && errno != EEXIST)
			return -1;
	}
	return 0;
}

/*
 * A mount point of the kind that a mount of this file needs. What is there already, below another
 * mount, serves.
 */
static int make_mount_point(int root, const char *target, bool is_directory)
{
	AUTO_FD fd = -1;

	if (make_parents(root, target))
		return -1;
	if (is_directory)
		return mkdirat(root, target, 0755) && errno != EEXIST ? -1 : 0;
	fd = openat(root, target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
	return fd < 0 && errno != EEXIST ? -1 : 0;
}

static int attach(int mount, int root, const char *target)
{
	return move_mount(mount, "", root, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int do_link(int root, const struct root_op *op)
{
	if (make_parents(root, op->target))
		return -1;
	return symlinkat(op->source, root, op->target);
}

static int do_bind(int root, const struct root_op *op)
{
	struct mount_attr attributes = { .attr_set = op->attributes, .propagation = MS_PRIVATE };
	AUTO_FD copy = op->source_fd >= 0 ?
			       -1 :
			       open_tree(AT_FDCWD, op->source,
					 AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int tree = op->source_fd >= 0 ? op->source_fd : copy;
	struct stat st;

	if (tree < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
			  sizeof(attributes)) ||
	    fstat(tree, &st) || make_mount_point(root, op->target, S_ISDIR(st.st_mode)))
		return -1;
	return attach(tree, root, op->target);
}

static int mount_at(int root, const char *target, const char *type, const struct setting *settings,
		    unsigned int attributes)
{
	AUTO_FD mount = new_filesystem(type, settings, attributes);

	if (mount < 0 || make_mount_point(root, target, true))
		return -1;
	return attach(mount, root, target);
}

/* Swapped-out secrets would reach the disk; tmpfs can forbid that since Linux 6.4. */
static int do_tmpfs(int root, const struct root_op *op)
{
	char mode[12], uid[12], gid[12];
	const struct setting settings[] = {
		{ "noswap", NULL },     { "mode", mode },        { "uid", uid }, { "gid", gid },
		{ "size", op->source }, { "nr_inodes", "1024" }, { 0 },
	};

	snprintf(mode, sizeof(mode), "%04o", op->mode);
	snprintf(uid, sizeof(uid), "%u", op->uid);
	snprintf(gid, sizeof(gid), "%u", op->gid);
	return mount_at(root, op->target, "tmpfs", settings, op->attributes);
}

/* The nodes and links of /dev, on its own tmpfs while nobody else can see it. */
static int fill_dev(int dev)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
		      { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
	static const struct {
		const char *name, *text;
	} links[] = { { "ptmx", "pts/ptmx" },
		      { "fd", "/proc/self/fd" },
		      { "stdin", "/proc/self/fd/0" },
		      { "stdout", "/proc/self/fd/1" },
		      { "stderr", "/proc/self/fd/2" } };
	static const char *const directories[] = { "pts", "shm", "mqueue" };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (mknodat(dev, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)))
			return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i].text, dev, links[i].name))
			return -1;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdirat(dev, directories[i], 0755))
			return -1;
	return 0;
}

/*
 * /dev is read-only once filled: with CAP_MKNOD a task could otherwise make any device here, the
 * one mount besides devpts that is not nodev. Reading and writing the devices themselves does not
 * need a writable mount.
 */
static int do_dev(int root)
{
	static const struct setting tmpfs[] = { { "mode", "0755" }, { "size", "64k" }, { 0 } };
	static const struct setting pts[] = {
		{ "mode", "0620" }, { "gid", "5" }, { "ptmxmode", "0666" }, { 0 }
	};
	static const struct setting shm[] = { { "mode", "1777" }, { "size", "64m" }, { 0 } };
	static const struct setting none[] = { { 0 } };
	struct mount_attr sealed = { .attr_set = MOUNT_ATTR_RDONLY };
	const unsigned int no_programs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	AUTO_FD dev = new_filesystem("tmpfs", tmpfs, no_programs);

	if (dev < 0 || fill_dev(dev) ||
	    mount_setattr(dev, "", AT_EMPTY_PATH, &sealed, sizeof(sealed)) ||
	    make_mount_point(root, "dev", true) || attach(dev, root, "dev") ||
	    mount_at(dev, "pts", "devpts", pts, no_programs) ||
	    mount_at(dev, "shm", "tmpfs", shm, no_programs | MOUNT_ATTR_NODEV))
		return -1;
	/* A kernel without POSIX message queues has nothing to isolate. */
	if (mount_at(dev, "mqueue", "mqueue", none, no_programs | MOUNT_ATTR_NODEV) &&
	    errno != ENODEV)
		return -1;
	return 0;
}

/* An empty, sealed directory over a directory; our /dev/null over a file. */
static int do_mask(int root, const struct root_op *op)
{
	static const struct setting empty[] = {
		{ "mode", "0555" }, { "size", "4k" }, { "nr_inodes", "1" }, { 0 }
	};
	AUTO_FD cover = -1;
	struct stat st;

	if (fstatat(root, op->target, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -1;
	if (S_ISDIR(st.st_mode))
		cover = new_filesystem("tmpfs", empty,
				       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC);
	else
		cover = open_tree(root, "dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return cover < 0 ? -1 : attach(cover, root, op->target);
}

static int do_readonly(int root, const struct root_op *op)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	AUTO_FD tree =
		open_tree(root, op->target, AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return errno == ENOENT ? 0 : -1;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)))
		return -1;
	return attach(tree, root, op->target);
}

static int execute(int root, const struct root_op *op)
{
	static const struct setting none[] = { { 0 } };

	switch (op->kind) {
	case ROOT_LINK:
		return do_link(root, op);
	case ROOT_BIND:
		return do_bind(root, op);
	case ROOT_TMPFS:
		return do_tmpfs(root, op);
	case ROOT_DEV:
		return do_dev(root);
	case ROOT_PROC:
		return mount_at(root, op->target, "proc", none, op->attributes);
	case ROOT_SYSFS:
		return mount_at(root, op->target, "sysfs", none, op->attributes);
	case ROOT_MASK:
		return do_mask(root, op);
	case ROOT_READONLY:
		return do_readonly(root, op);
	}
	errno = EINVAL;
	return -1;
}

/*
 * The namespace is a copy of the host's: unless its mounts stop propagating, what we attach and
 * detach would happen on the host too. The new root is attached over `/`: whoever looks up `/`
 * still starts at the old one.
 */
static int attach_new_root(struct error *err)
{
	static const struct setting settings[] = { { "mode", "0755" }, { "size", "1m" }, { 0 } };
	AUTO_FD root = -1;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return failed_at_root(err, "make private", "the mounts of the task");
	root = new_filesystem("tmpfs", settings, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (root < 0 || attach(root, AT_FDCWD, "/"))
		return failed(err, "mount", "the task's root");
	return take_fd(&root);
}

/*
 * Puts root in the place of `/` and lets go of the host's tree; pivot_root(2) describes the two
 * dots.
 */
static int enter(int root, struct error *err)
{
	struct mount_attr sealed = { .attr_set = MOUNT_ATTR_RDONLY };

	if (fchdir(root) || syscall(SYS_pivot_root, ".", "."))
		return failed_at_root(err, "enter", "the task's root");
	if (umount2(".", MNT_DETACH))
		return failed(err, "detach", "the host's root");
	if (chdir("/") || mount_setattr(AT_FDCWD, "/", 0, &sealed, sizeof(sealed)))
		return failed(err, "seal", "the task's root");
	return 0;
}

static int op_failed(const struct root_op *op, struct error *err)
{
	static const char *const actions[] = {
		[ROOT_LINK] = "link",
		[ROOT_BIND] = "bind",
		[ROOT_TMPFS] = "mount tmpfs at",
		[ROOT_DEV] = "fill",
		[ROOT_PROC] = "mount proc at",
		[ROOT_SYSFS] = "mount sysfs at",
		[ROOT_MASK] = "mask",
		[ROOT_READONLY] = "make read-only",
	};
	char object[300];

	snprintf(object, sizeof(object), "/%s", op->target);
	/* The root was mounted, so CAP_SYS_ADMIN is there. */
	if (op->kind != ROOT_DEV || errno != EPERM)
		return failed(err, actions[op->kind], object);
	error_set(err, STAGE_CHROOT, errno, "%s %s", actions[op->kind], object);
	return error_remedy(err, "making devices takes CAP_MKNOD");
}

int chroot_enter(const struct root *root, struct error *err)
{
	AUTO_FD fd = attach_new_root(err);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < root->n; i++)
		if (execute(fd, &root->ops[i]))
			return op_failed(&root->ops[i], err);
	return enter(fd, err);
}
