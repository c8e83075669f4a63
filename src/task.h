/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value that flows through a run, in the order in which it flows. Read this first.
 *
 *   spec -> task -> artifact -> verified -> placed -> root -> child -> result
 *
 * Each stage takes values as const and makes the next one, which promises more. Strings belong to
 * the pool of the run; descriptors belong to the value that holds them until its _release, and move
 * with take_fd(). Nothing here is ever passed backwards.
 */
#ifndef TASK_H
#define TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>

#include "base/digest.h"
#include "base/pool.h"

/* What bounds a task; 0 means no limit except where said. */
struct limits {
	uint64_t cpu_mhz;      /* relative weight, as Nomad's `cpu`; at least 1 */
	uint64_t memory_bytes; /* hard limit; swap is bounded to none */
	uint64_t pids;
};

enum artifact_mode { ARTIFACT_ANY, ARTIFACT_FILE, ARTIFACT_DIR };

/* How artifacts are brought: the same for all of a run. */
struct fetch_options {
	const char *cacert;     /* NULL: the system's certificates */
	const char *netrc_file; /* NULL: none, unless netrc is set */
	bool netrc;             /* the file that NETRC names, or ~/.netrc */
	const char *cache_dir;
	uint64_t cache_max_bytes, max_bytes; /* of all that is cached; of one artifact */
	uint64_t limit_rate_bytes;           /* a second; 0: no limit */
	uint64_t timeout_ms;                 /* of one download with all its attempts; 0: none */
	uint64_t retries, connections;
	int min_hash; /* index into digest_types: weaker checksums are refused */
	bool no_cache, insecure, allow_file, allow_metadata, deny_private;
	int progress; /* enum fetch_progress */
};

enum fetch_progress { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_JSON };

/* An artifact as it was asked for. */
struct artifact_spec {
	const char *source, *destination, *checksum;
	int mode; /* enum artifact_mode */
	struct strings headers, options;
};

/* What the user says of this node, for `${node.…}` and `${meta.…}`. */
struct node_values {
	const char *datacenter, *region, *name, *class;
	struct strings meta; /* "KEY=VALUE" */
};

/* --- spec: what the user asked for, as written --------------------------------------------------
 */

struct spec {
	const char *command; /* as --command, subject to the driver's rules for that key */
	const char *program; /* as `-- PATH`: any file name */
	struct strings args;
	const char *args_file;
	struct strings env, env_files; /* "KEY=VALUE" or "KEY" (inherit), in order */

	struct elements artifacts; /* of struct artifact_spec */
	struct fetch_options fetch;

	const char *user, *work_dir, *name, *id, *hostname;
	struct limits limits;
	struct strings cap_add, cap_drop;
	const char *alloc_dir;
	bool keep;

	uint64_t timeout_ms; /* 0: none */
	uint64_t kill_timeout_ms;
	int kill_signal;

	struct node_values node;
	const char *result_file;
	bool strict, dry_run;
};

/*
 * --- facts: what interpolation may look up, gathered before it so that it stays pure
 * --------------
 */

struct user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary */
	size_t groups_n;
	const char *name; /* NULL when the uid has no entry */
	const char *home; /* "/" when the uid has no entry */
};

struct attribute {
	const char *name, *value;
};

struct attributes {
	struct attribute *v; /* sorted by name */
	size_t n, capacity;
};

/* --- source: one artifact that is wanted, no reference left in it --------------------------------
 */

struct source {
	const char *url;
	const char *checksum;    /* as written: "TYPE:HEX", hex digits, "file:URL"; NULL: none */
	const char *archive;     /* go-getter's: "false", or a format; NULL: by the name */
	const char *filename;    /* NULL: from the URL */
	const char *destination; /* of a run: relative to the task directory */
	enum artifact_mode mode;
	struct strings headers; /* "NAME: VALUE" */
};

/* --- task: no `${` left to expand, every number parsed; made only by interpolate -----------------
 */

struct task {
	const char *id, *name;
	const char *command;     /* as asked for; looked up inside the chroot */
	const char *const *args; /* without argv[0]; NULL-terminated */
	const char *const *env;  /* complete; NULL-terminated */
	const char *work_dir;    /* absolute, inside the chroot */
	const char *hostname;    /* NULL: the host's */
	struct user user;
	uint64_t capabilities; /* bit n is capability n */
	struct limits limits;

	struct source *sources; /* the artifacts, in order */
	size_t sources_n;

	const char *alloc_dir;
	bool keep;
	uint64_t timeout_ms, kill_timeout_ms;
	int kill_signal;
};

/* --- alloc: the directories of this allocation on the host ---------------------------------------
 */

struct alloc {
	const char *path; /* "<alloc-dir>/<id>" */
	const char *id;   /* NULL: nothing was made */
	int parent_fd;    /* <alloc-dir> */
	int shared_fd;    /* alloc/ */
	int task_fd;      /* <task>/ */
	/*
	 * Detached mounts (open_tree(2)) of alloc/, <task>/local/ and <task>/tmp/: seen as /alloc,
	 * /local, /tmp.
	 */
	int shared_tree, local_tree, tmp_tree;
};

#define ALLOC_INIT                                                                                 \
	{                                                                                          \
		.parent_fd = -1, .shared_fd = -1, .task_fd = -1, .shared_tree = -1,                \
		.local_tree = -1, .tmp_tree = -1                                                   \
	}

/* --- artifact: downloaded, not trusted -----------------------------------------------------------
 */

struct artifact {
	int fd;           /* of a file of ours, read-only, at offset 0; -1: none was asked for */
	int lock_fd;      /* what keeps others from the same partial file; -1: nothing */
	int cache_fd;     /* of the cache's directory that it was downloaded into; -1: not there */
	int directory_fd; /* where `temporary` is; borrowed */
	const char *temporary; /* that file's name for now; NULL: it has none */
	const char *name;      /* base name it will get: one clean path component */
	const char *url;       /* without secrets, for messages and the report */
	const char *final_url; /* where the redirects ended, without secrets; NULL: not http */
	uint64_t bytes;
	struct checksum digest; /* made while the bytes came in; type NULL: not made */
	bool from_cache, waited;
	bool resumed_unproven; /* old and new bytes were joined with no ETag to say that they match
				*/
	uint64_t resumed_from;
	long status; /* of the last answer; 0: there was none */
	unsigned int attempts, connections;
};

#define ARTIFACT_INIT                                                                              \
	{                                                                                          \
		.fd = -1, .lock_fd = -1, .cache_fd = -1, .directory_fd = -1                        \
	}

/*
 * --- verified: the same descriptor, now proved; made only by verify
 * -------------------------------
 */

struct verified {
	int fd;                /* -1: there is no artifact */
	int directory_fd;      /* as in the artifact */
	const char *temporary; /* as in the artifact */
	const char *name, *url;
	uint64_t bytes;
	const char *digest; /* "sha256:<hex>"; NULL when no checksum was given */
};

#define VERIFIED_INIT                                                                              \
	{                                                                                          \
		.fd = -1, .directory_fd = -1                                                       \
	}

/* --- placed: files at their destination, whole --------------------------------------------------
 */

struct placed {
	const char *name; /* of the file; NULL: an archive was unpacked into the directory */
	uint64_t files, bytes;
};

/*
 * --- root: the plan of the chroot: operations in order, not yet done
 * ------------------------------
 */

enum root_op_kind {
	ROOT_LINK,  /* make the link target -> source on our own tmpfs */
	ROOT_BIND,  /* the host's source, with all that is mounted below it, at target */
	ROOT_TMPFS, /* a tmpfs of the size `source` at target */
	ROOT_DEV,   /* the whole of /dev */
	ROOT_PROC,
	ROOT_SYSFS,
	ROOT_MASK, /* hide target, if it is there: a file reads as empty, a directory is empty */
	ROOT_READONLY, /* make what is at target read-only, if it is there */
};

struct root_op {
	enum root_op_kind kind;
	const char *target; /* relative to the root, no leading slash; directories on the way are
			       made */
	const char *source;
	int source_fd; /* ROOT_BIND: a detached mount that source only describes; -1: a host path */
	unsigned int attributes; /* MOUNT_ATTR_… */
	mode_t mode;             /* ROOT_TMPFS */
	uid_t uid;
	gid_t gid;
};

struct root {
	struct root_op *ops;
	size_t n, capacity;
};

/* --- child: what runs ----------------------------------------------------------------------------
 */

struct child {
	pid_t init_pid; /* PID 1 of the task's pid namespace, in ours */
	int init_pidfd;
	int task_pidfd; /* of the task's main process, for signals; -1 until it has started */
	int channel;    /* to init and, until it executes the command, to the task */
};

#define CHILD_INIT                                                                                 \
	{                                                                                          \
		.init_pid = -1, .init_pidfd = -1, .task_pidfd = -1, .channel = -1                  \
	}

/* --- result: what happened -----------------------------------------------------------------------
 */

/* Counters of the kernel; a negative value is one that this kernel does not keep. */
struct usage {
	int64_t memory_peak_bytes, pids_peak, cpu_throttled_ms, oom_kills;
};

struct timings {
	int64_t setup_us, fetch_us, verify_us, chroot_us, launch_us, run_us; /* -1: not reached */
};

struct result {
	const char *id, *task, *command;
	pid_t pid;        /* of the task in our pid namespace; 0: it never started */
	enum stage stage; /* the last one reached */
	bool ended;       /* wait_status is valid */
	int wait_status;
	bool oom_killed, timed_out;
	int64_t cpu_user_ms, cpu_system_ms;
	struct usage usage;
	struct timespec started_at, finished_at; /* CLOCK_REALTIME; tv_sec 0: never */
	struct timespec started, finished;       /* the same moments by CLOCK_MONOTONIC */
	struct timings timings;
	const char *cgroup_version, *cgroup_path;
	struct limits limits;
	const char *artifact_url, *artifact_digest;
	uint64_t artifact_bytes;
	bool artifact_from_cache;
};

#define RESULT_INIT                                                                                \
	{                                                                                          \
		.usage = { -1, -1, -1, -1 }, .timings = { -1, -1, -1, -1, -1, -1 },                \
	}

#endif
