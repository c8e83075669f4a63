/* SPDX-License-Identifier: Apache-2.0 */
/* Private to cmd: one `fetch`, from its options to its result. */
#ifndef CMD_FETCH_H
#define CMD_FETCH_H

#include <time.h>

#include "cmd/obtain.h"

struct job {
	struct fetch_spec *spec;
	struct pool *pool;
	int interrupt_fd, directory_fd;
	const char *directory; /* as it is shown in paths */
	struct wanted wanted;
	struct placing placing;
	struct obtained obtained;
	bool unchanged;
	struct timespec started_at;
	struct error *err;
};

/*
 * Understands the options and the operand: fills the job's placing and directory, and *source.
 * Errors are ERROR_USAGE, but for files that cannot be read.
 */
int fetch_read_options(struct job *job, const struct arguments *arguments, struct source *source);

#endif
