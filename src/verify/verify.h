/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact -> verified: proves that bytes are the ones that were asked for.
 *
 * Runs in the launcher as root; hashes what it was handed, through the same descriptor that is used
 * afterwards, so that nothing can be swapped in between. The bytes are hostile, but only ever
 * hashed.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "base/digest.h"
#include "base/error.h"
#include "task.h"

/*
 * Reads "TYPE:HEX" (type and hex in any case) or a bare hex value whose length tells the type; NULL
 * text gives a checksum without a type. Pure: to be called before anything is downloaded. Errors
 * are of kind ERROR_USAGE.
 */
int checksum_parse(const char *text, struct checksum *checksum, struct error *err);

/*
 * Exactly `length` hex digits, in any case, as a value of the type; type NULL: the one that has so
 * many. -1: they are not that, and *checksum is without a type. Pure.
 */
int checksum_from_hex(const char *hex, size_t length, const struct digest_type *type,
		      struct checksum *checksum);

/* Refuses a type that is weaker than min_type, a name of digest_types. Of kind ERROR_USAGE. Pure.
 */
int checksum_require(const struct checksum *checksum, const char *min_type, struct error *err);

/* Warns of a type by which different files cannot be told apart any more. */
void checksum_warn_if_weak(const char *type);

/* As many as digest_types has. */
#define HASH_TYPES_MAX 5

/*
 * Reads fd from where it stands to its end, once, and fills n (at most HASH_TYPES_MAX) checksums by
 * their types. Anything that can be read will do: file, pipe, device. How many bytes that were goes
 * to *bytes. `what` names fd in errors, as in "read WHAT at byte 0: Is a directory"; those of
 * libcrypto have errnum 0. interrupt_fd (a signalfd, or -1) ends it with ERROR_INTERRUPTED, errnum
 * the signal, which was then taken from it.
 */
int hash_fd(int fd, const char *what, struct checksum *checksums, size_t n, uint64_t *bytes,
	    int interrupt_fd, struct error *err);

/*
 * A sums file, read line by line as coreutils' `sha256sum -c` reads it, but for all types at once:
 *
 *   HEX  NAME   HEX *NAME   HEX ?NAME     of sha256sum and shasum; the type is told by the length
 *   HEX NAME                              of `md5 -r`; not mixed with the forms above in one file
 *   TYPE (NAME) = HEX                     of `sha256sum --tag`, BSD's md5, openssl 1
 *   HEX                                   without a name
 *
 * A backslash before it says that \\, \n and \r in NAME are escapes. Lines end with LF or CRLF;
 * blanks before them, a byte order mark, empty lines and lines that begin with `#` are passed over.
 * Every other line, one with a NUL byte or a name of more than SUMS_NAME_BYTES - 1 bytes among
 * them, is malformed. Pure; the bytes may be hostile and need no NUL behind them.
 */
#define SUMS_BYTES_MAX ((size_t)1 << 20)
#define SUMS_NAME_BYTES 8192

enum sums_line { SUMS_END, SUMS_NAMED, SUMS_BARE, SUMS_MALFORMED };

struct sums {
	const char *at, *end; /* what is not read yet; borrowed */
	enum { SUMS_STYLE_UNKNOWN, SUMS_STYLE_GNU, SUMS_STYLE_REVERSED } style;
	size_t line;                /* number of the last line, from 1 */
	struct checksum checksum;   /* of the last line, if it is named or bare */
	char name[SUMS_NAME_BYTES]; /* of the last line, if it is named; decoded */
};

/* Begins; fails when there are more than SUMS_BYTES_MAX bytes. */
int sums_begin(struct sums *sums, const char *bytes, size_t n, struct error *err);

/* The next line that counts, into *sums. */
enum sums_line sums_next(struct sums *sums);

struct sums_match {
	struct checksum checksum;
	bool by_base_name;          /* of a file that is listed in some other directory */
	char name[SUMS_NAME_BYTES]; /* as listed; "" for a checksum without a name */
};

/*
 * The checksum that a sums file has for one file. `path` is where the file would be listed,
 * relative to the sums file, NULL when that is not known; `name` is its base name. What matches
 * best is taken: the path, else the name alone, else the base name of a listed path; "./" in front
 * means nothing. Of several types the strongest is taken. Two different values of one type are an
 * error, and so are base names in several directories with different checksums. One checksum
 * without a name counts when it is all that the file holds. When there is none the error lists
 * names that are there. Pure, as sums_next.
 */
int sums_find(const char *bytes, size_t n, const char *name, const char *path,
	      struct sums_match *match, struct error *err);

/*
 * Moves the artifact's descriptor into *verified when its bytes have the checksum; artifact->fd is
 * then -1 and verified->fd is at offset 0. A digest of that type that was made while the bytes came
 * in is believed: they went into a file of ours. Without an artifact (fd -1) *verified is
 * VERIFIED_INIT. A mismatch is of kind ERROR_MISMATCH and names both digests; the artifact stays
 * with the caller.
 */
int verify(struct artifact *artifact, const struct checksum *checksum, struct pool *pool,
	   struct verified *verified, struct error *err);

/* The same without any proof, for a user who gave no checksum; says so in a warning. */
int verify_nothing_and_trust(struct artifact *artifact, struct verified *verified);

void verified_release(struct verified *verified);

#endif
