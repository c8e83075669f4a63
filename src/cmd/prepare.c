/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers what a run needs to know before it does anything. Runs in the launcher; options and files
 * may be hostile.
 */
#include "cmd/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "base/auto.h"
#include "interpolate/interpolate.h"
#include "node/node.h"

static int take_operands(const struct arguments *arguments, struct spec *spec, struct pool *pool,
			 struct error *err)
{
	char **operand = arguments->argv + arguments->operands_from;

	if (!*operand)
		return 0;
	if (spec->command || spec->args.n)
		return error_set_kind(
			err, STAGE_SETUP, ERROR_USAGE, 0,
			"%s and a command behind the options (\"%s\"): give one of them",
			spec->command ? "--command" : "--args", *operand);
	spec->program = *operand++;
	for (; *operand; operand++)
		if (strings_add(pool, &spec->args, *operand))
			return pool_error(err, STAGE_SETUP);
	return 0;
}

/* A variable that is passed on keeps its value to the letter: `${` in it is no reference. */
static const char *inherited(const char *key, struct pool *pool)
{
	const char *value = getenv(key);
	char *entry = value ? pool_alloc(pool, strlen(key) + 2 * strlen(value) + 2) : NULL,
	     *out = entry;

	if (!entry)
		return NULL;
	out = stpcpy(stpcpy(out, key), "=");
	for (; *value; value++) {
		if (value[0] == '$' && value[1] == '{')
			*out++ = '$';
		*out++ = *value;
	}
	return entry;
}

/*
 * The files first, then the options, so that the options win; a variable that the caller does not
 * have is passed over.
 */
static int complete_env(struct spec *spec, int signal_fd, struct pool *pool, struct error *err)
{
	struct strings all = { 0 }, complete = { 0 };

	for (size_t i = 0; i < spec->env_files.n; i++)
		if (read_env_file(spec->env_files.v[i], signal_fd, &all, pool, err))
			return -1;
	for (size_t i = 0; i < spec->env.n; i++)
		if (strings_add(pool, &all, spec->env.v[i]))
			return pool_error(err, STAGE_SETUP);
	for (size_t i = 0; i < all.n; i++) {
		const char *entry = all.v[i];

		if (*entry && !strchr(entry, '=')) {
			if (!getenv(entry))
				continue;
			entry = inherited(entry, pool);
		}
		if (!entry || strings_add(pool, &complete, entry))
			return pool_error(err, STAGE_SETUP);
	}
	spec->env = complete;
	return 0;
}

/* A random UUID (version 4, RFC 9562). */
static const char *random_id(struct pool *pool)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return NULL;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	return pool_printf(pool,
			   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			   b[12], b[13], b[14], b[15]);
}

static int find_attributes(const struct spec *spec, struct pool *pool,
			   struct attributes *attributes, struct error *err)
{
	AUTO_FD root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct node_source source = { .root_fd = root, .alloc_dir = spec->alloc_dir };
	const char *why_not;

	if (root < 0)
		return error_set(err, STAGE_SETUP, errno, "open /");
	return node_attributes(&source, pool, attributes, &why_not, err);
}

int prepare_task(const struct arguments *arguments, struct spec *spec, int signal_fd,
		 struct pool *pool, struct task *task, struct error *err)
{
	struct attributes attributes = { 0 };
	struct utsname host;
	struct facts facts = { .held_capabilities = node_held_capabilities() };

	if (take_operands(arguments, spec, pool, err) ||
	    (spec->args_file &&
	     read_args_file(spec->args_file, signal_fd, &spec->args, pool, err)) ||
	    complete_env(spec, signal_fd, pool, err) ||
	    node_user(spec->user, pool, &facts.user, err))
		return -1;
	if (interpolate_wants_attributes(spec)) {
		if (find_attributes(spec, pool, &attributes, err))
			return -1;
		facts.attributes = &attributes;
	}
	uname(&host);
	facts.hostname = pool_strdup(pool, host.nodename);
	facts.id = random_id(pool);
	if (!facts.hostname || !facts.id)
		return pool_error(err, STAGE_SETUP);
	return interpolate(spec, &facts, pool, task, err);
}
