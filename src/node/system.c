/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel, distribution, memory and identity of the host.
 *
 * Sources: uname(2), os-release(5), machine-id(5), proc_meminfo(5), sigabbrev_np(3). All trusted.
 */
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/survey.h"

#define MEMINFO_BYTES ((size_t)65536)
#define OS_RELEASE_BYTES ((size_t)65536)

/* The names that Go, and so Nomad, has for what uname(2) calls machine. */
static const char *go_architecture(const char *machine)
{
	static const struct {
		const char *machine, *go;
	} names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },
		{ "i386", "386" },     { "i486", "386" },
		{ "i586", "386" },     { "i686", "386" },
		{ "armv6l", "arm" },   { "armv7l", "arm" },
		{ "armv8l", "arm" },   { "loongarch64", "loong64" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].machine, machine) == 0)
			return names[i].go;
	return machine; /* ppc64le, s390x, riscv64: the same in both */
}

void survey_kernel(struct survey *survey, const struct utsname *names)
{
	survey_add(survey, "kernel.name", "linux");
	survey_add(survey, "kernel.version", "%s", names->release);
	survey_add(survey, "kernel.arch", "%s", names->machine);
	survey_add(survey, "cpu.arch", "%s", go_architecture(names->machine));
	survey_add(survey, "arch", "%s", go_architecture(names->machine)); /* its name in 2016 */
	survey_add(survey, "unique.hostname", "%s", names->nodename);
	survey_add(survey, "hostname", "%s", names->nodename); /* its name in 2016 */
}

void survey_landlock(struct survey *survey, long abi)
{
	if (abi > 0)
		survey_add(survey, "kernel.landlock", "v%ld", abi);
}

void survey_memory(struct survey *survey)
{
	const char *total =
		find_field(survey, read_text(survey, "proc/meminfo", MEMINFO_BYTES), "MemTotal");
	uint64_t kibibytes = total ? strtoul(total, NULL, 10) : 0; /* "24684084 kB" */

	if (kibibytes)
		survey_add(survey, "memory.totalbytes", "%" PRIu64, kibibytes * 1024);
}

/* Undoes, in place, the shell quoting that os-release(5) allows. */
static const char *unquote(char *text)
{
	char quote = *text == '"' || *text == '\'' ? *text : '\0';
	char *to = text;

	for (const char *from = text + !!quote; *from && *from != quote; from++) {
		if (*from == '\\' && quote != '\'' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return text;
}

void survey_os(struct survey *survey)
{
	char *text = read_text(survey, "etc/os-release", OS_RELEASE_BYTES), *line;
	const char *id = "linux", *version = NULL; /* the default of os-release(5) */
	char debian[128];

	text = text ? text : read_text(survey, "usr/lib/os-release", OS_RELEASE_BYTES);
	if (!text)
		return;
	while ((line = strsep(&text, "\n")))
		if (strncmp(line, "ID=", 3) == 0)
			id = unquote(line + 3);
		else if (strncmp(line, "VERSION_ID=", 11) == 0)
			version = unquote(line + 11);
	/* Nomad prints the point release ("12.10"), which Debian keeps in a file of its own. */
	if (strcmp(id, "debian") == 0 &&
	    read_line(survey, debian, sizeof(debian), "etc/debian_version") == 0)
		version = debian;
	survey_add(survey, "os.name", "%s", id);
	if (version)
		survey_add(survey, "os.version", "%s", version);
}

/* "3d1219c7…" as "3d1219c7-…". */
static void add_machine_id(struct survey *survey, const char *id)
{
	survey_add(survey, "unique.host_id", "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12,
		   id + 16, id + 20);
}

/* In the order in which Nomad looks; only root may read the first. */
void survey_host_id(struct survey *survey)
{
	char id[64];

	if (read_line(survey, id, sizeof(id), "sys/class/dmi/id/product_uuid") == 0 &&
	    strlen(id) == 36) {
		for (char *p = id; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		survey_add(survey, "unique.host_id", "%s", id);
	} else if (read_line(survey, id, sizeof(id), "etc/machine-id") == 0 && strlen(id) == 32) {
		add_machine_id(survey, id);
	} else if (read_line(survey, id, sizeof(id), "proc/sys/kernel/random/boot_id") == 0) {
		survey_add(survey, "unique.host_id", "%s", id);
	}
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The names that options for signals take. */
void survey_signals(struct survey *survey)
{
	const char *names[NSIG] = { NULL };
	char list[NSIG * 16];
	size_t n = 0, used = 0;

	for (int i = 1; i < NSIG; i++) {
		names[n] = sigabbrev_np(i);
		n += !!names[n];
	}
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%sSIG%s", i ? "," : "",
					 names[i]);
	survey_add(survey, "os.signals", "%s", list);
}
