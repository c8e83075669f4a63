/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one shape of failure.
 *
 * A function that can fail returns -1 (or NULL) and fills the caller's struct error at the leaf
 * where the reason is known; callers add context on the way up; main prints it once. The value is
 * flat, so the same bytes cross the socket from the child that prepares a task.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Where in the pipeline it happened; the words of the report's `phase`. */
enum stage { STAGE_SETUP, STAGE_FETCH, STAGE_VERIFY, STAGE_CHROOT, STAGE_LAUNCH, STAGE_RUN };

/* What it means for the exit status; each subcommand maps these to its own numbers (cli contract).
 */
enum error_kind {
	ERROR_FAILED,
	ERROR_USAGE,
	ERROR_MISMATCH,
	ERROR_CANNOT_EXECUTE,
	ERROR_NOT_FOUND,
	ERROR_INTERRUPTED, /* `errnum` holds the signal */
};

struct error {
	enum stage stage;
	enum error_kind kind;
	int errnum; /* errno of the system call, or 0 */
	char text[1000];
};

/*
 * Sets *err to "<formatted text>: <strerror(errnum)>" (no suffix when errnum is 0) and returns -1,
 * so that a leaf is one line: `return error_set(err, STAGE_CHROOT, errno, "mount %s", dst);`. Text
 * that does not fit is cut. The text is defused (base/text.h): what a hostile name contains never
 * reaches a terminal.
 */
__attribute__((format(printf, 4, 5), nonnull(1))) int error_set(struct error *err, enum stage stage,
								int errnum, const char *format,
								...);

/* As error_set, with a kind other than ERROR_FAILED. */
__attribute__((format(printf, 5, 6), nonnull(1))) int error_set_kind(struct error *err,
								     enum stage stage,
								     enum error_kind kind,
								     int errnum, const char *format,
								     ...);

/* Puts "<formatted text>: " before what *err says already. Returns -1. */
__attribute__((format(printf, 2, 3), nonnull(1))) int error_prefix(struct error *err,
								   const char *format, ...);

/* Puts "; <formatted text>" behind what *err says already: the remedy. Returns -1. */
__attribute__((format(printf, 2, 3), nonnull(1))) int error_remedy(struct error *err,
								   const char *format, ...);

/* "setup", "fetch", … */
const char *stage_name(enum stage stage);

#endif
