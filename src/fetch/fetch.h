/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source -> artifact: brings the bytes of an artifact into a file of ours. The only user of
 * libcurl.
 *
 * Runs in the launcher as root, or in `fetch` as anyone. The server, the network and every byte
 * that comes in are hostile; nothing here looks at the bytes but to hash them.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/error.h"
#include "task.h"

/*
 * Reads the source without asking anybody, and completes it with what its own query says:
 * go-getter's keys `checksum`, `archive` and `filename`, which are taken out of the URL. What no
 * one could fetch, or what would get no clean file name, is ERROR_USAGE. *name is the name that its
 * file will have, *safe the source without the secrets in it. Pure.
 */
int fetch_inspect(struct source *source, const struct fetch_options *options, struct pool *pool,
		  const char **name, const char **safe, struct error *err);

/* Where the bytes go. */
struct fetch_target {
	int directory_fd;
	const char *directory; /* its path, for messages */
	/*
	 * true: into .NAME.part there, beside .NAME.part.state, which tells what is needed to go on
	 * with it: a later fetch of the same source resumes it, two at once share it. false: into a
	 * file without a name (O_TMPFILE), or with one where the file system has none such.
	 */
	bool resumable;
	/*
	 * When another process turns out to be downloading the same: wait for it, and then return
	 * with artifact->waited set and no descriptor, for what it brought may be what is wanted.
	 */
	bool look_again;
};

/*
 * Downloads source->url, which fetch_inspect has read. `wanted` (type NULL: none) decides which
 * digest is made on the way, and whether the cache is looked into; nothing here compares it. On
 * success *artifact owns its descriptors, which artifact_release closes; the file has mode 0600, or
 * is one of the cache. On failure a resumable file stays for the next try, nothing else.
 *
 * interrupt_fd (a signalfd, or -1) is watched: when it becomes readable the download ends with
 * ERROR_INTERRUPTED, errnum the signal, which was then taken from it. A name server that does not
 * answer may hold a thread and two descriptors until the process ends.
 *
 * http and https: peer and host verified, at most ten redirects, never from https to http, headers
 * and credentials to the first origin only. Errors name the URL without its secrets and the reason.
 */
int fetch(const struct source *source, const struct checksum *wanted,
	  const struct fetch_options *options, const struct fetch_target *target, int interrupt_fd,
	  struct pool *pool, struct artifact *artifact, struct error *err);

/*
 * Keeps a verified artifact that was downloaded into the cache's own directory: gives it its name
 * there, and removes what was not used for longest beyond cache_max_bytes. Does nothing for others.
 */
int fetch_keep(const struct artifact *artifact, const struct checksum *proved,
	       const struct fetch_options *options, struct verified *verified, struct error *err);

/* Forgets the partial file of a download that turned out to be wrong. */
void fetch_discard(const struct artifact *artifact);

/* The source without the secrets in it, for messages; NULL without memory. Pure. */
const char *fetch_safe_source(const char *source, struct pool *pool);

void artifact_release(struct artifact *artifact);

#endif
