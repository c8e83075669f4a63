/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of attributes: who contributes to it, and its order.
 *
 * Runs in the launcher on trusted files. It needs no privilege, but without root unique.host_id is
 * another: the firmware's may not be read then.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "node/survey.h"

/* Room for /proc/self/mountinfo with 100,000 mounts, what a kernel allows (fs.mount-max). */
#define SCRATCH_BYTES ((size_t)128 << 20)

static int grow(struct survey *survey)
{
	struct attributes *list = survey->attributes;
	size_t capacity = list->capacity ? list->capacity * 2 : 64;
	struct attribute *v;

	if (list->n < list->capacity)
		return 0;
	v = pool_alloc(survey->pool, capacity * sizeof(*v));
	if (!v)
		return -1;
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	list->v = v;
	list->capacity = capacity;
	return 0;
}

void survey_add(struct survey *survey, const char *name, const char *format, ...)
{
	char text[4096];
	const char *value;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (length <= 0 || (size_t)length >= sizeof(text))
		return;
	value = pool_strdup(survey->pool, text);
	if (!name || !value || grow(survey))
		survey->out_of_memory = true;
	else
		survey->attributes->v[survey->attributes->n++] = (struct attribute){ name, value };
}

/* What this program is, rather than the host. */
static void survey_driver(struct survey *survey)
{
	survey_add(survey, "driver.exec.version", "%s", VERSION);
	survey_add(survey, "driver.exec.chroot_modes", "bind");
	survey_signals(survey);
}

void survey_tree(struct survey *survey)
{
	survey_mounts(survey);
	survey_cpu(survey);
	survey_numa(survey);
	survey_memory(survey);
	survey_os(survey);
	survey_host_id(survey);
}

void survey_calls(struct survey *survey, const char *alloc_dir)
{
	struct utsname names;

	if (uname(&names) == 0)
		survey_kernel(survey, &names);
	/* Source: landlock_create_ruleset(2); with this flag it makes nothing. */
	survey_landlock(survey, syscall(SYS_landlock_create_ruleset, NULL, 0,
					LANDLOCK_CREATE_RULESET_VERSION));
	survey_storage_of(survey, alloc_dir);
	survey_network(survey);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(((const struct attribute *)left)->name,
		      ((const struct attribute *)right)->name);
}

int node_attributes(const struct node_source *source, struct pool *pool,
		    struct attributes *attributes, const char **why_not, struct error *err)
{
	AUTO_POOL scratch = POOL_INIT(SCRATCH_BYTES);
	struct survey survey = {
		.root_fd = source->root_fd,
		.pool = pool,
		.scratch = &scratch,
		.attributes = attributes,
	};
	struct cgroups cgroups;

	*attributes = (struct attributes){ 0 };
	survey_tree(&survey);
	survey_calls(&survey, source->alloc_dir);
	survey_driver(&survey);
	survey_cgroups(&survey, &cgroups);
	*why_not = exec_obstacle(&survey, &cgroups, geteuid(), node_held_capabilities());
	if (!*why_not)
		survey_add(&survey, "driver.exec", "1");
	if (survey.out_of_memory)
		return pool_error(err, STAGE_SETUP);
	qsort(attributes->v, attributes->n, sizeof(*attributes->v), by_name);
	return 0;
}
