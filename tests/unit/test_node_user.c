/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a task runs as, from recorded user databases. Names in them begin with "tree", so that what
 * is asked of the services of the host that runs the tests is known to be absent there.
 */
#include <grp.h>
#include <pwd.h>

#include "node/database.h"
#include "node_tests.h"
#include "written_tree.h"

/* "uid gid name home groups…", or the error with its kind. */
static const char *describe(int root_fd, const char *text, char *line, size_t size)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	struct user user;
	struct error err;
	size_t used;

	if (find_user(root_fd, text, &pool, &user, &err)) {
		snprintf(line, size, "%d %s", err.kind, err.text);
		return line;
	}
	used = (size_t)snprintf(line, size, "%u %u %s %s", user.uid, user.gid,
				user.name ? user.name : "-", user.home);
	for (size_t i = 0; i < user.groups_n; i++)
		used += (size_t)snprintf(line + used, size - used, " %u", user.groups[i]);
	return line;
}

#define EXPECTED "expected a name or a number from 0 to 4294967294"
#define LAST "its id or its group's in the host's database is above 4294967294"
#define ABSENT(database)                                                                           \
	"not in the host's database; `getent " database                                            \
	"` lists what is; a number need not be there"

static const struct {
	const char *tree, *text, *description;
} users[] = {
	/* names, numbers, groups */
	{ "vm", "root", "0 0 root /root" },
	{ "vm", "0", "0 0 root /root" },
	{ "vm", "daemon", "1 1 daemon /usr/sbin" },
	{ "vm", "treeuser", "4001 4100 treeuser /home/treeuser 4204 4290" },
	{ "vm", "4001", "4001 4100 treeuser /home/treeuser 4204 4290" },
	{ "vm", "0004001", "4001 4100 treeuser /home/treeuser 4204 4290" },
	{ "vm", "treeuser:treeaudio", "4001 4290 treeuser /home/treeuser 4204" },
	{ "vm", "treeuser:4204", "4001 4204 treeuser /home/treeuser 4290" },
	{ "vm", "4001:root", "4001 0 treeuser /home/treeuser 4204 4290" },
	{ "vm", "treeuser:4294967294", "4001 4294967294 treeuser /home/treeuser 4204 4290" },
	{ "vm", "treetwin", "4001 4200 treetwin /home/twin" },
	{ "vm", "treehomeless", "4002 4002 treehomeless / 4290" },
	{ "vm", "treenobody", "65534 65534 treenobody /nonexistent" },
	/* no entry */
	{ "vm", "4294967294", "4294967294 4294967294 - /" },
	{ "vm", "4009", "4009 4009 - /" }, /* "+treenis" is no user */
	{ "vm", "4000000001:7", "4000000001 7 - /" },
	{ "vm", "4000000001:treeaudio", "4000000001 4290 - /" },
	{ "vm", "treeabsent", "1 user \"treeabsent\": " ABSENT("passwd") },
	{ "vm", "TREEUSER", "1 user \"TREEUSER\": " ABSENT("passwd") },
	{ "vm", "treeuser:treeabsent", "1 group \"treeabsent\": " ABSENT("group") },
	{ "vm", "0x0", "1 user \"0x0\": " ABSENT("passwd") },
	/* the id that is nobody's */
	{ "vm", "treelast", "0 user \"treelast\": " LAST },
	{ "vm", "treelastgroup", "0 user \"treelastgroup\": " LAST },
	{ "vm", "treeuser:treelast", "0 user \"treeuser:treelast\": " LAST },
	{ "vm", "treelastgroup:5", "4010 5 treelastgroup /" },
	/* neither a name nor a number */
	{ "vm", "", "1 user \"\": " EXPECTED },
	{ "vm", ":", "1 user \"\": " EXPECTED },
	{ "vm", ":treeaudio", "1 user \"\": " EXPECTED },
	{ "vm", "treeuser:", "1 group \"\": " EXPECTED },
	{ "vm", "treeuser:1:2", "1 group \"1:2\": " EXPECTED },
	{ "vm", "4294967295", "1 user \"4294967295\": " EXPECTED },
	{ "vm", "0:4294967295", "1 group \"4294967295\": " EXPECTED },
	{ "vm", "18446744073709551617", "1 user \"18446744073709551617\": " EXPECTED },
	{ "vm", "-1", "1 user \"-1\": " EXPECTED },
	{ "vm", "+5", "1 user \"+5\": " EXPECTED },
	{ "vm", "+treenis", "1 user \"+treenis\": " EXPECTED },
	{ "vm", "treeuser:-1", "1 group \"-1\": " EXPECTED },
	{ "vm", " 5", "1 user \" 5\": " EXPECTED },
	{ "vm", "5 ", "1 user \"5 \": " EXPECTED },
	{ "vm", "5\n", "1 user \"5?\": " EXPECTED },
	{ "vm", "tree user", "1 user \"tree user\": " EXPECTED },
	/* no nsswitch.conf: files */
	{ "container", "treeuser", "4001 4100 treeuser /home/treeuser 4290" },
	{ "container", "root", "0 0 root /root" },
	/* no files, or not the first word for them: the host is asked, and knows no such name */
	{ "numa", "treesss", "1 user \"treesss\": " ABSENT("passwd") },
	{ "none", "treeuser", "1 user \"treeuser\": " ABSENT("passwd") },
	{ "none", "4000000001", "4000000001 4000000001 - /" },
};

#define USERS_N ((int)(sizeof(users) / sizeof(users[0])))

START_TEST(users_of_recorded_machines)
{
	AUTO_FD fd = open_tree(users[_i].tree);
	char line[1200];

	ck_assert_str_eq(describe(fd, users[_i].text, line, sizeof(line)), users[_i].description);
}
END_TEST

#define PASSWD "treeuser:x:4001:4100::/home/treeuser:/bin/sh\n"
#define GROUP "treeaudio:x:4290:treeuser\n"

/* Which services may be passed over: a group of the tree is seen only where its files were read. */
START_TEST(services_decide_who_is_asked)
{
	static const char *const from_files = "4001 4100 treeuser /home/treeuser 4290";
	static const char *const from_services = "4001 4100 treeuser /home/treeuser";
	static const char *const unknown = "1 user \"treeuser\": " ABSENT("passwd");
	const struct {
		const char *nsswitch, *description;
	} cases[] = {
		{ "passwd: files\ngroup: files\n", from_files },
		{ "passwd:files systemd\ngroup:\tfiles systemd", from_files },
		{ "group: files\n", from_files },
		{ "", from_files },
		{ "passwd: files sss\ngroup: files # sss\n", from_files },
		{ "passwd: files\ngroup: files sss\n", from_services },
		{ "passwd: files\ngroup: files [NOTFOUND=return] systemd\n", from_services },
		{ "passwd: files\ngroup: files\ninitgroups: files ldap\n", from_services },
		{ "initgroups: files ldap\npasswd: files\ngroup: files\n", from_services },
		{ "passwd: compat\ngroup: compat\n", unknown },
		{ "passwd: files [SUCCESS=continue] sss\ngroup: files\n", unknown },
		{ "passwd:\ngroup: files\n", unknown },
	};
	WRITTEN_TREE tree = tree_make();
	char line[1200];

	tree_write(&tree, "etc/passwd", PASSWD);
	tree_write(&tree, "etc/group", GROUP);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tree_write(&tree, "etc/nsswitch.conf", cases[i].nsswitch);
		ck_assert_str_eq(describe(tree.fd, "treeuser", line, sizeof(line)),
				 cases[i].description);
	}
}
END_TEST

/* The groups of a user whom only the services know are not looked for in the file. */
START_TEST(a_user_of_the_services)
{
	AUTO_FD host_fd = open("/", O_PATH | O_CLOEXEC);
	WRITTEN_TREE tree = tree_make();
	char line[1200], expected[1200];

	tree_write(&tree, "etc/passwd", PASSWD);
	tree_write(&tree, "etc/group", "treeaudio:x:4290:root\n");
	ck_assert_str_eq(describe(tree.fd, "root", line, sizeof(line)),
			 describe(host_fd, "root", expected, sizeof(expected)));
}
END_TEST

/* Lines that do not fit are not half an answer: the services are asked; here they do not know. */
START_TEST(lines_that_do_not_fit)
{
	static char filler[60000];
	WRITTEN_TREE tree = tree_make();
	static char text[70000];
	char line[1200];

	memset(filler, 'y', sizeof(filler) - 1);
	tree_write(&tree, "etc/passwd", PASSWD);
	snprintf(text, sizeof(text), GROUP "treebig:x:4291:%s,treeuser\n", filler);
	tree_write(&tree, "etc/group", text);
	ck_assert_str_eq(describe(tree.fd, "treeuser", line, sizeof(line)),
			 "4001 4100 treeuser /home/treeuser");
	snprintf(text, sizeof(text), "treebig:x:5:5:%s:/:/bin/sh\n" PASSWD, filler);
	tree_write(&tree, "etc/passwd", text);
	ck_assert_str_eq(describe(tree.fd, "treeuser", line, sizeof(line)),
			 "1 user \"treeuser\": " ABSENT("passwd"));
}
END_TEST

/* More groups than any initial size, in no order, one of them the primary one. */
START_TEST(many_groups)
{
	static char text[5000 * 40], expected[5000 * 6], line[sizeof(expected)];
	WRITTEN_TREE tree = tree_make();
	size_t used = 0;

	for (unsigned int i = 0; i < 5000; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "tree%u:x:%u:treeuser\n",
					 i, 4000 + (i * 7) % 5000);
	tree_write(&tree, "etc/group", text);
	tree_write(&tree, "etc/passwd", PASSWD);
	used = (size_t)snprintf(expected, sizeof(expected), "4001 4100 treeuser /home/treeuser");
	for (unsigned int gid = 4000; gid < 9000; gid++)
		if (gid != 4100)
			used += (size_t)snprintf(expected + used, sizeof(expected) - used, " %u",
						 gid);
	ck_assert_str_eq(describe(tree.fd, "treeuser", line, sizeof(line)), expected);
}
END_TEST

START_TEST(users_without_memory)
{
	AUTO_FD fd = open_tree("vm");

	for (size_t max = 0; max < 8192; max += 1024) {
		AUTO_POOL pool = POOL_INIT(max);
		struct user user;
		struct error err;

		ck_assert_int_eq(find_user(fd, "treeuser", &pool, &user, &err), -1);
		ck_assert_str_eq(err.text, "the strings of this run: Cannot allocate memory");
	}
}
END_TEST

/* Users that hosts have: what the services say of them. */
START_TEST(users_of_this_host)
{
	static const char *const names[] = { "root", "daemon", "nobody" };

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		const struct passwd *entry = getpwnam(names[n]);
		AUTO_POOL pool = POOL_INIT(POOL_MAX);
		gid_t groups[1024];
		int groups_n = 1024, others = 0;
		struct user user;
		struct error err;

		if (!entry)
			continue;
		ck_assert_int_ge(getgrouplist(entry->pw_name, entry->pw_gid, groups, &groups_n), 0);
		ck_assert_int_eq(node_user(entry->pw_name, &pool, &user, &err), 0);
		ck_assert_uint_eq(user.uid, entry->pw_uid);
		ck_assert_uint_eq(user.gid, entry->pw_gid);
		ck_assert_str_eq(user.name, entry->pw_name);
		ck_assert_str_eq(user.home, *entry->pw_dir ? entry->pw_dir : "/");
		for (int i = 0; i < groups_n; i++) {
			others += groups[i] != entry->pw_gid;
			ck_assert_msg(groups[i] == entry->pw_gid ||
					      memmem(user.groups, user.groups_n * sizeof(gid_t),
						     &groups[i], sizeof(gid_t)),
				      "%s: group %u is missing", user.name, groups[i]);
		}
		ck_assert_uint_eq(user.groups_n, (size_t)others);
	}
}
END_TEST

TCase *node_user_case(void)
{
	TCase *users_case = tcase_create("users");

	tcase_add_loop_test(users_case, users_of_recorded_machines, 0, USERS_N);
	tcase_add_test(users_case, services_decide_who_is_asked);
	tcase_add_test(users_case, a_user_of_the_services);
	tcase_add_test(users_case, lines_that_do_not_fit);
	tcase_add_test(users_case, many_groups);
	tcase_add_test(users_case, users_without_memory);
	tcase_add_test(users_case, users_of_this_host);
	return users_case;
}
