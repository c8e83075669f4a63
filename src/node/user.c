/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a task runs as: "NAME", "UID", "NAME:GROUP", "UID:GID" and every mixture of them.
 *
 * Runs in the launcher on every run. The text is the user's, and hostile if a wrapper passes on a
 * foreign one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "node/database.h"
#include "node/node.h"

/* (uid_t)-1 means "leave it" to setresuid(2) and chown(2), so it can be nobody's. */
#define ID_MAX 4294967294U

static int expect(const char *what, const char *text, struct error *err)
{
	return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
			      "%s \"%s\": expected a name or a number from 0 to %u", what, text,
			      ID_MAX);
}

static int unknown(const char *what, const char *text, const char *database, struct error *err)
{
	error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "%s \"%s\": not in the host's database",
		       what, text);
	return error_remedy(err, "`getent %s` lists what is; a number need not be there", database);
}

/* Digits are a number and nothing else is; + and - begin lines of another meaning in passwd(5). */
static int parse_who(const char *what, const char *text, struct who *who, struct error *err)
{
	uint64_t id = 0;

	*who = (struct who){ .text = text, .is_id = *text && !text[strspn(text, "0123456789")] };
	if (!*text || *text == '+' || *text == '-')
		return expect(what, text, err);
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ':')
			return expect(what, text, err);
		if (who->is_id)
			id = id * 10 + (uint64_t)(*p - '0');
		if (id > ID_MAX)
			return expect(what, text, err);
	}
	who->id = (uint32_t)id;
	return 0;
}

/* The database could hold the one id that none can have, and then root would stay root. */
static int check_ids(const char *text, const struct user *user, struct error *err)
{
	if (user->uid <= ID_MAX && user->gid <= ID_MAX)
		return 0;
	return error_set(err, STAGE_SETUP, 0,
			 "user \"%s\": its id or its group's in the host's database is above %u",
			 text, ID_MAX);
}

static int by_gid(const void *left, const void *right)
{
	gid_t a = *(const gid_t *)left, b = *(const gid_t *)right;

	return (a > b) - (a < b);
}

/* Sorts the supplementary groups; each is there once, the primary group is not. */
static void tidy_groups(struct user *user)
{
	size_t kept = 0;

	if (user->groups_n)
		qsort(user->groups, user->groups_n, sizeof(*user->groups), by_gid);
	for (size_t i = 0; i < user->groups_n; i++)
		if (user->groups[i] != user->gid &&
		    (!kept || user->groups[kept - 1] != user->groups[i]))
			user->groups[kept++] = user->groups[i];
	user->groups_n = kept;
}

/* The user without regard to an explicit group. */
static int find_entry(int root_fd, const struct services *services, const struct who *who,
		      struct pool *pool, struct user *user, struct error *err)
{
	struct passwd entry;
	enum known_to known;

	if (find_passwd(root_fd, services->passwd, who, pool, &entry, &known, err))
		return -1;
	if (known == KNOWN_TO_NONE && !who->is_id)
		return unknown("user", who->text, "passwd", err);
	if (known == KNOWN_TO_NONE) {
		*user = (struct user){ .uid = who->id, .gid = who->id, .home = "/" };
		return 0;
	}
	*user = (struct user){ .uid = entry.pw_uid, .gid = entry.pw_gid, .name = entry.pw_name };
	user->home = *entry.pw_dir ? entry.pw_dir : "/";
	if (find_members(root_fd, services->group && known == KNOWN_TO_FILES, pool, user, err))
		return -1;
	tidy_groups(user);
	return 0;
}

/* The explicit group takes the place of the primary one, which the user then is not in any more. */
static int set_group(int root_fd, bool files, const struct who *who, struct pool *pool,
		     struct user *user, struct error *err)
{
	bool known = true;

	user->gid = who->id;
	if (!who->is_id && find_group(root_fd, files, who->text, pool, &user->gid, &known, err))
		return -1;
	if (!known)
		return unknown("group", who->text, "group", err);
	tidy_groups(user);
	return 0;
}

int find_user(int root_fd, const char *text, struct pool *pool, struct user *user,
	      struct error *err)
{
	const char *colon = strchr(text, ':');
	const char *name = colon ? pool_strndup(pool, text, (size_t)(colon - text)) : text;
	struct who who, group;
	struct services services;

	if (!name)
		return pool_error(err, STAGE_SETUP);
	if (parse_who("user", name, &who, err) ||
	    (colon && parse_who("group", colon + 1, &group, err)))
		return -1;
	services = read_services(root_fd);
	if (find_entry(root_fd, &services, &who, pool, user, err) ||
	    (colon && set_group(root_fd, services.group, &group, pool, user, err)))
		return -1;
	return check_ids(text, user, err);
}

int node_user(const char *text, struct pool *pool, struct user *user, struct error *err)
{
	AUTO_FD root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root_fd < 0)
		return error_set(err, STAGE_SETUP, errno, "open /");
	return find_user(root_fd, text, pool, user, err);
}
