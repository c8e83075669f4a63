/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http and https sources: which URL is asked next, and when again. Runs in the launcher as root, or
 * in `fetch` as anyone. A hostile server chooses where a redirect leads, at most ten times, and how
 * often it fails, as many times as the user allows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "fetch/download.h"
#include "fetch/redirect.h"
#include "fetch/s3.h"

#define REDIRECTS_MAX 10
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 30000
#define PROGRESS_BYTES (1 << 20)

/* Everything that the attempts at one source have in common. */
struct job {
	struct curl_api api;
	const struct url *url;
	const struct source *source;
	const struct fetch_options *options;
	CURLU *first;
	struct curl_slist *headers;
	struct download *download;
	struct pool *pool;
	struct delivery *delivery;
	struct error *err;
	uint64_t deadline_ms;
	bool provable;
	unsigned int failures; /* since something came */
	bool may_pass;         /* the last attempt failed of what may be over later */
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
		bool same_origin;

		if (redirect_check(&job->api, at, job->options, sink, job->pool, job->err))
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
		if (redirect_follow(&job->api, at, attempt->location, sink, job->pool, &same_origin,
				    job->err))
			return OUTCOME_FAILED;
		/* A signature is for one URL. */
		request.first_origin &= same_origin && !job->url->s3;
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

/* Those of the user, and those that sign this one attempt. */
static int make_headers(struct job *job)
{
	struct s3_credentials credentials;
	struct strings headers = { 0 };

	job->api.slist_free_all(job->headers);
	job->headers = NULL;
	for (size_t i = 0; i < job->source->headers.n; i++)
		if (add_header(job, job->source->headers.v[i]))
			return -1;
	if (!job->url->s3)
		return 0;
	if (s3_find_credentials(job->url->s3, job->pool, &credentials, job->err) ||
	    s3_sign(job->url->s3, &credentials, time(NULL), job->pool, &headers, job->err))
		return -1;
	for (size_t i = 0; i < headers.n; i++)
		if (add_header(job, headers.v[i]))
			return -1;
	return 0;
}

/* One attempt begins at the source's own URL: what a redirect led to may not be valid for long. */
static enum outcome try_once(struct job *job, struct attempt *attempt)
{
	struct download *download = job->download;
	CURLU *at = job->api.url_dup(job->first);
	enum outcome outcome = OUTCOME_FAILED;

	*attempt = (struct attempt){ 0 };
	download->sink->safe = job->url->safe;
	if (!at)
		pool_error(job->err, STAGE_FETCH);
	else if (make_headers(job) == 0)
		outcome = follow(job, at, attempt);
	job->api.url_cleanup(at);
	if (outcome == OUTCOME_FAILED && job->url->s3)
		s3_explain_region(job->url->s3, download->bucket_region, job->err);
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
	unsigned int attempts = job->failures;
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

/* One that brought something was no failure in vain: the patience is as at the beginning. */
static void count_failure(struct job *job, uint64_t bytes_before)
{
	if (job->download->sink->bytes >= bytes_before + PROGRESS_BYTES)
		job->failures = 0;
	job->failures++;
}

static int try_all(struct job *job)
{
	for (;;) {
		uint64_t before = job->download->sink->bytes;
		struct attempt attempt;
		enum outcome outcome;

		job->delivery->attempts++;
		outcome = try_once(job, &attempt);
		if (outcome == OUTCOME_DONE)
			return 0;
		job->may_pass = outcome != OUTCOME_FAILED && !job->download->failed;
		if (!job->may_pass)
			return -1;
		count_failure(job, before);
		if (job->failures > job->options->retries)
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

static int refuse(struct job *job, const char *problem)
{
	return error_set_kind(job->err, STAGE_FETCH, ERROR_USAGE, 0,
			      "artifact source " URL_FORMAT ": %s", job->url->safe, problem);
}

static int prepare(struct job *job)
{
	unsigned int flags = job->url->s3 ? CURLU_PATH_AS_IS : 0;
	char *port = NULL;
	CURLUcode bad;

	job->first = job->api.url();
	bad = job->first ? job->api.url_set(job->first, CURLUPART_URL, job->url->text, flags) :
			   CURLUE_OUT_OF_MEMORY;
	if (bad)
		return refuse(job, job->api.url_strerror(bad));
	bad = job->api.url_get(job->first, CURLUPART_PORT, &port, 0);
	if (!bad && strspn(port, "0") == strlen(port))
		bad = CURLUE_BAD_PORT_NUMBER;
	job->api.free(port);
	if (bad == CURLUE_BAD_PORT_NUMBER)
		return refuse(job, "there is no port 0");
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
			   .source = source,
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
	bad = prepare(&job) || prepare_next(&job, false);
	download.resumed_from = sink->bytes;
	bad = bad || try_all(&job);
	/* Neither a full disk nor a server that will say no again is a reason to keep it. */
	delivery->worth_keeping =
		may_resume(&job) && (job.may_pass || err->kind == ERROR_INTERRUPTED);
	delivery->resumed_from = download.resumed_from;
	delivery->resumed_unproven = download.resumed_unproven;
	delivery->status = download.status;
	job.api.url_cleanup(job.first);
	job.api.slist_free_all(job.headers);
	return bad ? -1 : 0;
}
