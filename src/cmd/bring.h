/* SPDX-License-Identifier: Apache-2.0 */
/* Private to cmd: the artifacts of a task, brought at the same time. */
#ifndef CMD_BRING_H
#define CMD_BRING_H

#include "chroot/chroot.h"
#include "cmd/obtain.h"

/*
 * Fetches, verifies and places all of them in the allocation, each in a process of its own: none
 * waits for another, and what libraries take for that is gone before the task starts. Fills the
 * artifact_… fields of *result, of the first one, and the timings, of the slowest. The first
 * failure ends the others, and so does a signal that signal_fd (a signalfd) reports:
 * ERROR_INTERRUPTED.
 */
int bring_all(const struct wanted *wanted, size_t n, const struct fetch_options *options,
	      const struct alloc *alloc, int signal_fd, struct pool *pool, struct result *result,
	      struct error *err);

#endif
