/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec + facts -> task: expands `${…}`, decides defaults, computes the environment and the
 * capabilities.
 *
 * Pure: no I/O, no clock, no random numbers; whatever it needs to know of the host comes in as
 * facts. Text may be hostile: one pass, never scanned again, linear in the size of what comes in.
 */
#ifndef INTERPOLATE_INTERPOLATE_H
#define INTERPOLATE_INTERPOLATE_H

#include "base/error.h"
#include "task.h"

struct facts {
	const char *id;             /* allocation id for a run that names none */
	struct user user;           /* who spec->user is on this host */
	uint64_t held_capabilities; /* what the launcher itself may pass on */
	const char *hostname;       /* for ${node.unique.name} when the spec names no node */
	const struct attributes
		*attributes; /* for ${attr.…}, ${node.unique.id}; NULL when not asked for */
};

/* Whether some text of the spec refers to attributes of the host, which cost time to find out. */
bool interpolate_wants_attributes(const struct spec *spec);

/*
 * Makes the task. Its strings are of the pool, those of the command line are copies. Errors (kind
 * ERROR_USAGE) name the variable or value and where it stands; *task is then not to be used.
 */
int interpolate(const struct spec *spec, const struct facts *facts, struct pool *pool,
		struct task *task, struct error *err);

#endif
