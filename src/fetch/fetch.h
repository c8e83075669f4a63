/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task -> artifact: brings the bytes of an artifact into a new file. The only user of libcurl.
 *
 * Runs in the launcher as root. The server, the network and every byte that comes in are hostile;
 * nothing here looks at the bytes.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/error.h"
#include "task.h"

/*
 * Downloads task->artifact_source (which must not be NULL) into a new file of mode 0600 in
 * directory_fd, which is root's alone and new: unnamed (O_TMPFILE) where its file system can, else
 * named artifact->temporary. On success *artifact owns the descriptor, which is read-only and at
 * offset 0, and is released by artifact_release. On failure nothing but a file of that name is left
 * behind, except that a name server that does not answer may hold a thread and two descriptors
 * until the process ends. interrupt_fd (a signalfd, or -1) is watched while bytes flow: when it
 * becomes readable the download ends with ERROR_INTERRUPTED, errnum the signal, which was then
 * taken from it.
 *
 * Supported: absolute paths and file:// URLs (regular files), http:// and https:// (peer and host
 * verified, at most ten redirects). The name is the last segment of the source's path, also after a
 * redirect. Archives are kept as they are, with a warning; so is http without a checksum
 * (`have_checksum`). A source that could not be fetched by anyone is ERROR_USAGE, before any
 * network. Errors name the URL without its secrets and the reason.
 */
int fetch(const struct task *task, bool have_checksum, int directory_fd, int interrupt_fd,
	  struct pool *pool, struct artifact *artifact, struct error *err);

/* The source without the secrets in it, for messages; NULL without memory. */
const char *fetch_safe_source(const char *source, struct pool *pool);

void artifact_release(struct artifact *artifact);

#endif
