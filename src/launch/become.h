/* SPDX-License-Identifier: Apache-2.0 */
/* Private to launch: the steps of the process that becomes the task, after init has forked it. */
#ifndef LAUNCH_BECOME_H
#define LAUNCH_BECOME_H

#include "launch/launch.h"

/*
 * The status of a process of ours that ended before it could execute the command; the reason went
 * over the channel.
 */
#define EXIT_LAUNCHER_FAILED 125

/*
 * Becomes the command, or sends the reason over the channel and exits. tasks: the v1 `tasks` files
 * to enter by.
 */
_Noreturn void task_become(const struct task *task, int channel, const int *tasks, size_t tasks_n);

/*
 * Undoes what the caller's process left in this one: signal dispositions and mask, umask, limits,
 * OOM score, session and keyring.
 */
int task_reset(struct error *err);

/*
 * The same for scheduling, CPU affinity and priorities. Init does it before it forks the task: a
 * real-time process must not enter a group that has no real-time share of its own (cgroup v1 says
 * EINVAL), nor be born in one, where it would never run.
 */
int init_reset_scheduling(struct error *err);

/*
 * Gives up what root can do, in the one order that works, and proves it: supplementary groups, gid,
 * uid, bounding set, the capabilities left over, no_new_privs. Source: capabilities(7),
 * credentials(7).
 */
int task_drop_privileges(const struct task *task, struct error *err);

/*
 * Gives up every capability of init, for good, once it has forked the task: to reap and to tell of
 * it takes none. The parent-death signal stays, which the kernel forgets only when something is
 * gained. Source: prctl(2), kernel/cred.c.
 */
int init_drop_privileges(struct error *err);

/* Executes the command, looked up inside the root. Returns only on failure, -1. */
int task_execute(const struct task *task, struct error *err);

#endif
