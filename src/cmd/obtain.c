/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings one artifact. Runs in the launcher as root, or in `fetch` as anyone. What the user wrote
 * may come from a wrapper that passes on hostile strings; the servers and their bytes are hostile.
 */
#include "cmd/obtain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

#define AUTO_ARTIFACT __attribute__((cleanup(artifact_release))) struct artifact
#define AUTO_VERIFIED __attribute__((cleanup(verified_release))) struct verified

#define SUMS_PREFIX "file:"

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A checksum must be strong enough for what is asked of it. */
static int check_strength(const struct wanted *wanted, const struct fetch_options *options,
			  struct error *err)
{
	const struct checksum *checksum = &wanted->checksum;

	if (checksum->type && checksum_require(checksum, digest_types[options->min_hash].name, err))
		return -1;
	if (!options->insecure)
		return 0;
	if (checksum->type && !digest_type_is_weak(checksum->type))
		return 0;
	return error_set_kind(
		err, STAGE_FETCH, ERROR_USAGE, 0,
		"--insecure without a sha256, sha384 or sha512 checksum: nothing would tell whose bytes come");
}

int obtain_inspect(const struct source *source, const struct fetch_options *options,
		   struct pool *pool, struct wanted *wanted, struct error *err)
{
	const char *checksum;

	*wanted = (struct wanted){ .source = *source };
	if (fetch_inspect(&wanted->source, options, pool, &wanted->name, &wanted->safe, err))
		return -1;
	checksum = wanted->source.checksum;
	if (checksum && strncasecmp(checksum, SUMS_PREFIX, strlen(SUMS_PREFIX)) == 0) {
		struct source sums = { .url = checksum + strlen(SUMS_PREFIX) };
		const char *name, *safe;

		wanted->sums = sums.url;
		if (fetch_inspect(&sums, options, pool, &name, &safe, err))
			return error_prefix(err, "checksum");
	} else if (checksum_parse(checksum, &wanted->checksum, err)) {
		return -1;
	}
	return check_strength(wanted, options, err);
}

void obtain_hide(const struct wanted *wanted, const char *url, const struct strings *headers,
		 const char *checksum, const struct arguments *arguments, struct pool *pool)
{
	const char *safe = checksum ? fetch_safe_source(checksum, pool) : NULL;

	arguments_hide(arguments, url, wanted->safe);
	arguments_hide(arguments, checksum, safe ? safe : "");
	for (size_t i = 0; i < headers->n; i++)
		arguments_hide(arguments, headers->v[i] + strcspn(headers->v[i], ":"), ": ***");
}

/* How much of two URLs is the same scheme, host and port; 0: they differ there. */
static size_t same_origin(const char *a, const char *b)
{
	const char *host = strstr(a, "://");
	size_t length = host ? (size_t)(host + 3 - a) + strcspn(host + 3, "/?#") : 0;

	return length && strncmp(a, b, length) == 0 && strchr("/?#", b[length]) ? length : 0;
}

/* Where the file of checksums would list the artifact: relative to its own directory; NULL: not
 * known. */
static const char *listed_path(const struct wanted *wanted, struct pool *pool)
{
	const char *url = wanted->source.url, *sums = wanted->sums, *slash;
	size_t origin = same_origin(url, sums);

	if (*url == '/' && *sums == '/')
		origin = 1;
	slash = memrchr(sums, '/', strcspn(sums, "?#"));
	if (!origin || !slash || slash < sums + origin ||
	    strncmp(url, sums, (size_t)(slash + 1 - sums)) != 0)
		return NULL;
	url += slash + 1 - sums;
	return pool_strndup(pool, url, strcspn(url, "?#"));
}

/* All of the small file that was fetched, in memory. */
static char *read_all(const struct artifact *artifact, struct pool *pool, struct error *err)
{
	char *text = pool_alloc(pool, artifact->bytes + 1);
	size_t used = 0;

	if (!text)
		pool_error(err, STAGE_FETCH);
	while (text && used < artifact->bytes) {
		ssize_t n = pread(artifact->fd, text + used, artifact->bytes - used, (off_t)used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error_set(err, STAGE_FETCH, n ? errno : EIO, "read the file of checksums");
			return NULL;
		}
		used += (size_t)n;
	}
	return text;
}

int obtain_checksum(struct wanted *wanted, const struct fetch_options *options,
		    const struct fetch_target *target, int interrupt_fd, struct pool *pool,
		    struct error *err)
{
	struct source source = { .url = wanted->sums };
	const struct checksum none = { 0 };
	struct fetch_options small = *options;
	AUTO_ARTIFACT artifact = ARTIFACT_INIT;
	struct sums_match *match;
	const char *text;

	if (!wanted->sums)
		return 0;
	if (same_origin(wanted->sums, wanted->source.url))
		source.headers = wanted->source.headers;
	small.max_bytes = SUMS_BYTES_MAX;
	small.connections = 1;
	small.progress = PROGRESS_NONE;
	if (fetch(&source, &none, &small, target, interrupt_fd, pool, &artifact, err))
		return error_prefix(err, "checksum");
	text = read_all(&artifact, pool, err);
	match = text ? pool_alloc(pool, sizeof(*match)) : NULL;
	if (!match)
		return text ? pool_error(err, STAGE_FETCH) : -1;
	if (sums_find(text, artifact.bytes, wanted->name, listed_path(wanted, pool), match, err))
		return error_prefix(err, "checksum from %.300s", artifact.url);
	if (match->by_base_name)
		log_info("checksum from %.300s: that of %s", artifact.url, match->name);
	wanted->checksum = match->checksum;
	return check_strength(wanted, options, err);
}

/*
 * Bytes of an earlier run that were gone on with, with nothing but the checksum to say that they
 * belong together: when it says no, they are fetched once more from their start.
 */
static bool is_worth_another(const struct artifact *artifact, const struct error *err)
{
	if (err->kind != ERROR_MISMATCH || !artifact->resumed_unproven)
		return false;
	log_info("%s; fetching all of it", err->text);
	return true;
}

static int fetch_and_verify(const struct wanted *wanted, const struct fetch_options *options,
			    const struct fetch_target *target, int interrupt_fd, struct pool *pool,
			    struct artifact *artifact, struct verified *verified,
			    struct obtained *obtained, struct error *err)
{
	int64_t began = now_us();
	int bad;

	if (fetch(&wanted->source, &wanted->checksum, options, target, interrupt_fd, pool, artifact,
		  err))
		return -1;
	obtained->fetch_us = now_us() - began;
	if (artifact->waited)
		return 0;
	began = now_us();
	bad = wanted->checksum.type ? verify(artifact, &wanted->checksum, pool, verified, err) :
				      verify_nothing_and_trust(artifact, verified);
	obtained->verify_us = now_us() - began;
	if (bad && err->kind == ERROR_MISMATCH)
		fetch_discard(artifact);
	return bad;
}

int obtain(const struct wanted *wanted, const struct fetch_options *options,
	   const struct fetch_target *target, const struct placing *placing, int destination_fd,
	   int interrupt_fd, struct pool *pool, struct obtained *obtained, struct error *err)
{
	AUTO_ARTIFACT artifact = ARTIFACT_INIT;
	AUTO_VERIFIED verified = VERIFIED_INIT;
	int64_t began;
	int bad = fetch_and_verify(wanted, options, target, interrupt_fd, pool, &artifact,
				   &verified, obtained, err);

	if (bad && is_worth_another(&artifact, err)) {
		artifact_release(&artifact);
		bad = fetch_and_verify(wanted, options, target, interrupt_fd, pool, &artifact,
				       &verified, obtained, err);
	}
	obtained->artifact = artifact;
	if (bad || artifact.waited)
		return bad;
	obtained->digest = verified.digest;
	began = now_us();
	if (fetch_keep(&artifact, &wanted->checksum, options, &verified, err) ||
	    place(placing, destination_fd, &verified, interrupt_fd, pool, &obtained->placed, err)) {
		if (verified.temporary) /* nobody could go on with what is complete */
			fetch_discard(&artifact);
		return -1;
	}
	obtained->place_us = now_us() - began;
	return 0;
}
