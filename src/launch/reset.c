/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller's process must not leave to a task: a launcher started by nohup, from a shell
 * with limits, or by a service with an OOM score of -1000 starts the same task as any other. Runs
 * in the task's process as root, and in init before it forks that.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "launch/become.h"

#define UNLIMITED RLIM_INFINITY

/*
 * What a service of a current distribution gets; core dumps off, as they would land in the task's
 * directory.
 */
static const struct {
	int resource;
	const char *name;
	rlim_t soft, hard;
} defaults[] = {
	{ RLIMIT_AS, "as", UNLIMITED, UNLIMITED },
	{ RLIMIT_CORE, "core", 0, 0 },
	{ RLIMIT_CPU, "cpu", UNLIMITED, UNLIMITED },
	{ RLIMIT_DATA, "data", UNLIMITED, UNLIMITED },
	{ RLIMIT_FSIZE, "fsize", UNLIMITED, UNLIMITED },
	{ RLIMIT_LOCKS, "locks", UNLIMITED, UNLIMITED },
	{ RLIMIT_MEMLOCK, "memlock", 8 << 20, 8 << 20 },
	{ RLIMIT_MSGQUEUE, "msgqueue", 819200, 819200 },
	{ RLIMIT_NICE, "nice", 0, 0 },
	{ RLIMIT_NOFILE, "nofile", 1024, 524288 },
	{ RLIMIT_NPROC, "nproc", UNLIMITED, UNLIMITED }, /* the pids controller bounds the task */
	{ RLIMIT_RSS, "rss", UNLIMITED, UNLIMITED },
	{ RLIMIT_RTPRIO, "rtprio", 0, 0 },
	{ RLIMIT_RTTIME, "rttime", UNLIMITED, UNLIMITED },
	{ RLIMIT_SIGPENDING, "sigpending", 65536, 65536 },
	{ RLIMIT_STACK, "stack", 8 << 20, UNLIMITED },
};

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

/*
 * A launcher without CAP_SYS_RESOURCE cannot raise a hard limit: then the caller's own is the most
 * there is.
 */
static int reset_limits(struct error *err)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		struct rlimit limit = { defaults[i].soft, defaults[i].hard }, old;

		if (setrlimit(defaults[i].resource, &limit) == 0)
			continue;
		if (errno == EPERM && getrlimit(defaults[i].resource, &old) == 0) {
			limit.rlim_max = least(limit.rlim_max, old.rlim_max);
			limit.rlim_cur = least(limit.rlim_cur, limit.rlim_max);
			if (setrlimit(defaults[i].resource, &limit) == 0)
				continue;
		}
		return error_set(err, STAGE_LAUNCH, errno, "reset the limit %s", defaults[i].name);
	}
	return 0;
}

/*
 * The raw calls: libc keeps two signals for itself, which a caller may have left ignored all the
 * same.
 */
static int reset_signals(struct error *err)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = { 0 };
	unsigned long none = 0;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP &&
		    syscall(SYS_rt_sigaction, i, &action, NULL, sizeof(none)))
			return error_set(err, STAGE_LAUNCH, errno, "reset signal %d", i);
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)))
		return error_set(err, STAGE_LAUNCH, errno, "unblock signals");
	return 0;
}

static int reset_oom_score(struct error *err)
{
	AUTO_FD fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return error_set(err, STAGE_LAUNCH, errno, "reset /proc/self/oom_score_adj");
	return 0;
}

int init_reset_scheduling(struct error *err)
{
	const struct sched_param none = { 0 };
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all)); /* the kernel keeps those that exist and are allowed */
	if (sched_setscheduler(0, SCHED_OTHER, &none) || setpriority(PRIO_PROCESS, 0, 0) ||
	    sched_setaffinity(0, sizeof(all), &all) || prctl(PR_SET_TIMERSLACK, 50000, 0, 0, 0) ||
	    personality(PER_LINUX) < 0)
		return error_set(err, STAGE_LAUNCH, errno, "reset scheduling");
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0))
		return error_set(err, STAGE_LAUNCH, errno, "reset the I/O priority");
	return 0;
}

/*
 * A kernel without keyrings has none to leak. As root: its quota of keys is not the task's user's,
 * whom many tasks share.
 */
static int new_keyring(struct error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return error_set(err, STAGE_LAUNCH, errno, "join a new session keyring");
	return 0;
}

static int new_session(struct error *err)
{
	return setsid() < 0 ? error_set(err, STAGE_LAUNCH, errno, "start a session") : 0;
}

int task_reset(struct error *err)
{
	umask(022);
	return reset_limits(err) || reset_signals(err) || reset_oom_score(err) ||
			       new_keyring(err) || new_session(err) ?
		       -1 :
		       0;
}
