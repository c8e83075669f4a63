/* SPDX-License-Identifier: Apache-2.0 */
/* What passes between fetch() and the kinds of sources. Private to this folder. */
#ifndef FETCH_SOURCE_H
#define FETCH_SOURCE_H

#include <stdint.h>

#include "base/error.h"
#include "base/pool.h"
#include "fetch/url.h"

/* No artifact is larger, whatever a server says or a file grows to. */
#define ARTIFACT_BYTES_MAX (100ULL << 30)

/* Where the bytes of one artifact go. */
struct sink {
	int fd;
	int interrupt_fd; /* a signalfd, or -1 */
	uint64_t bytes;   /* that arrived */
	const char *safe; /* the source, for messages */
};

/*
 * Fails at once when this many bytes, which the source announces, are more than ARTIFACT_BYTES_MAX
 * or than is free. Reserves nothing: what a server says is not worth other programs' space.
 */
int sink_expect(const struct sink *sink, uint64_t bytes, struct error *err);

/* Appends all of data, or fails: of short space, or because it would exceed ARTIFACT_BYTES_MAX. */
int sink_write(struct sink *sink, const void *data, size_t size, struct error *err);

/*
 * Fails with ERROR_INTERRUPTED, errnum the signal, when one has come; takes it from the signalfd.
 * Does not wait.
 */
int sink_interrupted(const struct sink *sink, struct error *err);

/* Each fills the sink from its source and leaves in sink->bytes how much that was. */
int fetch_file(const struct url *url, struct sink *sink, struct error *err);
int fetch_http(const struct url *url, struct sink *sink, struct pool *pool, struct error *err);

#endif
