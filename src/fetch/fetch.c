/* SPDX-License-Identifier: Apache-2.0 */
/* source -> artifact. Runs in the launcher as root, or in `fetch` as anyone; see fetch.h. */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "fetch/cache.h"
#include "fetch/source.h"

#define AUTO_CACHE __attribute__((cleanup(cache_release))) struct cache
#define AUTO_PARTIAL __attribute__((cleanup(partial_release))) struct partial
#define AUTO_SINK __attribute__((cleanup(sink_release))) struct sink

static int conflict(const struct url *url, const char *key, struct error *err)
{
	return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
			      "artifact source " URL_FORMAT
			      ": its query says one %s and the options say another",
			      url->safe, key);
}

/* One of the two, or both if they are the same. */
static int merge(const char **option, const char *query)
{
	if (*option && query && strcmp(*option, query) != 0)
		return -1;
	*option = *option ? *option : query;
	return 0;
}

/* Those that we make ourselves, or that would change what bytes come. */
static bool is_ours(const char *name, size_t length)
{
	static const char *const names[] = { "Range",          "If-Range",   "Accept-Encoding",
					     "Content-Length", "Connection", "Transfer-Encoding" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
			return true;
	return false;
}

/* "NAME: VALUE", and nothing by which one header could become two. Source: RFC 9110, 5.5 and 5.6.2.
 */
static int check_header(const char *header, struct error *err)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strspn(header, token);

	/* The value may be a secret: it is not shown, nor what may be one. */
	if (!strchr(header, ':'))
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "a header without a colon: expected NAME: VALUE");
	if (!length || header[length] != ':')
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "header \"%.*s\": expected NAME: VALUE", (int)length, header);
	if (url_has_control(header))
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "header %.*s: its value has a control character in it",
				      (int)length, header);
	if (is_ours(header, length))
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "header %.*s: that one is made by nomad-exec itself",
				      (int)length, header);
	return 0;
}

int fetch_inspect(struct source *source, const struct fetch_options *options, struct pool *pool,
		  const char **name, const char **safe, struct error *err)
{
	struct url url;

	if (url_parse(source->url, source->filename, pool, &url, err))
		return -1;
	if (url.path && !options->allow_file) {
		error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
			       "artifact source " URL_FORMAT ": it is a file of this host",
			       url.safe);
		return error_remedy(err, "if that is meant, add --allow-file");
	}
	if (merge(&source->checksum, url.checksum))
		return conflict(&url, "checksum", err);
	if (merge(&source->archive, url.archive))
		return conflict(&url, "archive", err);
	for (size_t i = 0; i < source->headers.n; i++)
		if (check_header(source->headers.v[i], err))
			return -1;
	*name = url.name;
	*safe = url.safe;
	return 0;
}

/*
 * The same file, read-only and at offset 0. A file that somebody has open for writing cannot be
 * executed (ETXTBSY).
 */
static int reopen(int fd, struct error *err)
{
	char self[40];
	int sealed;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	sealed = open(self, O_RDONLY | O_CLOEXEC);
	if (sealed < 0)
		error_set(err, STAGE_FETCH, errno, "reopen the artifact through %s", self);
	return sealed;
}

/* What has to be the same for a partial file to be gone on with: one line. */
static const char *identity(const struct url *url, const struct checksum *wanted, struct pool *pool)
{
	char text[CHECKSUM_TEXT_BYTES] = "-";

	if (wanted->type)
		checksum_format(wanted, text);
	return pool_printf(pool, "%s %s", text, url->safe);
}

static bool from_cache(const struct cache *cache, const struct url *url,
		       const struct checksum *wanted, struct artifact *artifact)
{
	uint64_t bytes = 0;
	int fd = cache_find(cache, &bytes);

	if (fd < 0)
		return false;
	*artifact = (struct artifact)ARTIFACT_INIT;
	artifact->fd = fd;
	artifact->name = url->name;
	artifact->url = url->safe;
	artifact->bytes = bytes;
	artifact->digest = *wanted;
	artifact->from_cache = true;
	return true;
}

static int open_partial(struct partial *partial, const struct fetch_target *target,
			const struct cache *cache, const struct url *url,
			const struct checksum *wanted, int interrupt_fd, struct pool *pool,
			struct error *err)
{
	const char *what = identity(url, wanted, pool);

	if (!what)
		return pool_error(err, STAGE_FETCH);
	partial->directory_fd = cache->fd < 0 ? target->directory_fd : cache->type_fd;
	partial->directory = cache->fd < 0 ? target->directory : "the cache";
	if (url->path || (cache->fd < 0 && !target->resumable))
		return partial_open_unnamed(partial, err);
	return partial_open(partial, cache->fd < 0 ? url->name : cache->name, what, interrupt_fd,
			    pool, err);
}

static int bring(const struct source *source, const struct url *url, const struct checksum *wanted,
		 const struct fetch_options *options, struct partial *partial, struct sink *sink,
		 struct pool *pool, struct delivery *delivery, struct error *err)
{
	sink->fd = partial->fd;
	sink->digest_type = wanted->type;
	if (sink_begin(sink, partial->bytes, err))
		return -1;
	progress_begin(&sink->progress, options->progress, url->name, partial->bytes);
	if (url->path)
		return fetch_file(url, sink, err);
	return fetch_http(url, source, wanted->type != NULL, options, partial, sink, pool, delivery,
			  err);
}

/* What is told of it, also when it failed. */
static void describe(const struct url *url, const struct sink *sink,
		     const struct delivery *delivery, struct artifact *artifact)
{
	artifact->name = url->name;
	artifact->url = url->safe;
	artifact->bytes = sink->bytes;
	artifact->final_url = delivery->final_url;
	artifact->status = delivery->status;
	artifact->attempts = delivery->attempts;
	artifact->connections = delivery->connections;
	artifact->resumed_from = delivery->resumed_from;
	artifact->resumed_unproven = delivery->resumed_unproven;
}

/* What the artifact is, once all of it is there. */
static int finish(struct partial *partial, struct sink *sink, struct artifact *artifact,
		  struct error *err)
{
	if (sink_end(sink, &artifact->digest, err))
		return -1;
	if (partial->validator.total && sink->bytes != partial->validator.total)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": %llu of %llu bytes came", sink->safe,
				 (unsigned long long)sink->bytes,
				 (unsigned long long)partial->validator.total);
	artifact->fd = reopen(partial->fd, err);
	if (artifact->fd < 0)
		return -1;
	partial_complete(partial);
	artifact->directory_fd = partial->directory_fd;
	artifact->temporary = partial->name;
	artifact->lock_fd = take_fd(&partial->lock_fd);
	return close(take_fd(&partial->fd)) ?
		       error_set(err, STAGE_FETCH, errno, "close the artifact that was written") :
		       0;
}

int fetch(const struct source *source, const struct checksum *wanted,
	  const struct fetch_options *options, const struct fetch_target *target, int interrupt_fd,
	  struct pool *pool, struct artifact *artifact, struct error *err)
{
	AUTO_CACHE cache = CACHE_INIT;
	AUTO_PARTIAL partial = PARTIAL_INIT;
	AUTO_SINK sink = { .fd = -1, .interrupt_fd = interrupt_fd, .follower = FOLLOWER_INIT };
	struct delivery delivery = { 0 };
	struct url url;
	int bad;

	*artifact = (struct artifact)ARTIFACT_INIT;
	if (url_parse(source->url, source->filename, pool, &url, err))
		return -1;
	if (!url.path && !options->no_cache && options->cache_dir)
		cache_open(&cache, options->cache_dir, wanted);
	if (from_cache(&cache, &url, wanted, artifact))
		return 0;
	if (open_partial(&partial, target, &cache, &url, wanted, interrupt_fd, pool, err))
		return -1;
	if (from_cache(&cache, &url, wanted, artifact)) { /* another one brought it meanwhile */
		partial_abandon(&partial);
		return 0;
	}
	if (partial.waited && target->look_again) {
		if (!partial.bytes)
			partial_abandon(&partial);
		artifact->waited = true;
		return 0;
	}
	sink.safe = url.safe;
	sink.max_bytes =
		options->max_bytes < ARTIFACT_BYTES_MAX ? options->max_bytes : ARTIFACT_BYTES_MAX;
	bad = bring(source, &url, wanted, options, &partial, &sink, pool, &delivery, err);
	describe(&url, &sink, &delivery, artifact);
	if (bad || finish(&partial, &sink, artifact, err)) {
		artifact_release(artifact);
		if (!partial.state || !sink.bytes || !delivery.worth_keeping)
			partial_abandon(&partial);
		return -1;
	}
	if (cache.fd >= 0)
		artifact->cache_fd = artifact->directory_fd = take_fd(&cache.type_fd);
	return 0;
}

int fetch_keep(const struct artifact *artifact, const struct checksum *proved,
	       const struct fetch_options *options, struct verified *verified, struct error *err)
{
	AUTO_CACHE cache = CACHE_INIT;

	if (artifact->cache_fd < 0)
		return 0;
	cache_open(&cache, options->cache_dir, proved);
	if (cache.fd < 0 || cache_keep(&cache, verified->fd, verified->temporary, err))
		return cache.fd < 0 ? 0 : -1;
	verified->temporary = NULL;
	cache_trim(&cache, options->cache_max_bytes);
	return 0;
}

void fetch_discard(const struct artifact *artifact)
{
	if (artifact->temporary)
		unlinkat(artifact->directory_fd, artifact->temporary, 0);
}

const char *fetch_safe_source(const char *source, struct pool *pool)
{
	return url_redact(source, pool);
}

void artifact_release(struct artifact *artifact)
{
	drop_fd(&artifact->fd);
	drop_fd(&artifact->lock_fd);
	drop_fd(&artifact->cache_fd);
}
