/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user database: the files themselves where that gives the same answer, else libc's services.
 *
 * Runs in the launcher on every run. The database is the host's and trusted; the name that is
 * looked for is the user's.
 *
 * /etc/passwd and /etc/group are read here, by libc's own parsers, when nsswitch.conf lets "files"
 * have the first word on users and the only one on groups; all else is asked of libc's services.
 * This is for speed: getgrouplist asks every service for more groups, and with Debian's default
 * ("files systemd") loads one for it. For nobody, medians of 200 new processes on Debian 12:
 * getpwnam_r and getgrouplist 520 us, or 74 us with "files" alone; node_user 90 us.
 * What is passed over is the membership of a user of /etc/passwd in a group only systemd knows.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/database.h"

/* Room for an entry. Longer ones in a file are left to the services, which may take more. */
#define ENTRY_BYTES ((size_t)4096)
#define GROUP_BYTES ((size_t)32768)

static FILE *open_file(int root_fd, const char *path)
{
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!file)
		drop_fd(&fd);
	return file;
}

/* "files …" without an action such as [SUCCESS=continue] on what files finds. */
static bool files_first(char *words)
{
	const char *first = strtok_r(NULL, " \t", &words), *second = strtok_r(NULL, " \t", &words);

	return first && strcmp(first, "files") == 0 && (!second || *second != '[');
}

static bool files_only(char *words)
{
	const char *word;

	while ((word = strtok_r(NULL, " \t", &words)))
		if (strcmp(word, "files") != 0 && strcmp(word, "systemd") != 0 &&
		    strcmp(word, "[SUCCESS=merge]") != 0)
			return false;
	return true;
}

/* Source: nsswitch.conf(5); "files" is what holds for a database that is not listed. */
struct services read_services(int root_fd)
{
	AUTO_FILE file = open_file(root_fd, "etc/nsswitch.conf");
	struct services services = { true, true };
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		char *words;
		const char *database;

		line[strcspn(line, "#\n")] = '\0';
		database = strtok_r(line, ": \t", &words);
		if (!database)
			continue;
		if (strcmp(database, "passwd") == 0)
			services.passwd = files_first(words);
		else if (strcmp(database, "group") == 0 || strcmp(database, "initgroups") == 0)
			services.group = services.group && files_only(words);
	}
	return services;
}

static bool is_wanted(const struct passwd *entry, const struct who *who)
{
	if (!who->is_id)
		return strcmp(entry->pw_name, who->text) == 0;
	return entry->pw_uid == who->id && entry->pw_name[0] != '+' && entry->pw_name[0] != '-';
}

/* True when /etc/passwd has the user; the strings of the entry are in buffer. */
static bool scan_passwd(int root_fd, const struct who *who, struct passwd *entry, char *buffer,
			size_t size)
{
	AUTO_FILE file = open_file(root_fd, "etc/passwd");
	struct passwd *at;

	while (file && fgetpwent_r(file, entry, buffer, size, &at) == 0)
		if (is_wanted(entry, who))
			return true;
	return false;
}

/* What getpwnam_r(3) and its like return for what is not there, besides 0. */
static bool means_absent(int errnum)
{
	return errnum == 0 || errnum == ENOENT || errnum == ESRCH;
}

/* Asks the services. *found is NULL when nobody knows the user. */
static int ask_passwd(const struct who *who, struct pool *pool, struct passwd *entry,
		      struct passwd **found, struct error *err)
{
	int failed = ERANGE;

	for (size_t size = ENTRY_BYTES; failed == ERANGE; size *= 4) {
		char *buffer = pool_alloc(pool, size);

		if (!buffer)
			return pool_error(err, STAGE_SETUP);
		failed = who->is_id ? getpwuid_r(who->id, entry, buffer, size, found) :
				      getpwnam_r(who->text, entry, buffer, size, found);
	}
	if (!means_absent(failed))
		return error_set(err, STAGE_SETUP, failed,
				 "user \"%s\": look up in the host's database", who->text);
	return 0;
}

int find_passwd(int root_fd, bool files, const struct who *who, struct pool *pool,
		struct passwd *entry, enum known_to *known, struct error *err)
{
	char *buffer = pool_alloc(pool, ENTRY_BYTES);
	struct passwd *at = NULL;

	if (!buffer)
		return pool_error(err, STAGE_SETUP);
	*known = KNOWN_TO_FILES;
	if (files && scan_passwd(root_fd, who, entry, buffer, ENTRY_BYTES))
		return 0;
	if (ask_passwd(who, pool, entry, &at, err))
		return -1;
	*known = at ? KNOWN_TO_SERVICES : KNOWN_TO_NONE;
	return 0;
}

/* Adds a supplementary group; the capacity is the next power of two, at least 8. */
static int add_group(struct pool *pool, struct user *user, gid_t gid)
{
	size_t n = user->groups_n;

	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		gid_t *groups = pool_alloc(pool, (n ? 2 * n : 8) * sizeof(*groups));

		if (!groups)
			return -1;
		if (n)
			memcpy(groups, user->groups, n * sizeof(*groups));
		user->groups = groups;
	}
	user->groups[user->groups_n++] = gid;
	return 0;
}

static bool has_member(const struct group *entry, const char *name)
{
	for (char *const *member = entry->gr_mem; *member; member++)
		if (strcmp(*member, name) == 0)
			return true;
	return false;
}

/* Adds the groups of /etc/group that list the user. Returns 1 when it could not read all of it. */
static int scan_members(int root_fd, struct pool *pool, struct user *user, struct error *err)
{
	AUTO_FILE file = open_file(root_fd, "etc/group");
	char buffer[GROUP_BYTES];
	struct group entry, *at;
	int end = ENOENT;

	while (file && (end = fgetgrent_r(file, &entry, buffer, sizeof(buffer), &at)) == 0)
		if (has_member(&entry, user->name) && add_group(pool, user, entry.gr_gid))
			return pool_error(err, STAGE_SETUP);
	return file && end == ENOENT ? 0 : 1;
}

static int ask_members(struct pool *pool, struct user *user, struct error *err)
{
	int n = 64, room = 0;

	for (;;) {
		room = n > room ? n : 2 * room;
		n = room;
		user->groups = pool_alloc(pool, (size_t)room * sizeof(*user->groups));
		if (!user->groups)
			return pool_error(err, STAGE_SETUP);
		if (getgrouplist(user->name, user->gid, user->groups, &n) < 0)
			continue; /* n is how many there are, unless that has changed meanwhile */
		user->groups_n = (size_t)n;
		return 0;
	}
}

int find_members(int root_fd, bool files, struct pool *pool, struct user *user, struct error *err)
{
	int rest = files ? scan_members(root_fd, pool, user, err) : 1;

	return rest > 0 ? ask_members(pool, user, err) : rest;
}

static bool scan_group(int root_fd, const char *name, gid_t *gid)
{
	AUTO_FILE file = open_file(root_fd, "etc/group");
	char buffer[GROUP_BYTES];
	struct group entry, *at;

	while (file && fgetgrent_r(file, &entry, buffer, sizeof(buffer), &at) == 0)
		if (strcmp(entry.gr_name, name) == 0) {
			*gid = entry.gr_gid;
			return true;
		}
	return false;
}

static int ask_group(const char *name, struct pool *pool, gid_t *gid, bool *known,
		     struct error *err)
{
	struct group entry, *found = NULL;
	int failed = ERANGE;

	for (size_t size = GROUP_BYTES; failed == ERANGE; size *= 4) {
		char *buffer = pool_alloc(pool, size);

		if (!buffer)
			return pool_error(err, STAGE_SETUP);
		failed = getgrnam_r(name, &entry, buffer, size, &found);
	}
	if (!means_absent(failed))
		return error_set(err, STAGE_SETUP, failed,
				 "group \"%s\": look up in the host's database", name);
	*known = found != NULL;
	*gid = found ? found->gr_gid : 0;
	return 0;
}

int find_group(int root_fd, bool files, const char *name, struct pool *pool, gid_t *gid,
	       bool *known, struct error *err)
{
	*known = files && scan_group(root_fd, name, gid);
	return *known ? 0 : ask_group(name, pool, gid, known, err);
}
