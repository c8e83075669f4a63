/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to node: one round of finding out what this host is.
 *
 * What comes from files is read below root_fd, so that a recorded tree can stand for a machine;
 * what comes from system calls is fetched by few thin functions (survey_calls and what it calls)
 * and passed on as values. A fact that cannot be had is left out; the one failure, want of memory,
 * is remembered and reported at the end.
 */
#ifndef NODE_SURVEY_H
#define NODE_SURVEY_H

#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "node/node.h"

/* One line of /proc/self/mountinfo. Source: proc_pid_mountinfo(5). */
struct mount {
	const char *id, *point, *options, *type, *source, *super_options;
};

struct survey {
	int root_fd;
	struct pool *pool;    /* what outlives the survey: names and values */
	struct pool *scratch; /* what does not: the text of files */
	struct attributes *attributes;
	struct mount *mounts; /* oldest first, as the kernel lists them */
	size_t mounts_n;
	bool out_of_memory;
};

/* Adds an attribute unless its value is empty. The name is not copied; NULL: no memory for it. */
__attribute__((format(printf, 3, 4))) void survey_add(struct survey *survey, const char *name,
						      const char *format, ...);

/* Everything that is in files but cgroups; everything that takes system calls. */
void survey_tree(struct survey *survey);
void survey_calls(struct survey *survey, const char *alloc_dir);

/* --- files.c: reading below root_fd ------------------------------------------------------- */

/* At most the first `max` bytes of a file, in scratch; NULL when it cannot be read. */
char *read_text(struct survey *survey, const char *path, size_t max);

/* The first line of a file without blanks at its end; -1: unreadable, empty, or does not fit. */
__attribute__((format(printf, 4, 5))) int read_line(const struct survey *survey, char *line,
						    size_t size, const char *path, ...);

/* The decimal number that is all there is in the first line of a file. */
__attribute__((format(printf, 3, 4))) int read_number(const struct survey *survey, uint64_t *number,
						      const char *path, ...);

/* The value of the first line "KEY : VALUE" in the style of /proc, in scratch; NULL: none. */
const char *find_field(struct survey *survey, const char *text, const char *key);

/* Fills survey->mounts. */
void survey_mounts(struct survey *survey);

/* --- one subject each --------------------------------------------------------------------- */

void survey_cpu(struct survey *survey);
void survey_numa(struct survey *survey);
void survey_memory(struct survey *survey);
void survey_os(struct survey *survey);
void survey_host_id(struct survey *survey);
void survey_signals(struct survey *survey);
void survey_kernel(struct survey *survey, const struct utsname *names);
void survey_landlock(struct survey *survey, long abi); /* <= 0: none */

/* The mount with this id, and the size of its file system, are where allocations will be. */
void survey_storage(struct survey *survey, uint64_t mount_id, const struct statvfs *size);
/* Descriptor (O_PATH) of a directory or the nearest ancestor of it that exists; -1: none. */
int open_nearest(const char *path);
void survey_storage_of(struct survey *survey, const char *alloc_dir);

/* The interface that the default route of least metric leaves by, IPv4 before IPv6; -1: none. */
int default_interface(struct survey *survey, char name[IFNAMSIZ]);
/* The address of an interface: IPv4 before IPv6, link-local last, else the first in the list. */
void survey_address(struct survey *survey, const struct ifaddrs *list, const char *interface);
void survey_network(struct survey *survey);

/* --- cgroup.c ----------------------------------------------------------------------------- */

struct controller {
	const char *name;
	int version; /* of the hierarchy that has it: 1 or 2 */
	const char *point;
	bool read_only;
};

struct cgroups {
	struct controller v[24]; /* the kernel has 16 at most (CGROUP_SUBSYS_COUNT) */
	size_t n;
	const char *v1_point, *v2_point; /* of the first hierarchies; NULL: none is mounted */
};

/* Finds the controllers among the mounts and adds their attributes. */
void survey_cgroups(struct survey *survey, struct cgroups *cgroups);

/*
 * Why a process with this effective uid, which holds these capabilities, cannot run tasks: object,
 * reason; remedy. NULL: it can.
 */
const char *exec_obstacle(struct survey *survey, const struct cgroups *cgroups, uid_t euid,
			  uint64_t held);

#endif
