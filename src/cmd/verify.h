/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the command `verify` share. Private to them. */
#ifndef CMD_VERIFY_H
#define CMD_VERIFY_H

#include "spec/spec.h"
#include "verify/verify.h"

/* What its options fill. */
struct verification {
	const char *checksum, *check, *print;
	int min_hash;
	bool ignore_missing, quiet, status, strict;
};

/* What came of the files so far. */
struct tally {
	const struct verification *spec;
	const char *min_hash;            /* a name of digest_types */
	size_t right, wrong, unreadable; /* files; unreadable also counts what was refused */
	bool warned;                     /* of a weak type */
};

/*
 * A descriptor to read the file through, which may be anything; of standard input when path is "-",
 * which stays open for who names it again. -1 with errno.
 */
int verify_open(const char *path);

/*
 * Checks one file, prints the verdict and counts it. What is wrong with the file is printed and is
 * no error; -1 only when no other file would fare better.
 */
int verify_file(struct tally *tally, const char *path, const struct checksum *wanted,
		struct error *err);

/* `--check SUMS [FILE...]`. */
int verify_sums(struct tally *tally, const struct arguments *arguments, struct pool *pool,
		int *status, struct error *err);

/*
 * The status of all files. It is an error if there were none. *status stays when nothing is wrong
 * with any.
 */
int verify_finish(const struct tally *tally, int *status, struct error *err);

#endif
