/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task + root -> child -> result: the processes of a run.
 *
 *   launcher ── init (PID 1 of the task's pid namespace; builds the root, then only reaps)
 *                 └─ task (enters the cgroup, gives up every privilege, executes the command)
 *
 * launch_fork() makes init, the launcher makes the cage while init builds the root,
 * launch_release() lets init start the task, and launch_wait() waits for its end. Init dies with
 * the launcher (parent-death signal), and with init the kernel kills whatever is in the pid
 * namespace: nothing of a task outlives the launcher, whatever kills it.
 */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

#include <signal.h>

#include "base/error.h"
#include "task.h"

/*
 * Refuses standard descriptors that would lead a task out of its root, whatever its user: from a
 * directory, or what was opened with O_PATH, /proc/self/fd/0/.. goes up into the host's tree.
 */
int launch_check_stdio(struct error *err);

/*
 * Forks init into new mount, pid, ipc and uts namespaces. Returns its pid in the launcher, 0 in
 * init, where nothing is shared with the launcher but child->channel, and -1 with the reason. In
 * init the caller must end in launch_init() or launch_give_up(). Source: clone3(2), Linux 5.5.
 */
pid_t launch_fork(struct child *child, struct error *err);

/* Init, once the root is built: waits for the release, starts the task, reaps until it ends. */
_Noreturn void launch_init(const struct task *task, const struct child *child);

/* Init, when it could not build the root: hands the error to the launcher. */
_Noreturn void launch_give_up(const struct child *child, const struct error *err);

/*
 * The task's cgroups: one directory a controller on v1, one for all on v2; a hybrid host may have
 * both kinds.
 */
struct cage_group {
	const char *controller; /* "memory" */
	const char *mount;      /* "/sys/fs/cgroup/memory" */
	const char *path;       /* "/sys/fs/cgroup/memory/nomad-exec/<id>.<task>" */
	bool v2;
	bool shared; /* v2: the directory is that of an earlier group */
};

#define CAGE_GROUPS_MAX 3

struct cage {
	const char *name; /* "nomad-exec/<id>.<task>": below every controller's mount point */
	struct cage_group groups[CAGE_GROUPS_MAX];
	size_t groups_n;
	bool made;
	int entry_fds[CAGE_GROUPS_MAX]; /* a `tasks` file for each v1 group, then the directory of
					   the v2 group */
	size_t tasks_n, entries_n;      /* how many of them are `tasks` files; all of them */
};

/* One limit as a cgroup file. */
struct cage_value {
	const char *file; /* "memory.max" */
	char value[24];
	bool optional; /* of a kernel that lacks the file nothing is lost */
};

#define CAGE_VALUES_MAX 4

/* The files that bound a task on one controller; how many they are. */
size_t cage_values(const struct limits *limits, const char *controller, bool v2,
		   struct cage_value values[CAGE_VALUES_MAX]);

/*
 * Finds out through libcgroup where the task's groups will be, and makes nothing. An error names
 * the controller that is missing and the remedy.
 */
int cage_plan(const struct task *task, struct pool *pool, struct cage *cage, struct error *err);

/*
 * Makes the planned groups, sets every limit, and opens their entries. A group of that name that is
 * there already is an error. On failure nothing is left behind. Errors name the file and the
 * remedy.
 */
int cage_create(const struct task *task, struct cage *cage, struct error *err);

/* Closes the entries: once the task is inside nobody needs them. */
void cage_close_entries(struct cage *cage);

/* Reads the kernel's counters; to be called when the task has ended, before cage_remove. */
void cage_read(const struct cage *cage, struct usage *usage);

/* Removes the groups, if they were made. Nothing of the task may run any more. */
int cage_remove(struct cage *cage, struct error *err);

/* Lets init start the task, inside the cage. */
int launch_release(const struct child *child, const struct cage *cage, struct error *err);

/*
 * Waits for the end of the task: forwards the signals that signal_fd (a signalfd(2)) reports to the
 * task, enforces the timeout, and reaps init, with which everything of the task is gone. Fills pid,
 * ended, wait_status, timed_out, the CPU times and when it started of *result. Returns -1 when the
 * task could not be started (kinds ERROR_CANNOT_EXECUTE, ERROR_NOT_FOUND, ERROR_FAILED). Never
 * wakes up without a reason.
 */
int launch_wait(const struct task *task, struct child *child, int signal_fd, struct result *result,
		struct error *err);

/* The signals that are passed on to the task: to be blocked, and read through signal_fd. */
void launch_signals(sigset_t *set);

/*
 * Kills and reaps whatever launch_fork started, and closes the descriptors. Safe to call at any
 * time, twice too.
 */
void launch_release_child(struct child *child);

#endif
