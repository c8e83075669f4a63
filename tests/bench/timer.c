/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer: runs the commands of a plan in turn (A B C, A B C, ...) and prints what each launch cost.
 *
 * Usage: timer [-n ROUNDS] [-w WARMUP] [-t TOTAL] [-j WIDTH] PLAN
 * A line of PLAN, separated by tabs: NAME STATUS ERRORS PLACE PROGRAM [ARG]... STATUS is the exit
 * status that counts as success; stderr is appended to the file ERRORS; PLACE is /proc/PID of the
 * process in whose mount namespace and root to launch, entered before the clock starts. In each
 * round each command is launched TOTAL times, WIDTH at once (both 1 by default). For each it prints
 *   NAME WALL_NS USER_US SYSTEM_US MAXRSS_KB FAILED STATUS
 * FAILED counts launches that ended otherwise; the last such end is printed (128+N for a signal,
 * -ERRNO when it could not be spawned). The clock stops when the last launched process was reaped.
 * CPU time and RSS are those of the command and all its descendants: as their subreaper we also
 * wait, off the clock, for what a command leaves behind, so nothing of it disturbs the next one.
 * Small and static: our own memory, of which each child starts as a copy, stays below any MAXRSS.
 * Runs as root; trusts its plan. Status: 0, or 1 when the plan cannot be read or run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 16, FIXED = 4, MAX_ARGS = 256, MAX_WIDTH = 256 };

struct command {
	const char *name;
	int expected;
	int mount_namespace, root;
	posix_spawn_file_actions_t stdio;
	char *argv[MAX_ARGS + 1];
};

struct cost {
	long long wall_ns, user_us, system_us;
	long max_rss_kb;
	int failed, status;
};

static void die(const char *what, const char *object)
{
	fprintf(stderr, "timer: %s %s: %s\n", what, object, strerror(errno));
	exit(1);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		die("open", path);
	return fd;
}

static int open_below(const char *process, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", process, name);
	return open_or_die(path, O_RDONLY);
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > 1000000) {
		fprintf(stderr, "timer: '%s' is not a number from 0 to 1000000\n", text);
		exit(1);
	}
	return value;
}

static void parse_command(char *line, struct command *c)
{
	char *field[FIXED + MAX_ARGS + 1];
	int null = open_or_die("/dev/null", O_RDWR);
	int errors, n = 0;

	for (char *rest = line; rest && n <= FIXED + MAX_ARGS;)
		field[n++] = strsep(&rest, "\t");
	if (n <= FIXED || n > FIXED + MAX_ARGS) {
		fprintf(stderr, "timer: %s: %d to %d arguments are allowed\n", line, 1, MAX_ARGS);
		exit(1);
	}
	c->name = field[0];
	c->expected = (int)number(field[1]);
	memcpy(c->argv, field + FIXED, sizeof(field[0]) * (size_t)(n - FIXED));
	c->argv[n - FIXED] = NULL;
	c->mount_namespace = open_below(field[3], "ns/mnt");
	c->root = open_below(field[3], "root");
	errors = open_or_die(field[2], O_WRONLY | O_CREAT | O_APPEND);
	if (posix_spawn_file_actions_init(&c->stdio) ||
	    posix_spawn_file_actions_adddup2(&c->stdio, null, STDIN_FILENO) ||
	    posix_spawn_file_actions_adddup2(&c->stdio, null, STDOUT_FILENO) ||
	    posix_spawn_file_actions_adddup2(&c->stdio, errors, STDERR_FILENO))
		die("prepare", c->name);
}

static int read_plan(const char *path, struct command *commands)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!file)
		die("open", path);
	while (getline(&line, &size, file) > 0) {
		if (count == MAX_COMMANDS) {
			fprintf(stderr, "timer: %s: more than %d commands\n", path, MAX_COMMANDS);
			exit(1);
		}
		line[strcspn(line, "\n")] = '\0';
		parse_command(line, &commands[count++]);
		line = NULL; /* the command keeps its line */
	}
	fclose(file);
	return count;
}

static void note_end(struct cost *cost, const struct command *c, int status)
{
	if (status != c->expected) {
		cost->failed++;
		cost->status = status;
	}
}

/* Waits for any child; if it is one of the `running`, takes it out. False when none is left. */
static int reap(struct cost *cost, const struct command *c, pid_t *running, long *count)
{
	struct rusage used;
	int status;
	pid_t pid = wait4(-1, &status, 0, &used);

	if (pid < 0 && errno != ECHILD)
		die("wait for", c->name);
	if (pid < 0)
		return 0;
	cost->user_us += used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec;
	cost->system_us += used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec;
	if (used.ru_maxrss > cost->max_rss_kb)
		cost->max_rss_kb = used.ru_maxrss;
	for (long i = 0; i < *count; i++) {
		if (running[i] != pid)
			continue;
		running[i] = running[--*count];
		note_end(cost, c, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		break;
	}
	return 1;
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct cost measure(const struct command *c, long total, long width)
{
	struct cost cost = { 0 };
	pid_t running[MAX_WIDTH];
	long count = 0;
	long long start;

	/* setns alone leads to the root of the namespace, out of any chroot. */
	if (setns(c->mount_namespace, CLONE_NEWNS) || fchdir(c->root) || chroot("."))
		die("enter the mount namespace of", c->name);
	start = now_ns();
	for (long i = 0; i < total; i++) {
		int error;

		while (count == width)
			reap(&cost, c, running, &count);
		error = posix_spawn(&running[count], c->argv[0], &c->stdio, NULL, c->argv, environ);
		if (error)
			note_end(&cost, c, -error);
		else
			count++;
	}
	while (count > 0)
		reap(&cost, c, running, &count);
	cost.wall_ns = now_ns() - start;
	while (reap(&cost, c, running, &count))
		;
	return cost;
}

int main(int argc, char **argv)
{
	static struct command commands[MAX_COMMANDS];
	long rounds = 1, warmup = 0, total = 1, width = 1;
	int option, count;

	while ((option = getopt(argc, argv, "n:w:t:j:")) != -1) {
		switch (option) {
		case 'n':
			rounds = number(optarg);
			break;
		case 'w':
			warmup = number(optarg);
			break;
		case 't':
			total = number(optarg);
			break;
		case 'j':
			width = number(optarg);
			break;
		default:
			return 1;
		}
	}
	if (optind != argc - 1 || width < 1 || width > MAX_WIDTH) {
		fputs("usage: timer [-n ROUNDS] [-w WARMUP] [-t TOTAL] [-j WIDTH] PLAN\n", stderr);
		return 1;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) || signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		die("prepare", "to wait");
	count = read_plan(argv[optind], commands);
	for (long round = -warmup; round < rounds; round++) {
		for (int i = 0; i < count; i++) {
			struct cost c = measure(&commands[i], total, width);

			if (round < 0)
				continue;
			printf("%s\t%lld\t%lld\t%lld\t%ld\t%d\t%d\n", commands[i].name, c.wall_ns,
			       c.user_us, c.system_us, c.max_rss_kb, c.failed, c.status);
		}
	}
	return fflush(stdout) ? 1 : 0;
}
