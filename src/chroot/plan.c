/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides what the root is made of. Runs in the launcher as root; looks at host paths that are
 * trusted, changes nothing.
 */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chroot/chroot.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define WRITABLE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NO_PROGRAMS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The page's list, then what Nomad's own list grew to since. */
static const char *const host_paths[] = {
	"/bin",
	"/etc",
	"/lib",
	"/lib32",
	"/lib64",
	"/usr/bin",
	"/usr/lib",
	"/usr/share",
	"/sbin",
	"/usr/sbin",
	"/usr/libexec",
	"/usr/local",
	"/run/resolvconf",
	"/run/systemd/resolve",
};

/*
 * Parts of /proc and /sys that tell of, or act on, the whole host. Those that a kernel lacks are
 * passed over.
 */
static const char *const masked[] = {
	"proc/acpi", "proc/kallsyms",      "proc/kcore",       "proc/keys",       "proc/kmsg",
	"proc/scsi", "proc/latency_stats", "proc/sched_debug", "proc/timer_list", "sys/firmware",
};
static const char *const read_only[] = { "proc/bus", "proc/dynamic_debug", "proc/fs",
					 "proc/irq", "proc/sys",           "proc/sysrq-trigger" };

struct plan {
	struct root *root;
	struct pool *pool;
	struct error *err;
};

static int add(struct plan *plan, struct root_op op)
{
	struct root *root = plan->root;

	if (root->n == root->capacity) {
		size_t capacity = root->capacity ? root->capacity * 2 : 48;
		struct root_op *ops = pool_alloc(plan->pool, capacity * sizeof(*ops));

		if (!ops)
			return pool_error(plan->err, STAGE_CHROOT);
		if (root->n)
			memcpy(ops, root->ops, root->n * sizeof(*ops));
		root->ops = ops;
		root->capacity = capacity;
	}
	root->ops[root->n++] = op;
	return 0;
}

/* Whether what is at this host path will be there inside through a directory that is bound already.
 */
static bool is_bound(const struct root *root, const char *path)
{
	for (size_t i = 0; i < root->n; i++) {
		size_t length = root->ops[i].kind == ROOT_BIND ? strlen(root->ops[i].target) : 0;

		if (length && strncmp(path + 1, root->ops[i].target, length) == 0 &&
		    (path[1 + length] == '/' || !path[1 + length]))
			return true;
	}
	return false;
}

static int bind(struct plan *plan, const char *path)
{
	char *copy = pool_strdup(plan->pool, path);

	if (!copy)
		return pool_error(plan->err, STAGE_CHROOT);
	if (is_bound(plan->root, path))
		return 0;
	return add(plan, (struct root_op){ .kind = ROOT_BIND,
					   .target = copy + 1,
					   .source = copy,
					   .source_fd = -1,
					   .attributes = READ_ONLY });
}

static bool is_linked(const struct root *root, const char *path)
{
	for (size_t i = 0; i < root->n; i++)
		if (root->ops[i].kind == ROOT_LINK && strcmp(root->ops[i].target, path + 1) == 0)
			return true;
	return false;
}

/* Makes the link at path again, unless it will be there already; its text goes to text. */
static int link_again(struct plan *plan, const char *path, char text[PATH_MAX])
{
	ssize_t length = readlink(path, text, PATH_MAX - 1);
	const char *target, *source;

	if (length < 0)
		return error_set(plan->err, STAGE_CHROOT, errno, "read the link %s", path);
	text[length] = '\0';
	if (is_bound(plan->root, path) || is_linked(plan->root, path))
		return 0;
	target = pool_strdup(plan->pool, path + 1);
	source = pool_strdup(plan->pool, text);
	if (!target || !source)
		return pool_error(plan->err, STAGE_CHROOT);
	return add(plan, (struct root_op){ .kind = ROOT_LINK, .target = target, .source = source });
}

/* A walk along a path: what of it is done, without a trailing slash, and what is left, without a
 * leading one. */
struct walk {
	char done[PATH_MAX], rest[PATH_MAX];
	int links;
};

/* Takes the first component of what is left. */
static void take_component(struct walk *walk, char name[NAME_MAX + 1])
{
	char *rest = walk->rest;
	size_t length = strcspn(rest, "/"), next = length + strspn(rest + length, "/");

	snprintf(name, NAME_MAX + 1, "%.*s", (int)length, rest);
	memmove(rest, rest + next, strlen(rest + next) + 1);
}

/* Puts the link's text in front of what is left; an absolute one starts at the root. */
static int follow(struct walk *walk, size_t parent_length, const char *text)
{
	char rest[PATH_MAX];
	int n = snprintf(rest, sizeof(rest), "%s/%s", text + strspn(text, "/"), walk->rest);

	walk->done[*text == '/' ? 0 : parent_length] = '\0';
	memcpy(walk->rest, rest, sizeof(rest));
	return n < 0 || (size_t)n >= sizeof(rest) || ++walk->links > 40 ? -1 : 0;
}

/* What leads nowhere is passed over; what cannot be looked at is not: tasks would miss it. */
static int leads_nowhere(struct plan *plan, const char *path)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return 1;
	return error_set(plan->err, STAGE_CHROOT, errno, "look at the host's %s", path);
}

/* One component further. 1: the path leads nowhere. */
static int step(struct plan *plan, struct walk *walk)
{
	size_t length = strlen(walk->done);
	char name[NAME_MAX + 1], text[PATH_MAX];
	struct stat st;

	take_component(walk, name);
	if (strcmp(name, "..") == 0 && length)
		*strrchr(walk->done, '/') = '\0';
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (length + strlen(name) + 2 > PATH_MAX)
		return 1;
	sprintf(walk->done + length, "/%s", name);
	if (lstat(walk->done, &st))
		return leads_nowhere(plan, walk->done);
	if (!S_ISLNK(st.st_mode))
		return 0;
	if (link_again(plan, walk->done, text))
		return -1;
	return follow(walk, length, text) ? 1 : 0;
}

/*
 * Makes what is at a host path reachable inside by the same path: walks it as the kernel would,
 * makes every link on the way again, and binds what they lead to. With a merged /usr, /lib64 leads
 * to usr/lib64, which is not listed; and /etc/resolv.conf often leads into /run. What is missing on
 * the host is passed over, with no link left dangling.
 */
static int reach(struct plan *plan, const char *path)
{
	struct walk walk = { 0 };

	if (access(path, F_OK))
		return leads_nowhere(plan, path) < 0 ? -1 : 0;
	snprintf(walk.rest, sizeof(walk.rest), "%s", path + 1);
	while (*walk.rest) {
		int bad = step(plan, &walk);

		if (bad)
			return bad < 0 ? -1 : 0;
	}
	return bind(plan, walk.done);
}

static int add_host_paths(struct plan *plan)
{
	for (size_t i = 0; i < sizeof(host_paths) / sizeof(host_paths[0]); i++)
		if (reach(plan, host_paths[i]))
			return -1;
	return reach(plan, "/etc/resolv.conf");
}

static int add_all(struct plan *plan, const struct root_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (add(plan, ops[i]))
			return -1;
	return 0;
}

static int add_kernel_parts(struct plan *plan)
{
	static const struct root_op systems[] = {
		{ .kind = ROOT_DEV, .target = "dev" },
		{ .kind = ROOT_PROC, .target = "proc", .attributes = NO_PROGRAMS },
		{ .kind = ROOT_SYSFS,
		  .target = "sys",
		  .attributes = NO_PROGRAMS | MOUNT_ATTR_RDONLY },
	};

	if (add_all(plan, systems, sizeof(systems) / sizeof(systems[0])))
		return -1;
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		if (add(plan, (struct root_op){ .kind = ROOT_MASK, .target = masked[i] }))
			return -1;
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		if (add(plan, (struct root_op){ .kind = ROOT_READONLY, .target = read_only[i] }))
			return -1;
	return 0;
}

static int add_task_directories(struct plan *plan, const struct task *task,
				const struct alloc *alloc)
{
	const char *const own = "the allocation";
	const struct root_op ops[] = {
		{ .kind = ROOT_BIND,
		  .target = "alloc",
		  .source = own,
		  .source_fd = alloc->shared_tree,
		  .attributes = WRITABLE },
		{ .kind = ROOT_BIND,
		  .target = "local",
		  .source = own,
		  .source_fd = alloc->local_tree,
		  .attributes = WRITABLE },
		{ .kind = ROOT_BIND,
		  .target = "tmp",
		  .source = own,
		  .source_fd = alloc->tmp_tree,
		  .attributes = WRITABLE },
		{ .kind = ROOT_TMPFS,
		  .target = "secrets",
		  .source = "1m",
		  .mode = 0700,
		  .uid = task->user.uid,
		  .gid = task->user.gid,
		  .attributes = NO_PROGRAMS },
	};

	return add_all(plan, ops, sizeof(ops) / sizeof(ops[0]));
}

int chroot_plan(const struct task *task, const struct alloc *alloc, struct pool *pool,
		struct root *root, struct error *err)
{
	struct plan plan = { root, pool, err };

	*root = (struct root){ 0 };
	if (add_host_paths(&plan) || add_kernel_parts(&plan) ||
	    add_task_directories(&plan, task, alloc))
		return -1;
	return 0;
}

const char *root_op_describe(const struct root_op *op, struct pool *pool)
{
	const char *access = op->attributes & MOUNT_ATTR_RDONLY ? "read-only" : "read-write";

	switch (op->kind) {
	case ROOT_LINK:
		return pool_printf(pool, "link      /%s -> %s", op->target, op->source);
	case ROOT_BIND:
		return pool_printf(pool, "bind      /%s from %s, %s", op->target, op->source,
				   access);
	case ROOT_TMPFS:
		return pool_printf(pool, "tmpfs     /%s size=%s mode=%04o", op->target, op->source,
				   op->mode);
	case ROOT_DEV:
		return "devices   /dev null zero full random urandom tty, pts, shm, mqueue";
	case ROOT_PROC:
		return "proc      /proc of the task's own pid namespace";
	case ROOT_SYSFS:
		return "sysfs     /sys read-only";
	case ROOT_MASK:
		return pool_printf(pool, "mask      /%s", op->target);
	case ROOT_READONLY:
		return pool_printf(pool, "read-only /%s", op->target);
	}
	return NULL;
}
