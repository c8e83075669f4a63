/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to cmd: from the options of `run` to a task, with all the looking-up at the host that
 * interpolation must not do.
 */
#ifndef CMD_PREPARE_H
#define CMD_PREPARE_H

#include "base/error.h"
#include "spec/spec.h"
#include "task.h"

/*
 * Completes the spec (operands, files, inherited variables), finds out the facts, and interpolates.
 * Reads the user database and, when the spec refers to them, the host's attributes; changes nothing
 * on the host. A signal that comes through signal_fd while a file of the user's has to be waited
 * for ends it with ERROR_INTERRUPTED.
 */
int prepare_task(const struct arguments *arguments, struct spec *spec, int signal_fd,
		 struct pool *pool, struct task *task, struct error *err);

#endif
