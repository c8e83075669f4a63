/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands. Each is one file here and one entry in the table of commands.c, which main,
 * --help and the manual are made from.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/error.h"
#include "spec/spec.h"

/* Exit statuses by error_kind; ERROR_INTERRUPTED is 128 + signal everywhere. */
struct exit_statuses {
	int failed, usage, mismatch, cannot_execute, not_found;
};

struct command {
	const char *name;
	const char *summary;         /* "run one command in isolation" */
	const char *const *synopsis; /* what follows the name, one a form; NULL-terminated */
	const struct option *options;
	size_t target_bytes;  /* of the struct that the options fill */
	const void *defaults; /* its built-in values */
	bool takes_operands;
	bool takes_command; /* its first operand is a command, with options of its own behind it */
	struct exit_statuses statuses;
	/* target: the filled struct. Sets *status, or fails with *err. */
	int (*run)(const struct arguments *arguments, void *target, struct pool *pool, int *status,
		   struct error *err);
	/*
	 * Instead of run, when the options could not be read: target has those that could. NULL:
	 * there is nothing to do then.
	 */
	void (*refuse)(const void *target, struct pool *pool, const struct error *err);
};

/* NULL-terminated. */
extern const struct command *const commands[];

/* What stands before the command's name. */
struct global_options {
	int log_level; /* enum log_level */
	bool log_json, quiet, version;
};

extern const struct option global_options[];

extern const struct command command_run, command_fetch, command_verify, command_fingerprint;

/* Both print to stdout. command NULL: the program's own help. */
void help_print(const struct command *command);
void version_print(void);

/* The plan of a run, for --dry-run: everything that would be done, nothing of it done. */
int dry_run_print(const struct task *task, struct pool *pool, struct error *err);

/* Where the report of a run goes. */
struct report {
	const char *path;
	int fd;
	const char
		*temporary; /* name of a new file that will replace the one at path; NULL: none */
};

/* Opens it before anything is done, so that nothing runs whose report could not be written. */
int report_open(const char *path, struct pool *pool, struct report *report, struct error *err);

/* Leaves nothing of a report that was not written. */
void report_release(struct report *report);

#define AUTO_REPORT __attribute__((cleanup(report_release))) struct report

/*
 * Writes the report as one JSON object, replacing a regular file atomically. `failure` is the error
 * that ended the run, or NULL.
 */
int report_write(struct report *report, const struct result *result, const struct error *failure,
		 struct error *err);

/* The whole report of a run that never began. A failure to write it is logged. */
void report_failure(const char *path, const struct error *failure, struct pool *pool);

/* What the shell sees of a task's end. */
int exit_status_of(const struct result *result);

#endif
