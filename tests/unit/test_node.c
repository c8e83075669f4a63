/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of the host, from machines recorded under tests/unit/trees; run from the top of the
 * project. Needs no privilege.
 */
#include <linux/capability.h>

#include "node_tests.h"

Suite *node_suite(void);

struct machine {
	const char *tree;      /* the file "expected" in it has the attributes */
	const char *obstacle;  /* to root's running tasks there */
	const char *interface; /* of the default route */
};

#define NO_MEMORY                                                                                  \
	"cgroup controller memory: not in /sys/fs/cgroup/cgroup.controllers; enable it in "        \
	"cgroup.subtree_control of the groups above, or boot without cgroup_disable=memory"
#define READ_ONLY                                                                                  \
	"cgroup controller memory: /sys/fs/cgroup/memory is mounted read-only; "                   \
	"mount -o remount,rw /sys/fs/cgroup/memory"
#define NO_CGROUPS                                                                                 \
	"cgroups: /proc/self/mountinfo lists none; mount -t cgroup2 cgroup2 /sys/fs/cgroup"
#define NO_PROC "/proc/self/mountinfo: cannot be read; mount -t proc proc /proc"

static const struct machine machines[] = {
	{ "vm", NULL, "eth0" },        { "arm64", NO_MEMORY, "eth0" },
	{ "numa", NULL, "bond0" },     { "container", READ_ONLY, NULL },
	{ "unified", NULL, NULL },     { "none", NO_CGROUPS, NULL },
	{ "none/etc", NO_PROC, NULL },
};

#define MACHINES_N ((int)(sizeof(machines) / sizeof(machines[0])))

/* Attributes that tell of the machine that runs the test, or of the program, whatever the tree. */
static bool is_elsewhere(const char *name)
{
	static const char *const prefixes[] = {
		"arch",           "cpu.arch",        "kernel.",
		"hostname",       "unique.hostname", "unique.network.",
		"unique.storage", "os.signals",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strcmp(name, "driver.exec") == 0 || strcmp(name, "driver.exec.version") == 0;
}

START_TEST(attributes_of_recorded_machines)
{
	AUTO_FD fd = open_tree(machines[_i].tree);
	AUTO_FD expected_fd = openat(fd, "expected", O_RDONLY | O_CLOEXEC);
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct attributes attributes;
	struct error err;
	const char *why_not;
	char text[8192] = "", expected[8192] = "";

	ck_assert_int_gt(read(expected_fd, expected, sizeof(expected) - 1), 0);
	ck_assert_int_eq(node_attributes(&(struct node_source){ fd, "/" }, &pool, &attributes,
					 &why_not, &err),
			 0);
	for (size_t i = 0; i < attributes.n; i++)
		if (!is_elsewhere(attributes.v[i].name))
			add_text(text, sizeof(text), &attributes.v[i]);
	ck_assert_str_eq(text, expected);
	ck_assert_pstr_eq(find_value(&attributes, "driver.exec"), why_not ? NULL : "1");
}
END_TEST

START_TEST(obstacles_of_recorded_machines)
{
	AUTO_FD fd = open_tree(machines[_i].tree);
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct attributes attributes;
	struct survey survey = survey_of(fd, &pool, &attributes);
	struct cgroups cgroups;

	survey_cgroups(&survey, &cgroups);
	ck_assert_pstr_eq(exec_obstacle(&survey, &cgroups, 0, ~0ULL), machines[_i].obstacle);
	ck_assert_str_eq(
		exec_obstacle(&survey, &cgroups, 0, ~(1ULL << CAP_SYS_ADMIN)),
		"capability sys_admin: not held; give it to nomad-exec, or to the container that it is in");
	ck_assert_str_eq(exec_obstacle(&survey, &cgroups, 1000, 0),
			 "not root: the effective uid is 1000; run nomad-exec as root");
	ck_assert(!survey.out_of_memory);
}
END_TEST

START_TEST(interfaces_of_recorded_machines)
{
	AUTO_FD fd = open_tree(machines[_i].tree);
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct attributes attributes;
	struct survey survey = survey_of(fd, &pool, &attributes);
	char name[IFNAMSIZ];

	ck_assert_pstr_eq(default_interface(&survey, name) ? NULL : name, machines[_i].interface);
}
END_TEST

START_TEST(volume_of_a_mount)
{
	static const struct {
		uint64_t id;
		const char *volume;
	} cases[] = {
		{ 27, "unique.storage.volume=/dev/vda\n" },
		{ 28, "unique.storage.volume=/dev/disk one\\x\n" },
		{ 29, "unique.storage.volume=eve\\012\\033[2J\n" }, /* control characters stay
								       escaped */
		{ 0, "" },
		{ 999, "" },
	};
	static const struct statvfs size = { .f_frsize = 4096,
					     .f_blocks = 66053021,
					     .f_bavail = 20480461 };
	AUTO_FD fd = open_tree("vm");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		struct attributes attributes;
		struct survey survey = survey_of(fd, &pool, &attributes);
		char text[1024], expected[1024];

		survey_storage(&survey, cases[i].id, &size);
		snprintf(expected, sizeof(expected),
			 "%sunique.storage.bytestotal=270553174016\nunique.storage.bytesfree="
			 "83887968256\n",
			 cases[i].volume);
		ck_assert_str_eq(added(&attributes, text, sizeof(text)), expected);
	}
}
END_TEST

Suite *node_suite(void)
{
	Suite *suite = suite_create("node");
	TCase *recorded = tcase_create("recorded machines");

	tcase_add_loop_test(recorded, attributes_of_recorded_machines, 0, MACHINES_N);
	tcase_add_loop_test(recorded, obstacles_of_recorded_machines, 0, MACHINES_N);
	tcase_add_loop_test(recorded, interfaces_of_recorded_machines, 0, MACHINES_N);
	tcase_add_test(recorded, volume_of_a_mount);
	suite_add_tcase(suite, recorded);
	suite_add_tcase(suite, node_calls_case());
	suite_add_tcase(suite, node_odd_case());
	suite_add_tcase(suite, node_user_case());
	return suite;
}
