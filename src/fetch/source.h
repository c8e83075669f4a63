/* SPDX-License-Identifier: Apache-2.0 */
/* What passes between fetch() and the kinds of sources. Private to this folder. */
#ifndef FETCH_SOURCE_H
#define FETCH_SOURCE_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/pool.h"
#include "fetch/follow.h"
#include "fetch/progress.h"
#include "fetch/url.h"
#include "task.h"

/* No artifact is larger, whatever a server says or a file grows to. */
#define ARTIFACT_BYTES_MAX (100ULL << 30)

/*
 * Where the bytes of one artifact go: a file that is whole up to `bytes`. What is digested is
 * always its beginning, in order.
 */
struct sink {
	int fd;
	int interrupt_fd;        /* a signalfd, or -1 */
	uint64_t bytes;          /* how much of the file is there, from its start, without a gap */
	uint64_t max_bytes;      /* at most ARTIFACT_BYTES_MAX */
	const char *safe;        /* the source, for messages */
	const char *digest_type; /* NULL: none is made */
	struct follower follower;
	struct progress progress;
};

/*
 * Begins with a file that has this many good bytes, which are read and digested; what is behind
 * them is cut off.
 */
int sink_begin(struct sink *sink, uint64_t bytes, struct error *err);

/* Cuts off what was written ahead of its turn. */
int sink_cut(struct sink *sink, struct error *err);

/*
 * Fails at once when the whole, of which the source announces that it has this many bytes, is more
 * than max_bytes or than is free. Reserves nothing: what a server says is not worth other programs'
 * space.
 */
int sink_expect(const struct sink *sink, uint64_t bytes, struct error *err);

/* Appends all of data, or fails: of short space, or because it would exceed max_bytes. */
int sink_write(struct sink *sink, const void *data, size_t size, struct error *err);

/* Writes data ahead of its turn; sink_advance counts it when what is before it has come. */
int sink_write_at(struct sink *sink, const void *data, size_t size, uint64_t offset,
		  struct error *err);
void sink_advance(struct sink *sink, uint64_t bytes);

/* The digest of the whole; none (type NULL) when none is made. */
int sink_end(struct sink *sink, struct checksum *checksum, struct error *err);

void sink_release(struct sink *sink);

/*
 * Fails with ERROR_INTERRUPTED, errnum the signal, when one has come; takes it from the signalfd.
 * Waits for that at most so long. What means no end by default is no interruption.
 */
int sink_interrupted(const struct sink *sink, int wait_ms, struct error *err);

/* What a server said of the whole, to know it again. */
struct validator {
	char etag[200]; /* strong, with its quotes; "": none */
	uint64_t total; /* bytes; 0: not known */
};

/* A file of the destination that survives a failure, and what it was. */
struct partial {
	int fd;      /* for reading and writing */
	int lock_fd; /* holds the lock of one that has a name */
	int directory_fd;
	const char *directory; /* its path, for messages */
	bool waited;           /* another process had it */
	bool foreign;          /* a file of that name is there, and not ours alone */
	const char *name;      /* NULL: the file has none, and nothing survives */
	const char *state;     /* the name of the file beside it */
	const char *identity;  /* what is being fetched: one line */
	struct validator validator;
	uint64_t bytes; /* that are good; 0 with an unknown validator */
};

#define PARTIAL_INIT                                                                               \
	{                                                                                          \
		.fd = -1, .lock_fd = -1, .directory_fd = -1                                        \
	}

/*
 * Opens .NAME.part in directory_fd, or makes it, waits until no other process has it, and reads how
 * far it came. When others could have written to it, it is left alone for a file without a name.
 */
int partial_open(struct partial *partial, const char *name, const char *identity, int interrupt_fd,
		 struct pool *pool, struct error *err);
/* A file without a name. */
int partial_open_unnamed(struct partial *partial, struct error *err);
/* Notes down what a later process needs; bytes UINT64_MAX: as many as the file has. */
int partial_note(const struct partial *partial, uint64_t bytes, struct error *err);
/* The bytes are all there: nothing needs to be known any more. */
void partial_complete(const struct partial *partial);
/* Removes what nobody could go on with. */
void partial_abandon(const struct partial *partial);
void partial_release(struct partial *partial);

/* What came of asking http servers. */
struct delivery {
	const char *final_url; /* without secrets */
	long status;
	unsigned int attempts, connections;
	uint64_t resumed_from;
	bool resumed_unproven;
	bool worth_keeping; /* it failed, but what came may be gone on with later */
};

/* Each fills the sink from its source. */
int fetch_file(const struct url *url, struct sink *sink, struct error *err);
int fetch_http(const struct url *url, const struct source *source, bool provable,
	       const struct fetch_options *options, struct partial *partial, struct sink *sink,
	       struct pool *pool, struct delivery *delivery, struct error *err);

#endif
