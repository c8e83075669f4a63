/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the child that unpacks gives up before it reads the first hostile byte. It was forked from
 * the launcher, mostly as root; afterwards it holds three descriptors, its root is the staging
 * directory, it cannot reach the network or run a program, and root in it has no capability.
 *
 * Each fence stands by itself. Those that a kernel or a user without privilege may lack (chroot,
 * Landlock, the filter of system calls) are left out there, and the others hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "place/unpack.h"

#define MEMORY_BYTES_MAX (2ULL << 30) /* xz and zstd may ask for half of it */
#define FILES_MAX 256

static int failed(struct error *err, const char *step)
{
	return error_set(err, STAGE_CHROOT, errno, "confine the unpacking: %s", step);
}

/* Out of the way first: any of them may be where another one has to go. */
static int keep_descriptors(int archive_fd, int staging_fd, int report_fd, struct error *err)
{
	const int wanted[] = { archive_fd, staging_fd, report_fd };
	int held[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		held[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, CHILD_FDS);
	for (int i = 0; i < 3; i++)
		if (held[i] < 0 || dup3(held[i], CHILD_ARCHIVE + i, O_CLOEXEC) < 0)
			return failed(err, "keep its descriptors");
	for (int i = 0; null >= 0 && i < CHILD_ARCHIVE; i++)
		dup2(null, i);
	close_range(CHILD_FDS, ~0U, 0);
	return 0;
}

/* What is mapped already counts, and with sanitizers that is a lot. */
static uint64_t mapped_bytes(void)
{
	AUTO_FILE file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!file || fscanf(file, "%lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A write beyond RLIMIT_FSIZE is to be an error with a message, not the end by a signal. */
static void limit_resources(void)
{
	const rlim_t memory = mapped_bytes() + MEMORY_BYTES_MAX;
	const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = { { RLIMIT_AS, memory }, { RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, FILES_MAX } };

	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) || limit.rlim_max < limits[i].value)
			continue;
		limit.rlim_cur = limit.rlim_max = limits[i].value;
		setrlimit(limits[i].resource, &limit);
	}
}

/* For all users, where the kernel has it. ABI 1 has no hard links between directories. */
static void restrict_files(void)
{
	struct landlock_path_beneath_attr below = { .parent_fd = CHILD_STAGING };
	struct landlock_ruleset_attr rules = { 0 };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	AUTO_FD fd = -1;

	if (abi < 2)
		return;
	/* All rights of ABI 2; each bit up to that of REFER is one. */
	rules.handled_access_fs = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
	below.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
			       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
			       LANDLOCK_ACCESS_FS_REFER;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd >= 0 &&
	    syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0)
		syscall(SYS_landlock_restrict_self, fd, 0);
}

static int drop_capabilities(bool set_owner, struct error *err)
{
	/* To give files away, and then to work in the directories that were given away. */
	const uint32_t keep =
		set_owner ? 1U << CAP_CHOWN | 1U << CAP_FOWNER | 1U << CAP_DAC_OVERRIDE : 0;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return failed(err, "read its capabilities");
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= i ? 0 : keep;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? failed(err, "drop its capabilities") : 0;
}

#if defined __x86_64__
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef FILTER_ARCH
#define LOAD(field)                                                                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), RETURN(SECCOMP_RET_ALLOW)
/* Denied if this argument has this value; else the next lines decide. */
#define DENY_IF(name, argument, value)                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[argument]),               \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), RETURN(DENIED), LOAD(nr)
#define DENY_UNLESS(name, argument, value)                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[argument]),               \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0), RETURN(DENIED), LOAD(nr)
/* Allowed if this argument, a mode, has no set-user-ID, set-group-ID or sticky bit. */
#define ALLOW_MODE(name, argument)                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[argument]),               \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 07000, 0, 1), RETURN(DENIED),                 \
		RETURN(SECCOMP_RET_ALLOW)
#define DENIED (SECCOMP_RET_ERRNO | EPERM)

/*
 * What reading, writing below a directory and allocating take. openat2 is not among them, because a
 * filter does not see its mode: tree_open() then does without. No call may change the archive,
 * which can be a cache's own file, or make another descriptor of it; of fcntl the other commands
 * can have signals sent, and root's child could send them to whatever root runs. abort(3) ends a
 * process without tgkill too.
 */
static int filter_calls(void)
{
	static const struct sock_filter filter[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		DENY_IF(fchmod, 0, CHILD_ARCHIVE),
		DENY_IF(fchown, 0, CHILD_ARCHIVE),
		DENY_IF(fchownat, 0, CHILD_ARCHIVE),
		DENY_IF(utimensat, 0, CHILD_ARCHIVE),
		DENY_IF(linkat, 0, CHILD_ARCHIVE),
		DENY_IF(fcntl, 0, CHILD_ARCHIVE),
		DENY_UNLESS(fcntl, 1, F_DUPFD_CLOEXEC),
		ALLOW_MODE(openat, 3),
		ALLOW(write),
		ALLOW(utimensat),
		ALLOW(close),
		ALLOW(read),
		ALLOW(pread64),
		ALLOW(lseek),
		ALLOW_MODE(mkdirat, 2),
		ALLOW_MODE(fchmod, 1),
		ALLOW(fchown),
		ALLOW(fchownat),
		ALLOW(fstat),
		ALLOW(newfstatat),
		ALLOW(statx),
		ALLOW(ftruncate),
		ALLOW(unlinkat),
		ALLOW(linkat),
		ALLOW(symlinkat),
		ALLOW(fcntl),
		ALLOW(brk),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(mprotect),
		ALLOW(madvise),
		ALLOW(futex),
		ALLOW(getpid),
		ALLOW(gettid),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigaction),
		ALLOW(rt_sigreturn),
		ALLOW(sigaltstack),
		ALLOW(sched_yield),
		ALLOW(clock_gettime),
		ALLOW(getrandom),
		ALLOW(exit),
		ALLOW(exit_group),
		RETURN(DENIED),
	};
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]),
					    .filter = (struct sock_filter *)(uintptr_t)filter };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
#else
static int filter_calls(void)
{
	return -1;
}
#endif

int confine(int archive_fd, int staging_fd, int report_fd, bool set_owner, struct error *err)
{
	if (keep_descriptors(archive_fd, staging_fd, report_fd, err))
		return -1;
	limit_resources();
	umask(0);
	/* Only root can: others have Landlock. */
	if (fchdir(CHILD_STAGING) || (chroot(".") && errno != EPERM))
		return failed(err, "make the staging directory its root");
	unshare(CLONE_NEWNET);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed(err, "set no_new_privs");
	restrict_files();
	if (drop_capabilities(set_owner, err))
		return -1;
	filter_calls();
	return 0;
}
