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
 * libcrypto have errnum 0.
 */
int hash_fd(int fd, const char *what, struct checksum *checksums, size_t n, uint64_t *bytes,
	    struct error *err);

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
