/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the connections of a download. Runs in the launcher as root, or in `fetch` as anyone, in
 * one thread. A hostile server decides how fast and on how many connections bytes come; their
 * number and the map of blocks are bounded.
 *
 * The first connection asks for everything from the byte that was reached. Once a server has proved
 * that it can go on anywhere in the same file, others take blocks ahead of it, one at a time; when
 * the first one comes to a block that somebody has been to, it ends and takes blocks like the
 * others. What has no gap before it is digested as it grows.
 */
#include "fetch/download.h"

#define POLL_MS 250
#define CONNECTIONS_MAX 8
#define GROW_EVERY_MS 1000
#define GROW_LEFT_BYTES (32ULL << 20) /* no other connection for less than that */
#define GROW_PERCENT 15 /* faster by at least that, or the last connection was one too many */

struct connections {
	struct download *download;
	CURLM *multi;
	struct transfer *v[CONNECTIONS_MAX]; /* NULL: free */
	unsigned int n, wanted;
	bool settled; /* no more are tried */
	int64_t looked_ms;
	uint64_t looked_bytes,
		rate; /* received at that time; a second, before the last was added */
};

static int libcurl_failed(struct connections *connections, CURLMcode code)
{
	struct download *download = connections->download;

	download->failed = true;
	return error_set(download->err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": libcurl: %s",
			 download->sink->safe, download->request->api->multi_strerror(code));
}

static int add(struct connections *connections, uint64_t from, uint64_t end, size_t held)
{
	const struct curl_api *api = connections->download->request->api;
	struct transfer *transfer = transfer_new(connections->download, from, end);
	size_t i = 0;
	CURLMcode bad;

	if (!transfer) {
		connections->download->failed = true;
		return -1;
	}
	bad = api->multi_add_handle(connections->multi, transfer->easy);
	if (bad) {
		transfer_free(transfer);
		return libcurl_failed(connections, bad);
	}
	transfer->held = held;
	while (connections->v[i])
		i++;
	connections->v[i] = transfer;
	connections->n++;
	return 0;
}

static void drop(struct connections *connections, size_t i)
{
	struct transfer *transfer = connections->v[i];

	if (!transfer)
		return;
	connections->download->request->api->multi_remove_handle(connections->multi,
								 transfer->easy);
	transfer_free(transfer);
	connections->v[i] = NULL;
	connections->n--;
}

/* From one stream to blocks: what came so far is written, and how far it is noted down. */
static int divide(struct connections *connections, struct transfer *first, struct pool *pool)
{
	struct download *download = connections->download;

	if (transfer_flush(first) ||
	    partial_note(download->partial, download->sink->bytes, download->err)) {
		download->failed = true;
		return -1;
	}
	if (blocks_begin(&download->blocks, download->partial->validator.total,
			 download->sink->bytes, pool)) {
		download->failed = true;
		return pool_error(download->err, STAGE_FETCH);
	}
	first->held = blocks_take_at(&download->blocks, first->at, &first->end);
	if (first->held == BLOCK_NONE)
		first->end = first->at; /* there is nothing for it to go on with */
	return 0;
}

/* Whether another connection may be of use, and is allowed. */
static bool may_divide(const struct connections *connections)
{
	const struct download *download = connections->download;
	const struct validator *validator = &download->partial->validator;

	return download->ranges && validator->total &&
	       (*validator->etag || download->request->provable) &&
	       validator->total > download->sink->bytes &&
	       validator->total - download->sink->bytes > GROW_LEFT_BYTES &&
	       !download->request->options->limit_rate_bytes;
}

/* Once in a while: was it right to add the last one, and shall there be one more? */
static int consider(struct connections *connections, struct pool *pool)
{
	struct download *download = connections->download;
	int64_t now = clock_ms(), took_ms = now - connections->looked_ms;
	struct transfer *first = connections->v[0];
	uint64_t rate;

	if (took_ms < GROW_EVERY_MS || connections->settled || !first || !first->answered)
		return 0;
	rate = (download->received_bytes - connections->looked_bytes) * 1000 / (uint64_t)took_ms;
	connections->looked_ms = now;
	connections->looked_bytes = download->received_bytes;
	if (connections->wanted > 1 && rate * 100 < connections->rate * (100 + GROW_PERCENT)) {
		connections->wanted--;
		connections->settled = true;
		return 0;
	}
	if (connections->wanted >= download->request->options->connections ||
	    connections->wanted == CONNECTIONS_MAX || !may_divide(connections)) {
		connections->settled = connections->wanted > 1;
		return 0;
	}
	if (!download->blocks.v && divide(connections, first, pool))
		return -1;
	connections->rate = rate;
	connections->wanted++;
	return 0;
}

/* Gives every connection that is wanted a block. */
static int fill(struct connections *connections)
{
	struct download *download = connections->download;
	uint64_t from, end;
	size_t block;

	while (download->blocks.v && connections->n < connections->wanted) {
		block = blocks_take(&download->blocks, &from, &end);
		if (block == BLOCK_NONE)
			return 0;
		if (add(connections, from, end, block))
			return -1;
	}
	return 0;
}

/* Where the transfer with this handle is. */
static size_t find(const struct connections *connections, const CURL *easy)
{
	size_t i = 0;

	while (i < CONNECTIONS_MAX && (!connections->v[i] || connections->v[i]->easy != easy))
		i++;
	return i;
}

/*
 * One that broke off, or was refused, while others go on is not missed: its block goes back, and
 * there will be fewer connections.
 */
static enum outcome end_one(struct connections *connections, const CURLMsg *message,
			    struct pool *pool, struct attempt *attempt)
{
	struct download *download = connections->download;
	size_t i = find(connections, message->easy_handle);
	struct transfer *transfer = i < CONNECTIONS_MAX ? connections->v[i] : NULL;
	enum outcome outcome;

	if (!transfer)
		return OUTCOME_RUNNING;
	outcome = transfer_judge(transfer, message->data.result, pool);
	attempt->location = transfer->location;
	attempt->retry_after_ms = transfer->retry_after_ms;
	blocks_give_back(&download->blocks, transfer->held);
	if (download->blocks.v && outcome == OUTCOME_DONE &&
	    partial_note(download->partial, download->sink->bytes, download->err)) {
		download->failed = true;
		outcome = OUTCOME_FAILED;
	}
	drop(connections, i);
	if (outcome == OUTCOME_DONE)
		return download->blocks.v ? OUTCOME_RUNNING : OUTCOME_DONE;
	if (download->failed || !connections->n)
		return outcome;
	connections->wanted = connections->n;
	connections->settled = true;
	return OUTCOME_RUNNING;
}

static enum outcome end_all(struct connections *connections, struct pool *pool,
			    struct attempt *attempt)
{
	const struct curl_api *api = connections->download->request->api;
	enum outcome outcome = OUTCOME_RUNNING;
	const CURLMsg *message;
	int left;

	while (outcome == OUTCOME_RUNNING &&
	       (message = api->multi_info_read(connections->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			outcome = end_one(connections, message, pool, attempt);
	return outcome;
}

/* Waits for the network or a signal, at most a moment. */
static int wait_for_more(struct connections *connections)
{
	struct download *download = connections->download;
	struct curl_waitfd wait = { .fd = download->sink->interrupt_fd,
				    .events = CURL_WAIT_POLLIN };
	CURLMcode bad = download->request->api->multi_poll(connections->multi, &wait, wait.fd >= 0,
							   POLL_MS, NULL);

	if (bad)
		return libcurl_failed(connections, bad);
	if (wait.revents && sink_interrupted(download->sink, 0, download->err)) {
		download->failed = true;
		return -1;
	}
	progress_show(&download->sink->progress, download->sink->bytes,
		      download->partial->validator.total);
	return 0;
}

static enum outcome all_is_there(const struct download *download)
{
	uint64_t total = download->partial->validator.total;

	if (download->sink->bytes == total)
		return OUTCOME_DONE;
	error_set(download->err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": %llu of %llu bytes came",
		  download->sink->safe, (unsigned long long)download->sink->bytes,
		  (unsigned long long)total);
	return OUTCOME_TRY_AGAIN;
}

static enum outcome drive(struct connections *connections, struct pool *pool,
			  struct attempt *attempt)
{
	struct download *download = connections->download;
	const struct curl_api *api = download->request->api;

	for (;;) {
		int running;
		CURLMcode bad = api->multi_perform(connections->multi, &running);
		enum outcome outcome;

		if (bad) {
			libcurl_failed(connections, bad);
			return OUTCOME_FAILED;
		}
		outcome = end_all(connections, pool, attempt);
		if (outcome != OUTCOME_RUNNING)
			return outcome;
		if (consider(connections, pool) || fill(connections))
			return OUTCOME_FAILED;
		if (connections->n > attempt->connections)
			attempt->connections = connections->n;
		if (!connections->n) /* nothing runs, and no block is left */
			return all_is_there(download);
		if (wait_for_more(connections))
			return OUTCOME_FAILED;
	}
}

enum outcome download_run(struct download *download, struct pool *pool, struct attempt *attempt)
{
	const struct curl_api *api = download->request->api;
	struct connections connections = { .download = download,
					   .multi = api->multi_init(),
					   .wanted = 1,
					   .looked_ms = clock_ms() };
	enum outcome outcome = OUTCOME_FAILED;

	*attempt = (struct attempt){ 0 };
	download->blocks = (struct blocks){ 0 };
	if (!connections.multi)
		pool_error(download->err, STAGE_FETCH);
	else if (sink_cut(download->sink, download->err))
		download->failed =
			true; /* what an attempt before wrote ahead is not to be counted */
	else if (add(&connections, download->sink->bytes, UINT64_MAX, BLOCK_NONE) == 0)
		outcome = drive(&connections, pool, attempt);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		drop(&connections, i);
	api->multi_cleanup(connections.multi);
	return outcome;
}
