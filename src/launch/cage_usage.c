/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel counted for a task. Runs in the launcher when the task has ended. A counter that
 * this kernel does not keep is -1: never invented. Sources:
 * Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "launch/launch.h"

/* Where a number stands: alone in a file, or behind the key of one of its lines. */
struct place {
	const char *file, *key;
};

struct counter {
	const char *controller;
	struct place v1, v2;
};

static const struct counter memory_peak = { "memory",
					    { "memory.max_usage_in_bytes", NULL },
					    { "memory.peak", NULL } };
static const struct counter oom_kills = { "memory",
					  { "memory.oom_control", "oom_kill" },
					  { "memory.events", "oom_kill" } };
static const struct counter pids_peak = { "pids", { "pids.peak", NULL }, { "pids.peak", NULL } };
/* In ns on v1, in us on v2. */
static const struct counter throttled = { "cpu",
					  { "cpu.stat", "throttled_time" },
					  { "cpu.stat", "throttled_usec" } };

/*
 * Of all processes, also those that nobody waited for. In ns on v1, where the hierarchy of cpu has
 * them only if cpuacct is mounted with it; in us on v2.
 */
static const struct counter cpu_user = { "cpu",
					 { "cpuacct.usage_user", NULL },
					 { "cpu.stat", "user_usec" } };
static const struct counter cpu_system = { "cpu",
					   { "cpuacct.usage_sys", NULL },
					   { "cpu.stat", "system_usec" } };

static const struct cage_group *find_group(const struct cage *cage, const char *controller)
{
	for (size_t i = 0; i < cage->groups_n; i++)
		if (strcmp(cage->groups[i].controller, controller) == 0)
			return &cage->groups[i];
	return NULL;
}

static int64_t read_number(const char *directory, const struct place *place)
{
	char path[512], text[4096];
	const char *at = text, *key = place->key;
	long long number;
	ssize_t n;
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "%s/%s", directory, place->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	while (key && at && (strncmp(at, key, strlen(key)) != 0 || at[strlen(key)] != ' '))
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (!at || sscanf(key ? at + strlen(key) : at, "%lld", &number) != 1)
		return -1;
	return number;
}

static int64_t read_counter(const struct cage *cage, const struct counter *counter)
{
	const struct cage_group *group = find_group(cage, counter->controller);

	return group ? read_number(group->path, group->v2 ? &counter->v2 : &counter->v1) : -1;
}

static int64_t read_ms(const struct cage *cage, const struct counter *counter)
{
	const struct cage_group *group = find_group(cage, counter->controller);
	int64_t time = read_counter(cage, counter);

	return time < 0 ? -1 : time / (group->v2 ? 1000 : 1000000);
}

void cage_read(const struct cage *cage, struct usage *usage)
{
	int64_t user_ms, system_ms;

	if (!cage->made)
		return;
	usage->memory_peak_bytes = read_counter(cage, &memory_peak);
	usage->oom_kills = read_counter(cage, &oom_kills);
	usage->pids_peak = read_counter(cage, &pids_peak);
	usage->cpu_throttled_ms = read_ms(cage, &throttled);
	user_ms = read_ms(cage, &cpu_user);
	system_ms = read_ms(cage, &cpu_system);
	if (user_ms < 0 || system_ms < 0)
		return;
	usage->cpu_user_ms = user_ms;
	usage->cpu_system_ms = system_ms;
}
