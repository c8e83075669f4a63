/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of this host: its attributes (what `fingerprint` prints and `${attr.…}` means) and its
 * users.
 *
 * Runs in the launcher. Reads /proc, /sys, os-release and the user database, which are trusted;
 * starts no process and sends nothing to the network.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/error.h"
#include "task.h"

/* Where the facts are read from: "/" on a real run; tests give a recorded tree. */
struct node_source {
	int root_fd;           /* directory that stands for / */
	const char *alloc_dir; /* whose file system is reported as unique.storage.* */
};

/*
 * Every attribute of this host that is known, sorted by name. One that cannot be found out is
 * absent. *why_not is set to the reason, in one line, when tasks cannot run here (then driver.exec
 * is absent), else to NULL. Fails only for want of memory.
 */
int node_attributes(const struct node_source *source, struct pool *pool,
		    struct attributes *attributes, const char **why_not, struct error *err);

/*
 * Who "NAME", "UID", "NAME:GROUP" or "UID:GID" is: ids, supplementary groups, name and home from
 * the host's user database; a uid without an entry has no name, the gid that was given or its own
 * number, home "/" and no supplementary groups. An explicit group replaces the primary group and
 * the supplementary groups stay. An unknown name is an error of kind ERROR_USAGE. Source:
 * passwd(5), group(5), nsswitch.conf(5).
 */
int node_user(const char *text, struct pool *pool, struct user *user, struct error *err);

/*
 * The capabilities this process could pass on: permitted and in the bounding set. Source:
 * capabilities(7).
 */
uint64_t node_held_capabilities(void);

#endif
