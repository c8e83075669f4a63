/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher's side while a task runs: one poll(2) over the channel, init's pidfd, the signals
 * and the timer. It wakes up only for these, so a running task costs nothing. The task controls
 * nothing here but how it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/log.h"
#include "launch/become.h"
#include "launch/channel.h"
#include "launch/stdio.h"

enum deadline { DEADLINE_NONE, DEADLINE_TIMEOUT, DEADLINE_KILL };

struct wait {
	const struct task *task;
	struct child *child;
	struct result *result;
	struct error *err;
	int timer_fd;
	enum deadline next;
	sigset_t early; /* signals that came before there was a task to send them to */
	bool failed, killed;
};

static int arm(struct wait *wait, enum deadline next, uint64_t ms)
{
	struct itimerspec spec = { .it_value = { (time_t)(ms / 1000),
						 (long)(ms % 1000) * 1000000 } };

	if (!ms)
		spec.it_value.tv_nsec = 1; /* 0 would disarm it */
	wait->next = next;
	return timerfd_settime(wait->timer_fd, 0, &spec, NULL);
}

static void send_signal(struct wait *wait, int signal)
{
	if (wait->child->task_pidfd < 0)
		sigaddset(&wait->early, signal);
	else if (pidfd_send_signal(wait->child->task_pidfd, signal, NULL, 0) && errno != ESRCH)
		log_warn("signal %d to the task: %s", signal, strerror(errno));
}

/* The task's pid in our namespace, for the report. Source: pidfd_open(2), "Pid:" of fdinfo. */
static pid_t pid_of(int pidfd)
{
	char path[40], line[64];
	AUTO_FILE file = NULL;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	return pid;
}

static void on_started(struct wait *wait, const struct message *message)
{
	wait->child->task_pidfd = message->fds_n ? message->fds[0] : -1;
	wait->result->pid = pid_of(wait->child->task_pidfd);
	wait->result->stage = STAGE_RUN;
	stdio_let_go(STDOUT_FILENO);
	for (int signal = 1; signal < NSIG; signal++)
		if (sigismember(&wait->early, signal) == 1)
			send_signal(wait, signal);
}

static int64_t to_ms(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void on_ended(struct wait *wait, const struct message *message)
{
	wait->result->ended = true;
	wait->result->wait_status = message->ended.wait_status;
	wait->result->cpu_user_ms = to_ms(&message->ended.usage.ru_utime);
	wait->result->cpu_system_ms = to_ms(&message->ended.usage.ru_stime);
}

static void on_channel(struct wait *wait)
{
	struct message message;

	while (channel_receive(wait->child->channel, &message, MSG_DONTWAIT) > 0)
		switch (message.type) {
		case MESSAGE_STARTED:
			on_started(wait, &message);
			break;
		case MESSAGE_FAILED:
			*wait->err = message.error;
			wait->failed = true;
			break;
		case MESSAGE_ENDED:
			on_ended(wait, &message);
			break;
		case MESSAGE_RELEASE:
			break;
		}
}

static void on_signal(struct wait *wait, int signal_fd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info))
		send_signal(wait, (int)info.ssi_signo);
}

/* With init, the kernel kills all that is in the namespace. */
static void kill_all(struct wait *wait)
{
	wait->killed = true;
	pidfd_send_signal(wait->child->init_pidfd, SIGKILL, NULL, 0);
}

static void on_timer(struct wait *wait)
{
	uint64_t expirations;
	bool first = wait->next == DEADLINE_TIMEOUT;

	if (read(wait->timer_fd, &expirations, sizeof(expirations)) < 0 || wait->result->ended)
		return; /* the task ended in time, only what it left is dying yet */
	wait->result->timed_out = true;
	if (first && wait->child->task_pidfd >= 0) {
		send_signal(wait, wait->task->kill_signal);
		if (wait->task->kill_timeout_ms &&
		    arm(wait, DEADLINE_KILL, wait->task->kill_timeout_ms) == 0)
			return;
	}
	kill_all(wait);
}

static int wait_failed(struct wait *wait, const char *action)
{
	error_set(wait->err, STAGE_RUN, errno, "%s", action);
	kill_all(wait);
	return -1;
}

static int loop(struct wait *wait, int signal_fd)
{
	struct pollfd fds[] = { { .fd = wait->child->init_pidfd, .events = POLLIN },
				{ .fd = wait->child->channel, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN },
				{ .fd = wait->timer_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			return wait_failed(wait, "wait for the task");
		if (fds[1].revents)
			on_channel(wait);
		if (fds[0].revents)
			return 0;
		if (fds[1].revents & POLLHUP)
			fds[1].fd = -1; /* init is about to end; nothing more will come */
		if (fds[2].revents)
			on_signal(wait, signal_fd);
		if (fds[3].revents)
			on_timer(wait);
	}
}

/* Init is gone, and all of the task with it. */
static int conclude(struct wait *wait)
{
	siginfo_t info = { 0 };

	on_channel(wait);
	while (waitid(P_PIDFD, (id_t)wait->child->init_pidfd, &info, WEXITED | __WALL) &&
	       errno == EINTR)
		continue;
	wait->child->init_pid = -1;
	if (wait->failed) {
		wait->result->ended = false; /* what ended was no command yet */
		wait->result->pid = 0;
		return -1;
	}
	if (wait->result->ended)
		return 0;
	if (info.si_code == CLD_EXITED || (!wait->killed && wait->child->task_pidfd < 0))
		return error_set(wait->err, STAGE_LAUNCH, 0,
				 "the task's init ended before the task had started");
	if (!wait->killed)
		log_error("the task's init was killed by signal %d, and the task with it",
			  info.si_status);
	wait->result->ended = true;
	wait->result->wait_status = SIGKILL;
	return 0;
}

int launch_wait(const struct task *task, struct child *child, int signal_fd, struct result *result,
		struct error *err)
{
	AUTO_FD timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct wait wait = {
		.task = task, .child = child, .result = result, .err = err, .timer_fd = timer
	};

	sigemptyset(&wait.early);
	if (timer < 0 || (task->timeout_ms && arm(&wait, DEADLINE_TIMEOUT, task->timeout_ms)))
		return wait_failed(&wait, "set the timeout");
	clock_gettime(CLOCK_REALTIME, &result->started_at);
	clock_gettime(CLOCK_MONOTONIC, &result->started);
	if (loop(&wait, signal_fd))
		return -1;
	return conclude(&wait);
}

int launch_release(const struct child *child, const struct cage *cage, struct error *err)
{
	struct message message = { .type = MESSAGE_RELEASE,
				   .tasks_n = cage->tasks_n,
				   .fds_n = cage->entries_n };

	memcpy(message.fds, cage->entry_fds, cage->entries_n * sizeof(int));
	if (channel_send(child->channel, &message) == 0 || errno == EPIPE || errno == ECONNRESET)
		return 0; /* an init that is gone has said why, or launch_wait will */
	return error_set(err, STAGE_LAUNCH, errno, "release the task");
}

void launch_release_child(struct child *child)
{
	if (child->init_pid > 0) {
		siginfo_t info;

		pidfd_send_signal(child->init_pidfd, SIGKILL, NULL, 0);
		while (waitid(P_PIDFD, (id_t)child->init_pidfd, &info, WEXITED | __WALL) &&
		       errno == EINTR)
			continue;
		child->init_pid = -1;
	}
	drop_fd(&child->init_pidfd);
	drop_fd(&child->task_pidfd);
	drop_fd(&child->channel);
}

void launch_signals(sigset_t *set)
{
	static const int signals[] = { SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
				       SIGUSR2, SIGCONT, SIGWINCH, SIGALRM };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}
