/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run --dry-run`: the plan in words. Looks at the host, changes nothing on it. Text of the user
 * may be hostile to a terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/capability.h"
#include "chroot/chroot.h"
#include "cmd/cmd.h"
#include "fetch/fetch.h"
#include "launch/launch.h"

/* One element a line; bytes that would act on a terminal are written as \xNN. */
static void print_text(const char *indent, const char *text)
{
	fputs(indent, stdout);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f || *p == '\\')
			printf("\\x%02x", *p);
		else
			putchar(*p);
	putchar('\n');
}

static void print_process(const struct task *task)
{
	printf("id        %s\ntask      %s\n", task->id, task->name);
	print_text("command   ", task->command);
	for (size_t i = 0; task->args && task->args[i]; i++)
		print_text("argument  ", task->args[i]);
	for (size_t i = 0; task->env[i]; i++)
		print_text("env       ", task->env[i]);
	print_text("directory ", task->work_dir);
	printf("user      %u:%u", task->user.uid, task->user.gid);
	for (size_t i = 0; i < task->user.groups_n; i++)
		printf(",%u", task->user.groups[i]);
	printf(" (%s)\n", task->user.name ? task->user.name : "no entry");
	printf("capabilities");
	for (int i = 0; i < 64; i++)
		if (task->capabilities >> i & 1)
			printf(" %s", capability_name(i));
	printf("%s\nno_new_privs on\nnamespaces mount pid ipc uts cgroup\n",
	       task->capabilities ? "" : " none");
}

static void print_cage(const struct task *task, const struct cage *cage)
{
	for (size_t i = 0; i < cage->groups_n; i++) {
		const struct cage_group *group = &cage->groups[i];
		struct cage_value values[CAGE_VALUES_MAX];
		size_t n = cage_values(&task->limits, group->controller, group->v2, values);

		for (size_t j = 0; j < n; j++)
			printf("cgroup    %s/%s = %s%s\n", group->path, values[j].file,
			       values[j].value,
			       values[j].optional ? " (where the kernel has it)" : "");
	}
}

static int print_source(const struct source *source, struct pool *pool, struct error *err)
{
	const char *safe = fetch_safe_source(source->url, pool);
	const char *checksum =
		fetch_safe_source(source->checksum ? source->checksum : "none", pool);

	if (!safe || !checksum)
		return pool_error(err, STAGE_SETUP);
	print_text("artifact  ", safe);
	print_text("checksum  ", checksum);
	print_text("into      ", source->destination);
	return 0;
}

int dry_run_print(const struct task *task, struct pool *pool, struct error *err)
{
	const struct alloc none = ALLOC_INIT;
	struct root root;
	struct cage cage;

	if (chroot_plan(task, &none, pool, &root, err) || cage_plan(task, pool, &cage, err))
		return -1;
	print_process(task);
	printf("allocation %s/%s%s\n", task->alloc_dir, task->id,
	       task->keep ? ", kept at the end" : "");
	for (size_t i = 0; i < task->sources_n; i++)
		if (print_source(&task->sources[i], pool, err))
			return -1;
	for (size_t i = 0; i < root.n; i++) {
		const char *line = root_op_describe(&root.ops[i], pool);

		if (!line)
			return pool_error(err, STAGE_SETUP);
		print_text("root      ", line);
	}
	print_cage(task, &cage);
	if (task->timeout_ms)
		printf("timeout   %llu ms, then signal %d, then after %llu ms SIGKILL\n",
		       (unsigned long long)task->timeout_ms, task->kill_signal,
		       (unsigned long long)task->kill_timeout_ms);
	return 0;
}
