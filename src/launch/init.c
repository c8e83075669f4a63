/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks init, and is init: PID 1 of the task's pid namespace, root, outside the task's cgroup, so
 * never its OOM victim.
 *
 * It starts the task, gives up every capability, and reaps; it reads nothing that a task controls.
 * A task that is root inside cannot reach it: it is not dumpable, so /proc/1/{exe,fd,root,mem} are
 * closed, and it ignores every signal from inside because PID 1 has no handlers
 * (pid_namespaces(7)). A task with CAP_SYS_PTRACE can: what it finds is a process of root's without
 * a capability, though outside of its cgroup. When init ends the kernel kills whatever is left in
 * the namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "launch/become.h"
#include "launch/channel.h"
#include "launch/stdio.h"

#define SKIP_4 " %*s %*s %*s %*s"
#define SKIP_44_FIELDS SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4 SKIP_4

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static pid_t clone_process(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

/*
 * Asks to die with the parent, then makes sure that the parent did not die before: its end of the
 * channel, which nobody else holds, would be closed. (getppid() proves nothing in a new pid
 * namespace: it is 0.)
 */
static int follow_parent(int channel)
{
	struct pollfd poll_fd = { .fd = channel, .events = POLLIN | POLLRDHUP };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -1;
	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLRDHUP | POLLHUP) ? -1 : 0;
}

static int fork_failed(struct error *err)
{
	error_set(err, STAGE_LAUNCH, errno, "make the task's namespaces");
	switch (err->errnum) {
	case EPERM:
		return error_remedy(err, "it takes root, with CAP_SYS_ADMIN");
	case ENOSPC:
		return error_remedy(err, "raise /proc/sys/user/max_{mnt,pid,ipc,uts}_namespaces");
	case EAGAIN:
		return error_remedy(
			err, "too many processes: see ulimit -u and /proc/sys/kernel/pid_max");
	case ENOSYS:
	case EINVAL:
		return error_remedy(err, "nomad-exec needs Linux 5.12 or newer with namespaces");
	default:
		return -1;
	}
}

pid_t launch_fork(struct child *child, struct error *err)
{
	int pair[2], pidfd = -1;
	struct clone_args args = { .flags = NAMESPACES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				   .pidfd = (uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	pid_t pid;

	*child = (struct child)CHILD_INIT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return error_set(err, STAGE_LAUNCH, errno, "a channel to the task");
	pid = clone_process(&args);
	if (pid < 0) {
		fork_failed(err);
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	close(pair[pid ? 1 : 0]);
	child->channel = pair[pid ? 0 : 1];
	if (!pid) {
		if (follow_parent(child->channel))
			_exit(EXIT_LAUNCHER_FAILED);
		return 0;
	}
	child->init_pid = pid;
	child->init_pidfd = pidfd;
	return pid;
}

void launch_give_up(const struct child *child, const struct error *err)
{
	struct message message = { .type = MESSAGE_FAILED, .error = *err };

	channel_send(child->channel, &message);
	_exit(EXIT_LAUNCHER_FAILED);
}

/* The task: on v2 born in its cgroup, on v1 it enters by itself. */
static pid_t fork_task(const struct message *release, int *pidfd)
{
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)pidfd,
				   .exit_signal = SIGCHLD };

	if (release->fds_n > release->tasks_n) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)release->fds[release->tasks_n];
	}
	return clone_process(&args);
}

static void tell_started(const struct child *child, int pidfd)
{
	struct message message = { .type = MESSAGE_STARTED, .fds = { pidfd }, .fds_n = 1 };

	channel_send(child->channel, &message);
}

/* Reaps whatever ends until it is the task; the report counts the CPU time of all of them. */
static void reap_until(pid_t task, struct message *ended)
{
	pid_t pid;

	ended->type = MESSAGE_ENDED;
	do
		pid = wait4(-1, &ended->ended.wait_status, __WALL, NULL);
	while (pid != task && (pid > 0 || errno == EINTR));
	getrusage(RUSAGE_CHILDREN, &ended->ended.usage);
}

static void overwrite(unsigned long start, unsigned long end, const char *text)
{
	if (end <= start)
		return;
	memset((char *)start, 0, end - start);
	strncpy((char *)start, text, end - start - 1);
}

/*
 * Init carries the launcher's arguments, which every process of the task can read in
 * /proc/1/cmdline, and its environment, which one that may trace can: where the artifact came from
 * and what the caller keeps there is not for them. Source: proc_pid_stat(5), fields 48 to 51.
 */
static void hide_caller(void)
{
	unsigned long start, end, env_start, env_end;
	AUTO_FILE file = fopen("/proc/self/stat", "re");

	prctl(PR_SET_NAME, "nomad-exec-init", 0, 0, 0);
	if (!file || fscanf(file, "%*d (%*[^)]) %*c" SKIP_44_FIELDS " %lu %lu %lu %lu", &start,
			    &end, &env_start, &env_end) != 4)
		return;
	overwrite(start, end, "nomad-exec: init");
	overwrite(env_start, env_end, "");
}

/* What the launcher and its caller had open is nothing to init, which lives as long as the task. */
static void close_others(int channel)
{
	if (channel > 3)
		close_range(3, (unsigned int)channel - 1, 0);
	close_range((unsigned int)channel + 1, ~0U, 0);
}

/*
 * Whoever has CAP_SYS_PTRACE may take over init: such a task waits at a pipe until init has given
 * up what is its own. No other task can reach it.
 */
static int open_gate(const struct task *task, int gate[2], struct error *err)
{
	gate[0] = gate[1] = -1;
	if (task->capabilities >> CAP_SYS_PTRACE & 1 && pipe2(gate, O_CLOEXEC))
		return error_set(err, STAGE_LAUNCH, errno, "a pipe to the task");
	return 0;
}

/* In the task: the end of the pipe comes when init closes it. */
static void pass_gate(int gate[2])
{
	char nothing;

	drop_fd(&gate[1]);
	while (gate[0] >= 0 && read(gate[0], &nothing, 1) < 0 && errno == EINTR)
		continue;
	drop_fd(&gate[0]);
}

void launch_init(const struct task *task, const struct child *child)
{
	struct message message = { 0 };
	struct error err;
	int pidfd = -1, gate[2];
	pid_t pid;

	hide_caller(); /* the task's strings are copies of them */
	close_others(child->channel);
	if (channel_receive(child->channel, &message, 0) <= 0)
		_exit(EXIT_LAUNCHER_FAILED); /* the launcher gave up, and knows why */
	if (init_reset_scheduling(&err) || open_gate(task, gate, &err))
		launch_give_up(child, &err);
	pid = fork_task(&message, &pidfd);
	if (pid < 0) {
		error_set(&err, STAGE_LAUNCH, errno, "start the task's process");
		launch_give_up(child, &err);
	}
	if (!pid) {
		pass_gate(gate);
		task_become(task, child->channel, message.fds, message.tasks_n);
	}
	if (init_drop_privileges(&err))
		launch_give_up(child, &err); /* and with init the task ends */
	drop_fd(&gate[0]);
	drop_fd(&gate[1]);
	tell_started(child, pidfd);
	close(pidfd);
	while (message.fds_n)
		close(message.fds[--message.fds_n]);
	stdio_let_go(STDERR_FILENO);
	reap_until(pid, &message);
	channel_send(child->channel, &message);
	_exit(0);
}
