/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: what the kernel alone charges for one isolated launch, the yardstick of `bench`.
 *
 * Promises the shortest system-call sequence known to us for what a default `nomad-exec run`
 * isolates with: mount, pid, ipc, uts and cgroup namespaces, read-only binds of the default
 * directories, own /dev, /proc, devpts and shm, memory, cpu and pids limits (cgroup v1 or v2),
 * user nobody, no capability, no_new_privs. Left out is what serves other ends: an init, the task
 * directory, seccomp, /sys, signals, logs, recovery from a crash. It parses nothing.
 *
 * Usage: floor /PROGRAM [ARG...]. Runs as root. The status is the task's, 128+N for a signal; 125
 * with the failed step on stderr if any step failed: a skipped step would be a false record. Its
 * groups are nx-floor/PID; the empty parent stays for the next launch. No input but the bench's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125, NOBODY = 65534, HIERARCHIES = 3 };

#define CGROUPS "/sys/fs/cgroup"
#define PARENT "nx-floor"

/* One directory on v2, one per controller on v1. */
struct groups {
	int v2;
	int count;
	char dir[HIERARCHIES][96];
	int fd[HIERARCHIES]; /* v2: the directory, for clone3; v1: its tasks file */
};

static int must(long result, const char *call, const char *object)
{
	if (result < 0) {
		dprintf(STDERR_FILENO, "floor: %s %s: %s\n", call, object, strerror(errno));
		_exit(FAILED);
	}
	return (int)result;
}

static int open_in(const char *dir, const char *file, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return must(open(path, flags | O_CLOEXEC), "open", path);
}

static void put(const char *dir, const char *file, const char *value)
{
	int fd = open_in(dir, file, O_WRONLY);

	must(write(fd, value, strlen(value)), file, value);
	close(fd);
}

/* Exclusive: an existing group of this name is a failure, never shared. */
static void make_group(struct groups *g, const char *hierarchy)
{
	static const char controllers[] = "+memory +cpu +pids";
	char parent[64];
	char *dir = g->dir[g->count++];

	snprintf(parent, sizeof(parent), "%s/" PARENT, hierarchy);
	snprintf(dir, sizeof(g->dir[0]), "%s/%d", parent, getpid());
	if (mkdir(dir, 0755) == 0)
		return;
	if (errno != ENOENT)
		must(-1, "mkdir", dir);
	/* The first launch of all: later ones find the parent and skip this. */
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		must(-1, "mkdir", parent);
	if (g->v2) {
		put(hierarchy, "cgroup.subtree_control", controllers);
		put(parent, "cgroup.subtree_control", controllers);
	}
	must(mkdir(dir, 0755), "mkdir", dir);
}

static void make_groups(struct groups *g)
{
	static const struct {
		const char *hierarchy, *v1, *v1_value, *v2, *v2_value;
	} limit[] = {
		{ CGROUPS "/memory", "memory.limit_in_bytes", "300M", "memory.max", "300M" },
		{ CGROUPS "/cpu", "cpu.shares", "100", "cpu.weight", "17" },
		{ CGROUPS "/pids", "pids.max", "4096", "pids.max", "4096" },
	};

	g->v2 = access(CGROUPS "/cgroup.controllers", F_OK) == 0;
	if (g->v2) {
		make_group(g, CGROUPS);
		g->fd[0] = open_in(g->dir[0], ".", O_RDONLY | O_DIRECTORY);
		for (int i = 0; i < HIERARCHIES; i++)
			put(g->dir[0], limit[i].v2, limit[i].v2_value);
		return;
	}
	for (int i = 0; i < HIERARCHIES; i++) {
		make_group(g, limit[i].hierarchy);
		put(g->dir[i], limit[i].v1, limit[i].v1_value);
		g->fd[i] = open_in(g->dir[i], "tasks", O_WRONLY);
	}
}

static int new_mount(const char *type, unsigned int attr, const char *key, const char *value)
{
	int fs = must(fsopen(type, FSOPEN_CLOEXEC), "fsopen", type);
	int mnt;

	must(fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0), type, key);
	must(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "create", type);
	mnt = must(fsmount(fs, FSMOUNT_CLOEXEC, attr), "fsmount", type);
	close(fs);
	return mnt;
}

static void attach(int mnt, int root, const char *path)
{
	must(move_mount(mnt, "", root, path, MOVE_MOUNT_F_EMPTY_PATH), "move_mount", path);
}

/* A link of the host (merged /usr) stays one, cheaper than a bind; what it names is in the list. */
static void bind_read_only(int root, const char *path)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	int tree;

	if (length >= 0) {
		target[length] = '\0';
		must(symlinkat(target, root, path + 1), "symlink", path);
		return;
	}
	if (errno == ENOENT)
		return;
	tree = must(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
		    "open_tree", path);
	must(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)),
	     "mount_setattr", path);
	must(mkdirat(root, path + 1, 0755), "mkdir", path);
	attach(tree, root, path + 1);
	close(tree);
}

static void make_dev(int root)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} node[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const link[][2] = {
		{ "ptmx", "pts/ptmx" },          { "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },  { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};
	const unsigned int safe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	int dev = new_mount("tmpfs", safe, "mode", "0755");

	for (size_t i = 0; i < sizeof(node) / sizeof(node[0]); i++)
		must(mknodat(dev, node[i].name, S_IFCHR | 0666,
			     makedev(node[i].major, node[i].minor)),
		     "mknod", node[i].name);
	for (size_t i = 0; i < sizeof(link) / sizeof(link[0]); i++)
		must(symlinkat(link[i][1], dev, link[i][0]), "symlink", link[i][0]);
	must(mkdirat(dev, "pts", 0755), "mkdir", "dev/pts");
	must(mkdirat(dev, "shm", 0755), "mkdir", "dev/shm");
	attach(dev, root, "dev");
	attach(new_mount("devpts", safe, "ptmxmode", "0666"), root, "dev/pts");
	attach(new_mount("tmpfs", safe | MOUNT_ATTR_NODEV, "size", "64m"), root, "dev/shm");
}

static void enter_root(void)
{
	static const char *const plain[] = { "dev", "proc", "usr", "run", "run/systemd" };
	/* The default list; usr/lib32 and usr/lib64 are what the links of a merged /usr name. */
	static const char *const host[] = {
		"/bin",
		"/etc",
		"/lib",
		"/lib32",
		"/lib64",
		"/sbin",
		"/usr/bin",
		"/usr/lib",
		"/usr/lib32",
		"/usr/lib64",
		"/usr/libexec",
		"/usr/local",
		"/usr/sbin",
		"/usr/share",
		"/run/resolvconf",
		"/run/systemd/resolve",
	};
	const unsigned int safe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	int root = new_mount("tmpfs", safe, "mode", "0755");

	/* Before Linux 6.15 nothing can be attached below a detached mount: /tmp carries it. */
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make private", "/");
	attach(root, AT_FDCWD, "/tmp");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		must(mkdirat(root, plain[i], 0755), "mkdir", plain[i]);
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		bind_read_only(root, host[i]);
	attach(new_mount("proc", safe | MOUNT_ATTR_NOEXEC, "subset", "pid"), root, "proc");
	make_dev(root);
	must(fchdir(root), "fchdir", "root");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root", "root");
	must(umount2(".", MNT_DETACH), "umount", "old root");
	must(chdir("/"), "chdir", "/");
	must(mount_setattr(AT_FDCWD, "/", 0, &read_only, sizeof(read_only)), "mount_setattr", "/");
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int cap = 0;

	while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
		cap++;
	if (errno != EINVAL || cap <= CAP_AUDIT_READ) /* EINVAL: past this kernel's last one */
		must(-1, "prctl", "PR_CAPBSET_DROP");
	must(setgroups(0, NULL), "setgroups", "none");
	must(syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY), "setresgid", "nobody");
	must(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY), "setresuid", "nobody");
	/* The inheritable set outlives the change of user. */
	must(syscall(SYS_capset, &header, none), "capset", "none");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
}

static _Noreturn void run_task(const struct groups *g, char **argv)
{
	char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *env[] = { path, NULL };

	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl", "PR_SET_PDEATHSIG");
	umask(0);
	enter_root();
	umask(022);
	/* On v1 only "0" in `tasks` waits for no RCU grace period. Late: set-up is not charged. */
	for (int i = 0; i < g->count && !g->v2; i++)
		must(write(g->fd[i], "0", 1), "enter", g->dir[i]);
	must(unshare(CLONE_NEWCGROUP), "unshare", "cgroup namespace");
	drop_privileges();
	/* Again: the change of user cleared it. */
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl", "PR_SET_PDEATHSIG");
	must(setsid(), "setsid", "task");
	must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range", "3-");
	must(execve(argv[0], argv, env), "execve", argv[0]);
	_exit(FAILED);
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
		.exit_signal = SIGCHLD,
	};
	struct groups groups = { 0 };
	int status;
	pid_t pid;

	if (argc < 2 || argv[1][0] != '/') {
		dprintf(STDERR_FILENO, "usage: floor /PROGRAM [ARG...]\n");
		return FAILED;
	}
	make_groups(&groups);
	if (groups.v2) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = groups.fd[0];
	}
	pid = must(syscall(SYS_clone3, &args, sizeof(args)), "clone3", "task");
	if (pid == 0)
		run_task(&groups, argv + 1);
	must(waitpid(pid, &status, 0), "waitpid", "task");
	for (int i = 0; i < groups.count; i++)
		must(rmdir(groups.dir[i]), "rmdir", groups.dir[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
