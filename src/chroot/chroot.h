/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task + verified -> root: the allocation's directories on the host, and the file system that the
 * task sees.
 *
 * The root is a tmpfs of our own, made in the task's mount namespace, filled with read-only
 * recursive binds of host directories and read-only itself once built: no path that a task can
 * write is ever looked up to build it, no host file is linked, and the cost does not depend on how
 * many files the host has.
 */
#ifndef CHROOT_CHROOT_H
#define CHROOT_CHROOT_H

#include "base/error.h"
#include "task.h"

/*
 * Makes <alloc-dir>/<id>/, for root alone and locked (flock(2)) as long as this process lives, with
 * alloc/{logs,tmp,data} and <task>/{local,tmp} (the page's layout), owned by the task's user, and
 * opens them. <alloc-dir> is made (0700) when missing and must belong to root. An id that is there
 * already is an error, and what is there stays as it is; the lock tells whether its launcher lives.
 * On failure nothing new is left behind. The process's umask must be 0.
 */
int alloc_create(const struct task *task, struct pool *pool, struct alloc *alloc,
		 struct error *err);

/* Closes the descriptors; the directories stay. */
void alloc_release(struct alloc *alloc);

/*
 * Removes the directories that alloc_create made, whatever a task put into them, without following
 * any link and with a fixed number of descriptors at any depth. To be called when nothing of the
 * task runs any more.
 */
int alloc_remove(struct alloc *alloc, struct error *err);

/*
 * Opens, and makes where missing, the directory below local/ or alloc/ that an artifact goes to.
 * Fails when the path leads elsewhere. Nothing of a task may run yet.
 */
int alloc_open_destination(const struct alloc *alloc, const char *destination, struct error *err);

/*
 * Plans the root: which host directories are there, which are links, what a link points to. Looks
 * at the host, changes nothing. source_fd of the operations are the alloc's own descriptors.
 */
int chroot_plan(const struct task *task, const struct alloc *alloc, struct pool *pool,
		struct root *root, struct error *err);

/*
 * Executes the plan and makes it the root of the calling process, which must be alone in new mount,
 * pid and ipc namespaces. The old root is detached; working directory is `/`. On failure the caller
 * must exit: its mount namespace is of no use any more. Needs Linux 5.12 (mount_setattr(2)).
 */
int chroot_enter(const struct root *root, struct error *err);

/* One line in words for what an operation does, for --dry-run. */
const char *root_op_describe(const struct root_op *op, struct pool *pool);

#endif
