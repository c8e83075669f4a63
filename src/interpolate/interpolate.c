/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the task out of the spec, field by field. Pure; every string may be hostile. */
#include "interpolate/interpolate.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/capability.h"
#include "interpolate/scope.h"

#define AUTO_SCOPE __attribute__((cleanup(scope_release))) struct scope

/* The capabilities of a root task when nothing is said: what Nomad's driver allows. */
static const int root_capabilities[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN,   CAP_DAC_OVERRIDE,     CAP_FOWNER,
	CAP_FSETID,      CAP_KILL,    CAP_NET_BIND_SERVICE, CAP_SETFCAP,
	CAP_SETGID,      CAP_SETPCAP, CAP_SETUID,           CAP_SYS_CHROOT,
	CAP_MKNOD,
};

static bool mentions(const char *text, const char *prefix)
{
	return text && strstr(text, prefix);
}

static bool wants(const char *text)
{
	return mentions(text, "${attr.") || mentions(text, "${node.unique.id}") ||
	       mentions(text, "${nomad.unique.id}");
}

static bool any_wants(const struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (wants(list->v[i]))
			return true;
	return false;
}

static bool any_artifact_wants(const struct elements *artifacts)
{
	for (size_t i = 0; i < artifacts->n; i++) {
		const struct artifact_spec *spec = artifacts->v[i];

		if (wants(spec->source) || wants(spec->destination) || wants(spec->checksum) ||
		    any_wants(&spec->headers) || any_wants(&spec->options))
			return true;
	}
	return false;
}

bool interpolate_wants_attributes(const struct spec *spec)
{
	return wants(spec->command) || wants(spec->program) || any_wants(&spec->args) ||
	       any_wants(&spec->env) || any_artifact_wants(&spec->artifacts) || wants(spec->name) ||
	       wants(spec->hostname) || wants(spec->work_dir);
}

static int define_number(struct scope *scope, const char *key, uint64_t number, struct error *err)
{
	char text[24];

	if (!number)
		return 0; /* no limit: no variable, as Nomad */
	snprintf(text, sizeof(text), "%" PRIu64, number);
	return scope_define(scope, key, text, err);
}

static int define_meta(struct scope *scope, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	char *exact, *upper;

	if (!equals || equals == pair)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--meta %s: expected KEY=VALUE", pair);
	exact = pool_printf(scope->pool, "NOMAD_META_%.*s", (int)(equals - pair), pair);
	upper = exact ? pool_strdup(scope->pool, exact) : NULL;
	if (!upper)
		return pool_error(err, STAGE_SETUP);
	for (char *p = exact + strlen("NOMAD_META_"); *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.", *p))
			*p = '_'; /* as Nomad cleans keys */
	strcpy(upper, exact);
	for (char *p = upper; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return scope_define(scope, exact, equals + 1, err) ||
			       scope_define(scope, upper, equals + 1, err) ?
		       -1 :
		       0;
}

static int define_ours(struct scope *scope, const struct task *task, struct error *err)
{
	const struct node_values *node = &scope->spec->node;
	const struct user *user = &task->user;
	const struct {
		const char *key, *value;
	} fixed[] = {
		{ "NOMAD_ALLOC_DIR", "/alloc" },
		{ "NOMAD_TASK_DIR", "/local" },
		{ "NOMAD_SECRETS_DIR", "/secrets" },
		{ "NOMAD_ALLOC_ID", task->id },
		{ "NOMAD_SHORT_ALLOC_ID",
		  pool_strndup(scope->pool, task->id, strnlen(task->id, 8)) },
		{ "NOMAD_TASK_NAME", task->name },
		{ "NOMAD_DC", node->datacenter },
		{ "NOMAD_REGION", node->region },
		{ "PATH", "/usr/local/bin:/usr/bin:/bin" },
		{ "USER", user->name },
		{ "LOGNAME", user->name },
		{ "HOME", user->home },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (fixed[i].value && scope_define(scope, fixed[i].key, fixed[i].value, err))
			return -1;
	if (define_number(scope, "NOMAD_CPU_LIMIT", task->limits.cpu_mhz, err) ||
	    define_number(scope, "NOMAD_MEMORY_LIMIT", task->limits.memory_bytes >> 20, err))
		return -1;
	for (size_t i = 0; i < node->meta.n; i++)
		if (define_meta(scope, node->meta.v[i], err))
			return -1;
	return 0;
}

static int define_users(struct scope *scope, struct error *err)
{
	const struct strings *env = &scope->spec->env;

	for (size_t i = 0; i < env->n; i++) {
		const char *equals = strchr(env->v[i], '='), *value;
		char *key;

		if (!equals || equals == env->v[i])
			return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
					      "--env %s: expected KEY=VALUE or KEY", env->v[i]);
		key = pool_strndup(scope->pool, env->v[i], (size_t)(equals - env->v[i]));
		if (!key)
			return pool_error(err, STAGE_SETUP);
		value = scope_expand(scope, NODE_FIRST, key, equals + 1, err);
		if (!value || scope_define(scope, key, value, err))
			return -1;
	}
	return 0;
}

/* The rules of the driver's `command` key; whoever writes `-- PATH` may name any file. */
static int check_command(const char *command, struct error *err)
{
	static const char hint[] = "pass arguments with --args, or the whole command behind --";
	size_t length = strlen(command);

	if (strspn(command, " \t\n\v\f\r") == length)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "--command is empty");
	if (strchr(" \t\n\v\f\r", command[0]) || strchr(" \t\n\v\f\r", command[length - 1]))
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--command \"%s\": white space around the name; %s", command,
				      hint);
	if (strchr(command, ' '))
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--command \"%s\": more than one word; %s", command, hint);
	return 0;
}

static int make_command(struct scope *scope, struct task *task, struct error *err)
{
	const struct spec *spec = scope->spec;
	struct strings args = { 0 };

	if (!spec->command && !spec->program)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "no command; name one with --command PATH, or behind --");
	task->command = spec->command ?
				scope_expand(scope, ENV_FIRST, "--command", spec->command, err) :
				scope_expand(scope, ENV_FIRST, "the command", spec->program, err);
	if (!task->command || (spec->command && check_command(task->command, err)))
		return -1;
	if (!*task->command)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0, "the command is empty");
	for (size_t i = 0; i < spec->args.n; i++) {
		char where[40];
		const char *arg;

		snprintf(where, sizeof(where), "argument %zu", i + 1);
		arg = scope_expand(scope, ENV_FIRST, where, spec->args.v[i], err);
		if (!arg)
			return -1;
		if (strings_add(scope->pool, &args, arg))
			return pool_error(err, STAGE_SETUP);
	}
	task->args = args.v;
	return 0;
}

static int add_capabilities(const struct strings *names, const char *option, uint64_t *set,
			    uint64_t *all, struct error *err)
{
	*set = *all = 0;
	for (size_t i = 0; i < names->n; i++) {
		uint64_t bits;

		if (capability_parse(names->v[i], &bits))
			return error_set_kind(
				err, STAGE_SETUP, ERROR_USAGE, 0,
				"%s %s: unknown capability; see capabilities(7), or all", option,
				names->v[i]);
		*(bits & (bits - 1) ? all : set) |= bits;
	}
	return 0;
}

static int make_capabilities(const struct spec *spec, const struct facts *facts, struct task *task,
			     struct error *err)
{
	uint64_t basis = 0, add, add_all, drop, drop_all, missing;

	if (add_capabilities(&spec->cap_add, "--cap-add", &add, &add_all, err) ||
	    add_capabilities(&spec->cap_drop, "--cap-drop", &drop, &drop_all, err))
		return -1;
	if (task->user.uid == 0)
		for (size_t i = 0; i < sizeof(root_capabilities) / sizeof(root_capabilities[0]);
		     i++)
			basis |= 1ULL << root_capabilities[i];
	missing = add & ~facts->held_capabilities;
	if (missing)
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"--cap-add %s: this launcher does not hold that capability itself",
			capability_name(__builtin_ctzll(missing)));
	task->capabilities =
		(((basis | add_all) & ~(drop | drop_all)) | add) & facts->held_capabilities;
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* `[A-Za-z0-9_.-]{1,128}`, no leading dot or dash: what may name a directory and a cgroup. */
static bool is_identifier(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= 128 && text[0] != '.' && text[0] != '-' &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
		       length;
}

static int check_identifier(const char *option, const char *text, struct error *err)
{
	if (is_identifier(text))
		return 0;
	return error_set_kind(
		err, STAGE_SETUP, ERROR_USAGE, 0,
		"%s \"%s\": expected 1 to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -",
		option, text);
}

/*
 * A name that was not given is taken from the command: bytes that a name may not have become `_`,
 * and `alloc`, which is a directory of ours, becomes `task`.
 */
static const char *default_name(const char *command, struct pool *pool)
{
	char *name = pool_strndup(pool, base_name(command), strnlen(base_name(command), 128));

	for (char *p = name; p && *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-",
			    *p) ||
		    (p == name && (*p == '.' || *p == '-')))
			*p = '_';
	return name && *name && strcmp(name, "alloc") != 0 ? name : "task";
}

static int make_identity(struct scope *scope, struct task *task, struct error *err)
{
	const struct spec *spec = scope->spec;
	const char *command = spec->command ? spec->command : spec->program;

	task->id = spec->id ? spec->id : scope->facts->id;
	task->name = spec->name ? scope_expand(scope, NODE_FIRST, "--name", spec->name, err) :
				  default_name(command ? command : "", scope->pool);
	task->hostname = spec->hostname ? scope_expand(scope, NODE_FIRST, "--hostname",
						       spec->hostname, err) :
					  NULL;
	if (!task->name || (spec->hostname && !task->hostname))
		return -1;
	if (task->hostname && (!*task->hostname || strlen(task->hostname) > 64))
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--hostname \"%s\": expected 1 to 64 bytes", task->hostname);
	if (check_identifier("--id", task->id, err) || check_identifier("--name", task->name, err))
		return -1;
	if (strcmp(task->name, "alloc") == 0)
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"--name alloc: that is the allocation's shared directory; choose another");
	return 0;
}

static int make_paths(struct scope *scope, struct task *task, struct error *err)
{
	const struct spec *spec = scope->spec;

	task->work_dir = scope_expand(scope, ENV_FIRST, "--work-dir", spec->work_dir, err);
	if (!task->work_dir)
		return -1;
	if (task->work_dir[0] != '/')
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--work-dir %s: expected an absolute path inside the chroot",
				      task->work_dir);
	return 0;
}

int interpolate(const struct spec *spec, const struct facts *facts, struct pool *pool,
		struct task *task, struct error *err)
{
	AUTO_SCOPE scope = { 0 };

	*task = (struct task){
		.user = facts->user,
		.limits = spec->limits,
		.alloc_dir = spec->alloc_dir,
		.keep = spec->keep,
		.timeout_ms = spec->timeout_ms,
		.kill_timeout_ms = spec->kill_timeout_ms,
		.kill_signal = spec->kill_signal,
	};
	if (scope_init(&scope, spec, facts, pool, spec->env.n + 2 * spec->node.meta.n + 16, err) ||
	    make_identity(&scope, task, err) || define_ours(&scope, task, err) ||
	    define_users(&scope, err) || make_command(&scope, task, err) ||
	    make_capabilities(spec, facts, task, err) || make_paths(&scope, task, err) ||
	    sources_make(&scope, task, err))
		return -1;
	task->env = scope.env.v;
	return 0;
}
