/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to node: look-ups in the user database below root_fd, or, where its files do not say, in
 * the host's.
 */
#ifndef NODE_DATABASE_H
#define NODE_DATABASE_H

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>

#include "base/error.h"
#include "task.h"

/* A name or an id that was given for a user or a group. */
struct who {
	const char *text;
	bool is_id;
	uint32_t id;
};

/* Whether the files may be read in the place of libc's services. */
struct services {
	bool passwd, group;
};

struct services read_services(int root_fd);

/* Who knew the user: one of elsewhere may be a member of groups of elsewhere. */
enum known_to { KNOWN_TO_NONE, KNOWN_TO_FILES, KNOWN_TO_SERVICES };

/* The strings of *entry are in the pool. */
int find_passwd(int root_fd, bool files, const struct who *who, struct pool *pool,
		struct passwd *entry, enum known_to *known, struct error *err);

/*
 * Supplementary groups of a user that has an entry, unsorted, user->gid perhaps among them; it is
 * the entry's.
 */
int find_members(int root_fd, bool files, struct pool *pool, struct user *user, struct error *err);

int find_group(int root_fd, bool files, const char *name, struct pool *pool, gid_t *gid,
	       bool *known, struct error *err);

/* node_user with the files below root_fd. */
int find_user(int root_fd, const char *text, struct pool *pool, struct user *user,
	      struct error *err);

#endif
