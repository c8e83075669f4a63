/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http and https sources: which URL is asked next, and when again. Runs in the launcher as root, or
 * in `fetch` as anyone. A hostile server chooses where a redirect leads: at most ten times, only to
 * http and https, never from https back to http, and credentials and headers go to no other origin
 * than the one they were given for. libcurl's parser alone reads URLs here, so that what is judged
 * is what is asked.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/log.h"
#include "fetch/download.h"
#include "fetch/policy.h"

#define REDIRECTS_MAX 10
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 30000

struct place {
	const char *scheme, *host, *port, *user, *password;
};

/* A part of a URL; "" when it is not there. */
static int read_part(const struct curl_api *api, CURLU *url, CURLUPart part, unsigned int flags,
		     struct pool *pool, const char **value)
{
	char *text = NULL;
	CURLUcode bad = api->url_get(url, part, &text, flags);

	*value = bad == CURLUE_OUT_OF_MEMORY ? NULL : pool_strdup(pool, bad ? "" : text);
	api->free(text);
	return *value ? 0 : -1;
}

static int read_place(const struct curl_api *api, CURLU *url, struct pool *pool,
		      struct place *place)
{
	return read_part(api, url, CURLUPART_SCHEME, 0, pool, &place->scheme) ||
			       read_part(api, url, CURLUPART_HOST, 0, pool, &place->host) ||
			       read_part(api, url, CURLUPART_PORT, CURLU_DEFAULT_PORT, pool,
					 &place->port) ||
			       read_part(api, url, CURLUPART_USER, 0, pool, &place->user) ||
			       read_part(api, url, CURLUPART_PASSWORD, 0, pool, &place->password) ?
		       -1 :
		       0;
}

static bool same_origin(const struct place *a, const struct place *b)
{
	return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       strcasecmp(a->port, b->port) == 0;
}

/* Credentials in a redirect are the server's, not the user's: they go in any case. */
static CURLUcode set_credentials(const struct curl_api *api, CURLU *url, const struct place *from)
{
	const char *user = from && *from->user ? from->user : NULL;
	const char *password = from && *from->password ? from->password : NULL;
	CURLUcode bad = api->url_set(url, CURLUPART_USER, user, 0);

	bad = bad ? bad : api->url_set(url, CURLUPART_PASSWORD, password, 0);
	return bad ? bad : api->url_set(url, CURLUPART_OPTIONS, NULL, 0);
}

/*
 * An address in the URL itself is judged here too: behind a proxy, nothing is connected to that
 * could be.
 */
static int check_address(const struct fetch_options *options, const char *host,
			 const struct sink *sink, struct error *err)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	char bare[64];
	const char *obstacle = NULL;

	snprintf(bare, sizeof(bare), "%s", *host == '[' ? host + 1 : host);
	bare[strcspn(bare, "]%")] = '\0';
	if (inet_pton(AF_INET, bare, &ipv4.sin_addr) == 1)
		obstacle = policy_obstacle((const struct sockaddr *)&ipv4, options->allow_metadata,
					   options->deny_private);
	else if (inet_pton(AF_INET6, bare, &ipv6.sin6_addr) == 1)
		obstacle = policy_obstacle((const struct sockaddr *)&ipv6, options->allow_metadata,
					   options->deny_private);
	return obstacle ? error_set(err, STAGE_FETCH, 0,
				    "fetch " URL_FORMAT ": its address is refused: %s", sink->safe,
				    obstacle) :
			  0;
}

/*
 * Turns the URL that was asked into the one that the Location of its answer leads to; *same_place:
 * that is the same origin.
 */
static int redirect(const struct curl_api *api, CURLU *at, const char *location, struct sink *sink,
		    struct pool *pool, bool *same_place, struct error *err)
{
	struct place here, there;
	const char *text, *safe;
	CURLUcode bad;

	*same_place = false;
	if (read_place(api, at, pool, &here))
		return pool_error(err, STAGE_FETCH);
	bad = api->url_set(at, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
	if (bad)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to a URL that is wrong: %s",
				 sink->safe, api->url_strerror(bad));
	if (read_place(api, at, pool, &there) ||
	    set_credentials(api, at, (*same_place = same_origin(&here, &there)) ? &here : NULL) ||
	    read_part(api, at, CURLUPART_URL, 0, pool, &text) || !(safe = url_redact(text, pool)))
		return pool_error(err, STAGE_FETCH);
	if (strcasecmp(there.scheme, "http") != 0 && strcasecmp(there.scheme, "https") != 0)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to " URL_FORMAT
				 ": only http and https are followed",
				 sink->safe, safe);
	if (strcasecmp(here.scheme, "https") == 0 && strcasecmp(there.scheme, "https") != 0)
		return error_set(err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": redirected to " URL_FORMAT
				 ": never from https to http",
				 sink->safe, safe);
	sink->safe = safe;
	return 0;
}

/* Everything that the attempts at one source have in common. */
struct job {
	struct curl_api api;
	const struct url *url;
	const struct fetch_options *options;
	CURLU *first;
	struct curl_slist *headers;
	struct download *download;
	struct pool *pool;
	struct delivery *delivery;
	struct error *err;
	uint64_t deadline_ms;
	bool provable;
};

/* The URL `at`, or what it redirects to, which it becomes. */
static enum outcome follow(struct job *job, CURLU *at, struct attempt *attempt)
{
	struct request request = { .api = &job->api,
				   .options = job->options,
				   .url = at,
				   .first_origin = true,
				   .headers = job->headers,
				   .deadline_ms = job->deadline_ms,
				   .provable = job->provable };
	struct sink *sink = job->download->sink;
	enum outcome outcome;

	job->download->request = &request;
	for (int redirects = 0;; redirects++) {
		const char *host;
		bool same_place;

		if (read_part(&job->api, at, CURLUPART_HOST, 0, job->pool, &host)) {
			pool_error(job->err, STAGE_FETCH);
			return OUTCOME_FAILED;
		}
		if (check_address(job->options, host, sink, job->err))
			return OUTCOME_FAILED;
		outcome = download_run(job->download, job->pool, attempt);
		if (attempt->connections > job->delivery->connections)
			job->delivery->connections = attempt->connections;
		if (outcome != OUTCOME_REDIRECT)
			return outcome;
		if (redirects == REDIRECTS_MAX) {
			error_set(job->err, STAGE_FETCH, 0,
				  "fetch " URL_FORMAT ": more than %d redirects", sink->safe,
				  REDIRECTS_MAX);
			return OUTCOME_FAILED;
		}
		if (redirect(&job->api, at, attempt->location, sink, job->pool, &same_place,
			     job->err))
			return OUTCOME_FAILED;
		request.first_origin = request.first_origin && same_place;
	}
}

/* One attempt begins at the source's own URL: what a redirect led to may not be valid for long. */
static enum outcome try_once(struct job *job, struct attempt *attempt)
{
	struct download *download = job->download;
	CURLU *at = job->api.url_dup(job->first);
	enum outcome outcome = OUTCOME_FAILED;

	*attempt = (struct attempt){ 0 };
	download->sink->safe = job->url->safe;
	if (at)
		outcome = follow(job, at, attempt);
	else
		pool_error(job->err, STAGE_FETCH);
	job->api.url_cleanup(at);
	job->delivery->final_url = download->sink->safe;
	if (outcome != OUTCOME_DONE && download->sink->safe != job->url->safe)
		error_prefix(job->err, "artifact source " URL_FORMAT, job->url->safe);
	return outcome;
}

/* Twice as long each time, a little more or less so that many do not come back at once. */
static uint64_t backoff_ms(unsigned int attempts)
{
	uint64_t ms = attempts > 7 ? BACKOFF_MAX_MS : (uint64_t)BACKOFF_FIRST_MS << (attempts - 1);
	uint16_t chance = 0;

	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	if (getrandom(&chance, sizeof(chance), 0) < 0)
		return ms;
	return ms * 3 / 4 + ms / 2 * chance / UINT16_MAX;
}

static int pause_before_next(struct job *job, const struct attempt *attempt)
{
	unsigned int attempts = job->delivery->attempts;
	uint64_t ms = attempt->retry_after_ms ? attempt->retry_after_ms : backoff_ms(attempts);
	int64_t until = clock_ms() + (int64_t)ms;

	progress_hide(&job->download->sink->progress);
	log_warn("%s; trying again in %.1f s (%u of %llu)", job->err->text, (double)ms / 1000,
		 attempts, (unsigned long long)job->options->retries);
	if (job->deadline_ms && (uint64_t)until >= job->deadline_ms)
		return error_remedy(job->err, "there is no time to try again: see --timeout");
	for (int64_t left; (left = until - clock_ms()) > 0;)
		if (sink_interrupted(job->download->sink, (int)left, job->err))
			return -1;
	return 0;
}

/* Whether what is in the sink may be gone on with by asking for the rest. */
static bool may_resume(const struct job *job)
{
	const struct download *download = job->download;

	return *download->partial->validator.etag || job->provable;
}

/* Leaves in the sink what the next attempt goes on from. */
static int prepare_next(struct job *job, bool anew)
{
	struct download *download = job->download;
	uint64_t bytes = anew || !may_resume(job) ? 0 : download->sink->bytes;

	if (bytes == download->sink->bytes && !download->blocks.v)
		return 0;
	if (!bytes)
		download->partial->validator = (struct validator){ 0 };
	return bytes == download->sink->bytes ? sink_cut(download->sink, job->err) :
						sink_begin(download->sink, bytes, job->err);
}

static int try_all(struct job *job)
{
	for (;;) {
		struct attempt attempt;
		enum outcome outcome;

		job->delivery->attempts++;
		outcome = try_once(job, &attempt);
		if (outcome == OUTCOME_DONE)
			return 0;
		if (outcome == OUTCOME_FAILED || job->download->failed)
			return -1;
		if (job->delivery->attempts > job->options->retries)
			return job->delivery->attempts == 1 ?
				       -1 :
				       error_remedy(job->err, "given up after %u attempts",
						    job->delivery->attempts);
		if (outcome == OUTCOME_RESTART)
			log_info("%s; beginning anew", job->err->text);
		else if (pause_before_next(job, &attempt))
			return -1;
		if (prepare_next(job, outcome == OUTCOME_RESTART))
			return -1;
	}
}

/* "NAME: VALUE", as it is sent; without a value the colon becomes what libcurl takes for "empty".
 */
static int add_header(struct job *job, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *value = colon + 1 + strspn(colon + 1, " \t");
	const char *text =
		*value ? line : pool_printf(job->pool, "%.*s;", (int)(colon - line), line);
	struct curl_slist *longer = text ? job->api.slist_append(job->headers, text) : NULL;

	if (!longer)
		return pool_error(job->err, STAGE_FETCH);
	job->headers = longer;
	return 0;
}

static int prepare(struct job *job, const struct source *source)
{
	CURLUcode bad;

	for (size_t i = 0; i < source->headers.n; i++)
		if (add_header(job, source->headers.v[i]))
			return -1;
	job->first = job->api.url();
	bad = job->first ? job->api.url_set(job->first, CURLUPART_URL, job->url->text, 0) :
			   CURLUE_OUT_OF_MEMORY;
	if (bad)
		return error_set_kind(job->err, STAGE_FETCH, ERROR_USAGE, 0,
				      "artifact source " URL_FORMAT ": %s", job->url->safe,
				      job->api.url_strerror(bad));
	if (job->options->timeout_ms)
		job->deadline_ms = (uint64_t)clock_ms() + job->options->timeout_ms;
	return 0;
}

int fetch_http(const struct url *url, const struct source *source, bool provable,
	       const struct fetch_options *options, struct partial *partial, struct sink *sink,
	       struct pool *pool, struct delivery *delivery, struct error *err)
{
	struct download download = { .sink = sink, .partial = partial, .err = err };
	struct job job = { .url = url,
			   .options = options,
			   .download = &download,
			   .pool = pool,
			   .delivery = delivery,
			   .err = err,
			   .provable = provable };
	int bad;

	*delivery = (struct delivery){ 0 };
	if (curl_open(&job.api, err))
		return -1;
	bad = prepare(&job, source) || prepare_next(&job, false);
	download.resumed_from = sink->bytes;
	bad = bad || try_all(&job);
	delivery->resumed_from = download.resumed_from;
	delivery->resumed_unproven = download.resumed_unproven;
	delivery->status = download.status;
	job.api.url_cleanup(job.first);
	job.api.slist_free_all(job.headers);
	return bad ? -1 : 0;
}
