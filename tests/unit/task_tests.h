/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/interpolate share: a spec and facts to begin with, and the call. */
#ifndef TESTS_TASK_TESTS_H
#define TESTS_TASK_TESTS_H

#include <check.h>

#include "interpolate/interpolate.h"
#include "spec/spec.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALL_CAPABILITIES 0x1ffffffffff
#define TEST_ID "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9"

struct trial {
	struct spec spec;
	struct facts facts;
	struct pool pool;
	struct task task;
	struct error err;
};

/* Runs /bin/sleep as nobody, by a launcher that holds every capability, on a node "n1". */
#define TRIAL_INIT                                                                                 \
	{                                                                                          \
		.spec = run_defaults, .pool = POOL_INIT((size_t)1 << 26), .facts = {               \
			.id = TEST_ID,                                                             \
			.user = { .uid = 65534, .gid = 65534, .name = "nobody", .home = "/n" },    \
			.held_capabilities = ALL_CAPABILITIES,                                     \
			.hostname = "n1"                                                           \
		}                                                                                  \
	}

static inline void trial_release(struct trial *trial)
{
	pool_release(&trial->pool);
}

#define TRIAL __attribute__((cleanup(trial_release))) struct trial

static inline void trial_add(struct trial *trial, struct strings *list, const char *text)
{
	ck_assert_int_eq(strings_add(&trial->pool, list, text), 0);
}

static inline int trial_run(struct trial *trial)
{
	if (!trial->spec.command && !trial->spec.program)
		trial->spec.command = "/bin/sleep";
	return interpolate(&trial->spec, &trial->facts, &trial->pool, &trial->task, &trial->err);
}

static inline void trial_succeeds(struct trial *trial)
{
	ck_assert_msg(trial_run(trial) == 0, "refused: %s", trial->err.text);
}

/* The whole message. */
static inline void trial_fails(struct trial *trial, const char *message)
{
	ck_assert_msg(trial_run(trial) == -1, "taken, expected: %s", message);
	ck_assert_str_eq(trial->err.text, message);
	ck_assert_int_eq(trial->err.kind, ERROR_USAGE);
	ck_assert_int_eq(trial->err.stage, STAGE_SETUP);
}

/* The value of a variable in the finished environment; NULL: it is not there. */
static inline const char *trial_env(const struct trial *trial, const char *key)
{
	size_t length = strlen(key);

	for (const char *const *entry = trial->task.env; *entry; entry++)
		if (strncmp(*entry, key, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

#endif
