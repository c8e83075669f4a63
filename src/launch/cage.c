/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task's cgroups, made, filled and removed through libcgroup (2.0 and 3.x). Runs in the
 * launcher as root, beside init that builds the root meanwhile. Nothing here is controlled by a
 * task but what the counters say.
 *
 * libcgroup finds the hierarchies, writes the values and deletes. Three things are ours, because
 * its own way is wrong here: it takes an existing group for a new one, so each directory is first
 * made exclusively; 2.0 does not enable a controller at the root of v2; and it attaches by pid,
 * which waits for an RCU grace period (7 ms), so the task enters by itself (become.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/auto.h"
#include "launch/cgroup.h"
#include "launch/launch.h"

static const char *const controllers[CAGE_GROUPS_MAX] = { "memory", "cpu", "pids" };

static const char parent_name[] = "nomad-exec";

static int plan_group(const struct cgroup_api *api, struct pool *pool, struct cage *cage,
		      const char *controller, struct error *err)
{
	struct cage_group *group = &cage->groups[cage->groups_n];
	char *mount = NULL;
	struct statfs fs;

	if (api->mount_point(controller, &mount) || !mount) {
		error_set(err, STAGE_LAUNCH, 0,
			  "the cgroup controller %s is not available on this host", controller);
		return error_remedy(
			err, "enable it in the kernel, or mount -t cgroup2 none /sys/fs/cgroup");
	}
	*group = (struct cage_group){ .controller = controller,
				      .mount = pool_strdup(pool, mount),
				      .path = pool_printf(pool, "%s/%s", mount, cage->name) };
	group->v2 = statfs(mount, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	free(mount);
	if (!group->path || !group->mount)
		return pool_error(err, STAGE_LAUNCH);
	for (size_t i = 0; i < cage->groups_n; i++)
		group->shared |= strcmp(cage->groups[i].path, group->path) == 0;
	cage->groups_n++;
	return 0;
}

/* For most failures libcgroup says ECGOTHER, and errno is its reason, if it has one. */
static int no_cgroups(const struct cgroup_api *api, int bad, struct error *err)
{
	if (bad == ECGOTHER)
		return error_set(err, STAGE_LAUNCH, api->last_errno(),
				 "libcgroup finds no cgroups on this host");
	error_set(err, STAGE_LAUNCH, 0, "no cgroups on this host: %s", api->strerror(bad));
	return bad == ECGROUPNOTMOUNTED ?
		       error_remedy(err, "mount them: mount -t cgroup2 none /sys/fs/cgroup") :
		       -1;
}

int cage_plan(const struct task *task, struct pool *pool, struct cage *cage, struct error *err)
{
	struct cgroup_api api;
	int bad;

	*cage = (struct cage){ .name = pool_printf(pool, "%s/%s.%s", parent_name, task->id,
						   task->name) };
	if (!cage->name)
		return pool_error(err, STAGE_LAUNCH);
	if (cgroup_open(&api, STAGE_LAUNCH, err))
		return -1;
	bad = api.init();
	if (bad)
		return no_cgroups(&api, bad, err);
	for (size_t i = 0; i < CAGE_GROUPS_MAX; i++)
		if (plan_group(&api, pool, cage, controllers[i], err))
			return -1;
	return 0;
}

/* Whether one of the words in the file dir_fd/name is this one. */
static bool file_has_word(int dir_fd, const char *name, const char *word)
{
	AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	char text[512], *rest = text, *found;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	while ((found = strsep(&rest, " \n")))
		if (strcmp(found, word) == 0)
			return true;
	return false;
}

static int write_file(int dir_fd, const char *name, const char *text)
{
	AUTO_FD fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* On v2 a controller works in a group only when every group above has enabled it for those below.
 */
static int enable_below(int dir_fd, const char *path, const char *controller, struct error *err)
{
	char text[32];

	if (file_has_word(dir_fd, "cgroup.subtree_control", controller))
		return 0;
	snprintf(text, sizeof(text), "+%s", controller);
	if (write_file(dir_fd, "cgroup.subtree_control", text) == 0)
		return 0;
	error_set(err, STAGE_LAUNCH, errno, "write %s to %s/cgroup.subtree_control", text, path);
	return err->errnum == EBUSY ?
		       error_remedy(err, "move the processes of that group into one below it") :
		       -1;
}

/*
 * "<mount>/nomad-exec", made where it is missing and with the controller enabled: where the groups
 * of all tasks are.
 */
static int open_parent(const struct cage_group *group, struct error *err)
{
	AUTO_FD root = open(group->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD parent = -1;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", group->mount, parent_name);
	if (root < 0)
		return error_set(err, STAGE_LAUNCH, errno, "open the cgroup %s", group->mount);
	if (group->v2 && enable_below(root, group->mount, group->controller, err))
		return -1;
	if (mkdirat(root, parent_name, 0755) && errno != EEXIST)
		return error_set(err, STAGE_LAUNCH, errno, "make the cgroup %s", path);
	parent = openat(root, parent_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return error_set(err, STAGE_LAUNCH, errno, "open the cgroup %s", path);
	if (group->v2 && enable_below(parent, path, group->controller, err))
		return -1;
	return take_fd(&parent);
}

/* The group must be new: whoever finds one of that name must not share it, nor remove it. */
static int make_directory(const struct cage *cage, const struct cage_group *group,
			  struct error *err)
{
	AUTO_FD parent = open_parent(group, err);

	if (parent < 0)
		return -1;
	if (group->shared || mkdirat(parent, cage->name + sizeof(parent_name), 0755) == 0)
		return 0;
	error_set(err, STAGE_LAUNCH, errno, "make the cgroup %s", group->path);
	return err->errnum == EEXIST ?
		       error_remedy(err, "a task with this id runs: choose another --id") :
		       -1;
}

static int make_directories(const struct cage *cage, struct error *err)
{
	for (size_t i = 0; i < cage->groups_n; i++)
		if (make_directory(cage, &cage->groups[i], err)) {
			while (i-- > 0)
				rmdir(cage->groups[i].path);
			return -1;
		}
	return 0;
}

static bool file_exists(const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}

/* libcgroup's picture of the cage, with the values to write unless only the directories matter. */
static struct cgroup *describe(const struct cgroup_api *api, const struct cage *cage,
			       const struct limits *limits)
{
	struct cgroup *group = api->new_cgroup(cage->name);

	for (size_t i = 0; group && i < cage->groups_n; i++) {
		const struct cage_group *g = &cage->groups[i];
		struct cgroup_controller *controller = api->add_controller(group, g->controller);
		struct cage_value values[CAGE_VALUES_MAX];
		size_t n = limits ? cage_values(limits, g->controller, g->v2, values) : 0;

		for (size_t j = 0; controller && j < n; j++)
			if ((!values[j].optional || file_exists(g->path, values[j].file)) &&
			    api->add_value(controller, values[j].file, values[j].value))
				controller = NULL;
		if (!controller)
			api->free(&group); /* and makes it NULL */
	}
	return group;
}

/* Which limit it was that libcgroup could not set: it says little, so try each of them once more.
 */
static int explain(const struct cage *cage, const struct limits *limits, const char *reason,
		   struct error *err)
{
	for (size_t i = 0; i < cage->groups_n; i++) {
		const struct cage_group *g = &cage->groups[i];
		AUTO_FD dir = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct cage_value values[CAGE_VALUES_MAX];
		size_t n = cage_values(limits, g->controller, g->v2, values);

		for (size_t j = 0; j < n; j++)
			if (write_file(dir, values[j].file, values[j].value) &&
			    !(values[j].optional && errno == ENOENT))
				return error_set(err, STAGE_LAUNCH, errno,
						 "set the limit: write %s to %s/%s",
						 values[j].value, g->path, values[j].file);
	}
	return error_set(err, STAGE_LAUNCH, 0, "set the limits of the cgroup %s: %s", cage->name,
			 reason);
}

static int set_values(const struct cage *cage, const struct limits *limits, struct error *err)
{
	struct cgroup_api api;
	struct cgroup *group;
	int bad;

	if (cgroup_open(&api, STAGE_LAUNCH, err))
		return -1;
	group = describe(&api, cage, limits);
	if (!group)
		return pool_error(err, STAGE_LAUNCH);
	bad = api.create(group, 1);
	api.free(&group);
	return bad ? explain(cage, limits, api.strerror(bad), err) : 0;
}

static int open_entries(struct cage *cage, struct error *err)
{
	for (int v2 = 0; v2 <= 1; v2++)
		for (size_t i = 0; i < cage->groups_n; i++) {
			const struct cage_group *g = &cage->groups[i];
			char path[512];
			int fd;

			if (g->v2 != v2 || g->shared)
				continue;
			snprintf(path, sizeof(path), v2 ? "%s" : "%s/tasks", g->path);
			fd = open(path,
				  v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
			if (fd < 0)
				return error_set(err, STAGE_LAUNCH, errno, "open %s", path);
			cage->entry_fds[cage->entries_n++] = fd;
			cage->tasks_n += !v2;
		}
	return 0;
}

int cage_create(const struct task *task, struct cage *cage, struct error *err)
{
	struct error ignored;

	if (make_directories(cage, err))
		return -1;
	cage->made = true;
	if (set_values(cage, &task->limits, err) == 0 && open_entries(cage, err) == 0)
		return 0;
	cage_remove(cage, &ignored);
	return -1;
}

void cage_close_entries(struct cage *cage)
{
	while (cage->entries_n)
		drop_fd(&cage->entry_fds[--cage->entries_n]);
	cage->tasks_n = 0;
}

int cage_remove(struct cage *cage, struct error *err)
{
	struct cgroup_api api;
	struct cgroup *group;
	int bad;

	cage_close_entries(cage);
	if (!cage->made)
		return 0;
	if (cgroup_open(&api, STAGE_RUN, err))
		return -1;
	group = describe(&api, cage, NULL);
	if (!group)
		return pool_error(err, STAGE_RUN);
	/* Without EMPTY_ONLY libcgroup would move what is left to the parent, out of every limit.
	 */
	bad = api.delete_ext(group, CGFLAG_DELETE_EMPTY_ONLY);
	api.free(&group);
	if (bad)
		return error_set(err, STAGE_RUN, errno, "remove the cgroup %s: %s", cage->name,
				 api.strerror(bad));
	cage->made = false;
	return 0;
}
