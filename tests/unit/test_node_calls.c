/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What src/node makes of the answers of system calls and of odd files; and all of it on the host
 * that runs the tests. Needs no privilege.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "node_tests.h"
#include "written_tree.h"

START_TEST(nearest_directory)
{
	static const char *const cases[][2] = {
		{ "/", "/" },
		{ "/proc/self/", "/proc/self" },
		{ "/proc/nowhere/a//b/", "/proc" },
		{ "/nowhere-at-all", "/" },
		{ "nowhere/a", "." },
		{ "tests/nowhere", "tests" },
		{ "/proc/version/x", "/proc/version" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FD fd = open_nearest(cases[i][0]);
		struct stat found, expected;

		ck_assert_msg(fd >= 0, "%s", cases[i][0]);
		ck_assert_int_eq(fstat(fd, &found), 0);
		ck_assert_int_eq(stat(cases[i][1], &expected), 0);
		ck_assert_msg(found.st_dev == expected.st_dev && found.st_ino == expected.st_ino,
			      "%s", cases[i][0]);
	}
	ck_assert_int_eq(open_nearest(""), -1);
}
END_TEST

START_TEST(address_of_an_interface)
{
	static const char *const cases[][5] = {
		/* addresses of eth0 in order, expected */
		{ "192.0.2.2", "192.0.2.3", "fd00::2", "fe80::1", "192.0.2.2" },
		{ "fe80::1", "169.254.7.7", "2001:db8::7", "192.0.2.3", "192.0.2.3" },
		{ "fe80::1", "169.254.7.7", "2001:db8::7", NULL, "2001:db8::7" },
		{ "fe80::1", "169.254.7.7", NULL, NULL, "169.254.7.7" },
		{ "fe80::1", NULL, NULL, NULL, "fe80::1" },
		{ NULL, NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		struct attributes attributes;
		struct survey survey = survey_of(-1, &pool, &attributes);
		struct sockaddr_in6 room[5] = { 0 };
		char eth0[] = "eth0", lo[] = "lo";
		struct ifaddrs list[5] = { { .ifa_name = lo, .ifa_addr = (void *)&room[4] } };

		/* 0.0.0.0, of another interface */
		((struct sockaddr_in *)(void *)&room[4])->sin_family = AF_INET;
		for (size_t n = 0; n < 4; n++) {
			struct sockaddr_in *v4 = (void *)&room[n];
			const char *text = cases[i][n] ? cases[i][n] : "";

			list[n].ifa_next = &list[n + 1];
			list[n + 1].ifa_name = eth0;
			list[n + 1].ifa_addr = *text ? (void *)&room[n] : NULL;
			if (strchr(text, ':')) {
				room[n].sin6_family = AF_INET6;
				ck_assert_int_eq(inet_pton(AF_INET6, text, &room[n].sin6_addr), 1);
			} else if (*text) {
				v4->sin_family = AF_INET;
				ck_assert_int_eq(inet_pton(AF_INET, text, &v4->sin_addr), 1);
			}
		}
		survey_address(&survey, list, "eth0");
		ck_assert_pstr_eq(find_value(&attributes, "unique.network.ip-address"),
				  cases[i][4]);
	}
}
END_TEST

START_TEST(names_of_the_kernel)
{
	static const struct {
		const char *machine, *architecture;
	} cases[] = {
		{ "x86_64", "amd64" },        { "aarch64", "arm64" },   { "i686", "386" },
		{ "armv7l", "arm" },          { "riscv64", "riscv64" }, { "s390x", "s390x" },
		{ "loongarch64", "loong64" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		struct attributes attributes;
		struct survey survey = survey_of(-1, &pool, &attributes);
		struct utsname names = { .release = "6.1.0-18-amd64", .nodename = "box" };
		char text[1024], expected[1024];

		strcpy(names.machine, cases[i].machine);
		survey_kernel(&survey, &names);
		survey_landlock(&survey, -1);
		survey_landlock(&survey, 7);
		snprintf(expected, sizeof(expected),
			 "kernel.name=linux\nkernel.version=6.1.0-18-amd64\nkernel.arch=%s\n"
			 "cpu.arch=%s\narch=%s\nunique.hostname=box\nhostname=box\n"
			 "kernel.landlock=v7\n",
			 cases[i].machine, cases[i].architecture, cases[i].architecture);
		ck_assert_str_eq(added(&attributes, text, sizeof(text)), expected);
	}
}
END_TEST

#define ONLINE "sys/devices/system/cpu/online"

START_TEST(lists_of_processors)
{
	static const struct {
		const char *list, *count; /* NULL: the list is refused */
	} cases[] = {
		{ "0\n", "1" },         { "0-3,8\n", "5" },
		{ "0,2,4,6", "4" },     { "8191\n", "1" },
		{ "0-8191\n", "8192" }, { "\n", NULL },
		{ "", NULL },           { "8192\n", NULL },
		{ "0-\n", NULL },       { "-1\n", NULL },
		{ "0-3x\n", NULL },     { "none\n", NULL },
		{ "0,,1\n", NULL },     { "0-99999999999999999999\n", NULL },
	};
	WRITTEN_TREE tree = tree_make();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		struct attributes attributes;
		struct survey survey = survey_of(tree.fd, &pool, &attributes);

		tree_write(&tree, ONLINE, cases[i].list);
		survey_cpu(&survey);
		ck_assert_pstr_eq(find_value(&attributes, "cpu.numcores"), cases[i].count);
	}
}
END_TEST

START_TEST(names_of_distributions)
{
	static const struct {
		const char *text, *attributes;
	} cases[] = {
		{ "ID=\"a\\\"b\\\\c\\$d\"\nVERSION_ID=\"\"\n", "os.name=a\"b\\c$d\n" },
		{ "ID='a\\b'\nVERSION_ID='1 2'", "os.name=a\\b\nos.version=1 2\n" },
		{ "VERSION_ID=3\n", "os.name=linux\nos.version=3\n" },
		{ "#ID=x\nXID=y\nID=one\nID=two\n", "os.name=two\n" },
		/* without etc/debian_version */
		{ "ID=debian\nVERSION_ID=13\n", "os.name=debian\nos.version=13\n" },
		{ "", "os.name=linux\n" },
	};
	WRITTEN_TREE tree = tree_make();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		struct attributes attributes;
		struct survey survey = survey_of(tree.fd, &pool, &attributes);
		char text[256];

		tree_write(&tree, "etc/os-release", cases[i].text);
		survey_os(&survey);
		ck_assert_str_eq(added(&attributes, text, sizeof(text)), cases[i].attributes);
	}
}
END_TEST

/* A machine with 30,000 mounts and /proc/self/mountinfo longer than one read. */
START_TEST(many_mounts)
{
	static char text[30000 * 64];
	WRITTEN_TREE tree = tree_make();
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct attributes attributes;
	struct survey survey;
	size_t used = 0;

	for (int i = 0; i < 30000; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%d 1 0:%d / /m/%d rw - tmpfs t%d rw\n", i + 10, i, i, i);
	tree_write(&tree, "proc/self/mountinfo", text);
	survey = survey_of(tree.fd, &pool, &attributes);
	ck_assert_uint_eq(survey.mounts_n, 30000);
	ck_assert_str_eq(survey.mounts[0].point, "/m/0");
	ck_assert_str_eq(survey.mounts[29999].source, "t29999");
}
END_TEST

/* The host itself: sorted, each name once, the same as the calls say. */
START_TEST(attributes_of_this_host)
{
	AUTO_FD fd = open("/", O_PATH | O_CLOEXEC);
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct attributes attributes;
	struct utsname names;
	struct error err;
	const char *why_not;

	ck_assert_int_eq(uname(&names), 0);
	ck_assert_int_eq(node_attributes(&(struct node_source){ fd, "/" }, &pool, &attributes,
					 &why_not, &err),
			 0);
	for (size_t i = 1; i < attributes.n; i++)
		ck_assert_str_lt(attributes.v[i - 1].name, attributes.v[i].name);
	ck_assert_pstr_eq(find_value(&attributes, "kernel.version"), names.release);
	ck_assert_pstr_eq(find_value(&attributes, "unique.hostname"), names.nodename);
	ck_assert_pstr_eq(find_value(&attributes, "hostname"), names.nodename);
	ck_assert_pstr_eq(find_value(&attributes, "driver.exec.version"), VERSION);
	ck_assert_pstr_eq(find_value(&attributes, "os.signals"),
			  "SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,"
			  "SIGKILL,SIGPIPE,SIGPOLL,SIGPROF,SIGPWR,SIGQUIT,SIGSEGV,SIGSTKFLT,"
			  "SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,"
			  "SIGUSR2,SIGVTALRM,SIGWINCH,SIGXCPU,SIGXFSZ");
}
END_TEST

/* Whatever the memory: the whole list or the error, never "tasks can run" by mistake. */
START_TEST(attributes_without_memory)
{
	AUTO_FD fd = open_tree("arm64");
	const struct node_source source = { fd, "/" };
	AUTO_POOL enough = POOL_INIT(POOL_MAX);
	struct attributes all;
	struct error err;
	const char *why_not;

	ck_assert_int_eq(node_attributes(&source, &enough, &all, &why_not, &err), 0);
	for (size_t max = 0; max <= 32768; max += 4096) {
		AUTO_POOL pool = POOL_INIT(max);
		struct attributes attributes;

		if (node_attributes(&source, &pool, &attributes, &why_not, &err))
			ck_assert_str_eq(err.text,
					 "the strings of this run: Cannot allocate memory");
		else
			ck_assert_uint_eq(attributes.n, all.n);
		ck_assert_ptr_nonnull(why_not);
	}
}
END_TEST

START_TEST(held_capabilities)
{
	AUTO_FILE file = fopen("/proc/self/status", "re");
	unsigned long long permitted = 0, bounding = 0;
	char line[4096];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "CapPrm:", 7) == 0)
			permitted = strtoull(line + 7, NULL, 16);
		else if (strncmp(line, "CapBnd:", 7) == 0)
			bounding = strtoull(line + 7, NULL, 16);
	ck_assert_uint_eq(node_held_capabilities(), permitted & bounding);
}
END_TEST

TCase *node_calls_case(void)
{
	TCase *calls = tcase_create("answers of calls");

	tcase_add_test(calls, nearest_directory);
	tcase_add_test(calls, address_of_an_interface);
	tcase_add_test(calls, names_of_the_kernel);
	tcase_add_test(calls, attributes_of_this_host);
	tcase_add_test(calls, attributes_without_memory);
	tcase_add_test(calls, held_capabilities);
	return calls;
}

TCase *node_odd_case(void)
{
	TCase *odd = tcase_create("odd files");

	tcase_add_test(odd, lists_of_processors);
	tcase_add_test(odd, names_of_distributions);
	tcase_add_test(odd, many_mounts);
	return odd;
}
