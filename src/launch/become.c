/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that becomes the task: from init's child to the command. Starts as root inside the
 * finished root; ends with the task's user, cgroup and nothing else of ours. Nothing of the task
 * has run yet.
 */
#include "launch/become.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/channel.h"

/*
 * "0" means the writer itself, and only in the per-thread file does the kernel then skip the lock
 * that would wait for an RCU grace period: 0.1 ms instead of 7 (kernel/cgroup/cgroup.c,
 * cgroup_procs_write_start).
 */
static int enter_cgroups(const int *tasks, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (write(tasks[i], "0", 1) != 1)
			return error_set(err, STAGE_LAUNCH, errno, "enter the task's cgroup");
	/* After entering: the namespace's root is the group that one is in. */
	if (unshare(CLONE_NEWCGROUP))
		return error_set(err, STAGE_LAUNCH, errno, "make the task's cgroup namespace");
	return 0;
}

static int set_hostname(const struct task *task, struct error *err)
{
	if (task->hostname && sethostname(task->hostname, strlen(task->hostname)))
		return error_set(err, STAGE_LAUNCH, errno, "set the hostname %s", task->hostname);
	return 0;
}

/* Keeps 0, 1, 2 and, moved to 3, the channel, which closes when the command is executed. */
static int close_descriptors(int *channel, struct error *err)
{
	if (*channel != 3 && dup3(*channel, 3, O_CLOEXEC) < 0)
		return error_set(err, STAGE_LAUNCH, errno, "move the channel");
	*channel = 3;
	if (close_range(4, ~0U, 0))
		return error_set(err, STAGE_LAUNCH, errno, "close inherited descriptors");
	return 0;
}

/* Links in /proc may lead anywhere; what is not below the root has no path that begins with `/`. */
static int check_directory(const struct task *task, struct error *err)
{
	char path[PATH_MAX];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return error_set(err, STAGE_LAUNCH, errno, "find out where --work-dir %s is",
				 task->work_dir);
	return *path == '/' ? 0 :
			      error_set(err, STAGE_LAUNCH, 0,
					"--work-dir %s leads out of the chroot", task->work_dir);
}

static int change_directory(const struct task *task, struct error *err)
{
	if (chdir(task->work_dir) == 0)
		return check_directory(task, err);
	error_set(err, STAGE_LAUNCH, errno, "enter --work-dir %s inside the chroot",
		  task->work_dir);
	return err->errnum == EACCES ? error_remedy(err, "the task's user may not") : -1;
}

/* The kernel forgets the parent-death signal when the uid changes. */
static int follow_init(struct error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return error_set(err, STAGE_LAUNCH, errno, "set the parent-death signal");
	return 0;
}

void task_become(const struct task *task, int channel, const int *tasks, size_t tasks_n)
{
	struct message message = { .type = MESSAGE_FAILED };
	struct error *err = &message.error;

	if (follow_init(err) == 0 && enter_cgroups(tasks, tasks_n, err) == 0 &&
	    set_hostname(task, err) == 0 && close_descriptors(&channel, err) == 0 &&
	    task_reset(err) == 0 && task_drop_privileges(task, err) == 0 && follow_init(err) == 0 &&
	    change_directory(task, err) == 0)
		task_execute(task, err);
	channel_send(channel, &message);
	_exit(EXIT_LAUNCHER_FAILED);
}
