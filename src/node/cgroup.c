/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cgroup controllers there are, in a hierarchy of which version, and whether that is enough
 * to run tasks.
 *
 * A controller belongs to one hierarchy at a time, so the version is decided for each: hybrid hosts
 * have both. Sources: cgroups(7), /proc/self/mountinfo, cgroup.controllers. All trusted.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/capability.h"
#include "node/survey.h"

#define CONTROLLERS_BYTES 1024

/* What a task cannot be bounded without. */
static const char *const needed[] = { "memory", "cpu", "pids" };

#define NEEDED_N (sizeof(needed) / sizeof(needed[0]))

/* What is no flag among the mount options of a v1 hierarchy. Source: linux/cgroup_subsys.h. */
static bool is_controller(const char *word)
{
	static const char *const names[] = {
		"cpuset",  "cpu",     "cpuacct", "blkio",      "memory",
		"devices", "freezer", "net_cls", "perf_event", "net_prio",
		"hugetlb", "pids",    "rdma",    "misc",       "dmem",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], word) == 0)
			return true;
	return false;
}

static const struct controller *find_controller(const struct cgroups *cgroups, const char *name)
{
	for (size_t i = 0; i < cgroups->n; i++)
		if (strcmp(cgroups->v[i].name, name) == 0)
			return &cgroups->v[i];
	return NULL;
}

/* The first mount of a hierarchy counts; others show the same one. */
static void add_controller(struct survey *survey, struct cgroups *cgroups,
			   struct controller controller)
{
	if (cgroups->n == sizeof(cgroups->v) / sizeof(cgroups->v[0]) ||
	    find_controller(cgroups, controller.name))
		return;
	controller.name = pool_strdup(survey->scratch, controller.name);
	if (!controller.name)
		survey->out_of_memory = true;
	else
		cgroups->v[cgroups->n++] = controller;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, word, length) == 0 && (list[length] == ',' || !list[length]))
			return true;
	return false;
}

static struct controller controller_of(const char *name, int version, const struct mount *mount)
{
	return (struct controller){
		.name = name,
		.version = version,
		.point = mount->point,
		.read_only = has_word(mount->options, "ro") || has_word(mount->super_options, "ro"),
	};
}

/* "rw,cpu,cpuacct": the controllers of a v1 hierarchy. */
static void add_v1(struct survey *survey, struct cgroups *cgroups, const struct mount *mount)
{
	char *words = pool_strdup(survey->scratch, mount->super_options), *word;

	if (!words) {
		survey->out_of_memory = true;
		return;
	}
	while ((word = strsep(&words, ",")))
		if (is_controller(word))
			add_controller(survey, cgroups, controller_of(word, 1, mount));
	if (!cgroups->v1_point)
		cgroups->v1_point = mount->point;
}

/* "cpuset cpu io memory": what the topmost group that we see can pass on to those below it. */
static void add_v2(struct survey *survey, struct cgroups *cgroups, const struct mount *mount)
{
	char line[CONTROLLERS_BYTES], *words = line, *word;

	if (cgroups->v2_point)
		return;
	cgroups->v2_point = mount->point;
	if (read_line(survey, line, sizeof(line), "%s/cgroup.controllers",
		      mount->point + strspn(mount->point, "/")))
		return;
	while ((word = strsep(&words, " ")))
		if (*word)
			add_controller(survey, cgroups, controller_of(word, 2, mount));
}

/* Hybrid counts as 1: some controller that tasks need is there. 0: there are no cgroups. */
static int cgroups_version(const struct cgroups *cgroups)
{
	for (size_t i = 0; i < NEEDED_N; i++) {
		const struct controller *controller = find_controller(cgroups, needed[i]);

		if (controller && controller->version == 1)
			return 1;
	}
	return cgroups->v2_point ? 2 : 0;
}

/* How much of a path is the directory above: of "/sys/fs/cgroup/cpu" the first 14 characters. */
static int parent_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? (int)(slash - path) : 1;
}

void survey_cgroups(struct survey *survey, struct cgroups *cgroups)
{
	*cgroups = (struct cgroups){ 0 };
	for (size_t i = 0; i < survey->mounts_n; i++)
		if (strcmp(survey->mounts[i].type, "cgroup") == 0)
			add_v1(survey, cgroups, &survey->mounts[i]);
		else if (strcmp(survey->mounts[i].type, "cgroup2") == 0)
			add_v2(survey, cgroups, &survey->mounts[i]);
	for (size_t i = 0; i < cgroups->n; i++)
		survey_add(survey,
			   pool_printf(survey->pool, "driver.exec.cgroup.%s", cgroups->v[i].name),
			   "%d", cgroups->v[i].version);
	switch (cgroups_version(cgroups)) {
	case 1:
		survey_add(survey, "os.cgroups.version", "1");
		survey_add(survey, "unique.cgroup.mountpoint", "%.*s",
			   parent_length(cgroups->v1_point), cgroups->v1_point);
		break;
	case 2:
		survey_add(survey, "os.cgroups.version", "2");
		survey_add(survey, "unique.cgroup.mountpoint", "%s", cgroups->v2_point);
		break;
	}
}

#define NOT_ROOT "not root: the effective uid is %u; run nomad-exec as root"
#define NOT_HELD "capability %s: not held; give it to nomad-exec, or to the container that it is in"
#define NO_CGROUPS                                                                                 \
	"cgroups: /proc/self/mountinfo lists none; mount -t cgroup2 cgroup2 /sys/fs/cgroup"
#define NOT_IN_V1                                                                                  \
	"cgroup controller %s: no hierarchy that is mounted has it; "                              \
	"mount -t cgroup -o %s cgroup %.*s/%s"
#define NOT_IN_V2                                                                                  \
	"cgroup controller %s: not in %s/cgroup.controllers; enable it in "                        \
	"cgroup.subtree_control of the groups above, or boot without cgroup_disable=%s"
#define READ_ONLY "cgroup controller %s: %s is mounted read-only; mount -o remount,rw %s"

/* An obstacle must not turn into none for want of memory to name it. */
static const char *remember(struct survey *survey, const char *text)
{
	if (!text)
		survey->out_of_memory = true;
	return text ? text : "out of memory";
}

static const char *missing_controller(struct pool *pool, const struct cgroups *cgroups,
				      const char *name)
{
	if (cgroups->v2_point)
		return pool_printf(pool, NOT_IN_V2, name, cgroups->v2_point, name);
	return pool_printf(pool, NOT_IN_V1, name, name, parent_length(cgroups->v1_point),
			   cgroups->v1_point, name);
}

static const char *controller_obstacle(struct survey *survey, const struct cgroups *cgroups,
				       const char *name)
{
	const struct controller *controller = find_controller(cgroups, name);

	if (!controller)
		return remember(survey, missing_controller(survey->pool, cgroups, name));
	if (controller->read_only)
		return remember(survey, pool_printf(survey->pool, READ_ONLY, name,
						    controller->point, controller->point));
	return NULL;
}

/* Without one of these no task starts, or none can be told to end. */
static const int needed_capabilities[] = { CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
					   CAP_CHOWN,     CAP_MKNOD,  CAP_KILL };

static const char *capability_obstacle(struct survey *survey, uint64_t held)
{
	for (size_t i = 0; i < sizeof(needed_capabilities) / sizeof(needed_capabilities[0]); i++) {
		int capability = needed_capabilities[i];

		if (!(held >> capability & 1))
			return remember(survey, pool_printf(survey->pool, NOT_HELD,
							    capability_name(capability)));
	}
	return NULL;
}

const char *exec_obstacle(struct survey *survey, const struct cgroups *cgroups, uid_t euid,
			  uint64_t held)
{
	const char *missing;

	if (euid != 0)
		return remember(survey, pool_printf(survey->pool, NOT_ROOT, euid));
	missing = capability_obstacle(survey, held);
	if (missing)
		return missing;
	if (!survey->mounts_n)
		return "/proc/self/mountinfo: cannot be read; mount -t proc proc /proc";
	if (!cgroups->v1_point && !cgroups->v2_point)
		return NO_CGROUPS;
	for (size_t i = 0; i < NEEDED_N; i++) {
		const char *obstacle = controller_obstacle(survey, cgroups, needed[i]);

		if (obstacle)
			return obstacle;
	}
	return NULL;
}
