/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of a file while it grows, by a thread that reads it again from memory: hashing takes
 * as long as downloading, and there is mostly another processor. Private to this folder.
 */
#ifndef FETCH_FOLLOW_H
#define FETCH_FOLLOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct follower {
	int fd;
	struct digest digest;
	uint64_t digested_bytes;
	bool started; /* there is a thread */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	uint64_t available_bytes; /* that will not change any more */
	bool stop;                /* do not wait for more */
	bool abandon;             /* nor go on with what is there */
	bool failed;              /* `error` says why */
	struct error error;
};

#define FOLLOWER_INIT                                                                              \
	{                                                                                          \
		.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER      \
	}

/* Begins at the start of the file; drops what was begun before. */
int follower_begin(struct follower *follower, int fd, const char *type, struct error *err);

/* So many bytes of the file are there for good. A thread starts when it is worth one. */
void follower_advance(struct follower *follower, uint64_t bytes);

/*
 * The digest of that many bytes; type NULL when none was begun. No thread is left. A signal that
 * interrupt_fd (a signalfd, or -1) reports ends it with ERROR_INTERRUPTED.
 */
int follower_end(struct follower *follower, uint64_t bytes, int interrupt_fd,
		 struct checksum *checksum, struct error *err);

/* Ends the thread, if there is one, and drops the digest. */
void follower_release(struct follower *follower);

#endif
