/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET through libcurl. Runs in the launcher as root, or in `fetch` as anyone. The server and
 * all between are hostile: they choose status, headers, lengths, timing and bytes; each of these
 * has a limit, and only the body of a status 200, or of a 206 that goes on exactly where it was
 * asked to, is ever written. A handle serves one request, so that nothing is carried from one
 * server to the next.
 */
#include "fetch/transfer.h"

#include <errno.h>
#include <string.h>

#define HEADER_LINES_MAX 300
#define HEADER_BYTES_MAX (256 << 10)

static enum outcome fail(struct transfer *transfer)
{
	transfer->download->failed = true;
	return OUTCOME_FAILED;
}

/* The first connection goes on into the next block as long as nobody else was there. */
static bool next_block(struct transfer *transfer)
{
	struct blocks *blocks = &transfer->download->blocks;

	if (!blocks->v || transfer->at == blocks->total)
		return false;
	if (!transfer->open_ended)
		return false;
	transfer->held = blocks_take_at(blocks, transfer->at, &transfer->end);
	return transfer->held != BLOCK_NONE;
}

/* Appends, or with several connections writes where it belongs, and counts what has no gap any
 * more. */
int transfer_flush(struct transfer *transfer)
{
	struct download *download = transfer->download;
	struct sink *sink = download->sink;
	size_t size = transfer->filled;
	uint64_t at = transfer->at, whole;

	transfer->filled = 0;
	if (!size)
		return 0;
	transfer->at += size;
	if (at == sink->bytes ? sink_write(sink, transfer->block, size, download->err) :
				sink_write_at(sink, transfer->block, size, at, download->err))
		return -1;
	if (!download->blocks.v)
		return 0;
	blocks_fill(&download->blocks, at, size);
	whole = blocks_whole(&download->blocks, sink->bytes);
	if (whole > sink->bytes)
		sink_advance(sink, whole);
	return 0;
}

/* Takes as much of the data as fits before the end of the block; 0: there is no place any more. */
static size_t put(struct transfer *transfer, const char *data, size_t size)
{
	uint64_t left = transfer->end - transfer->at - transfer->filled;
	size_t room = TRANSFER_BLOCK_BYTES - transfer->filled;

	size = size < room ? size : room;
	size = size < left ? size : (size_t)left;
	memcpy(transfer->block + transfer->filled, data, size);
	transfer->filled += size;
	transfer->download->received_bytes += size;
	if (transfer->filled == TRANSFER_BLOCK_BYTES || size == left)
		if (transfer_flush(transfer)) {
			fail(transfer);
			return 0;
		}
	return size;
}

/*
 * Returning less than it was given ends the transfer: the body of an answer that is no success is
 * not even waited for.
 */
size_t transfer_take_body(char *data, size_t one, size_t size, void *context)
{
	struct transfer *transfer = context;
	size_t taken = 0, n;

	(void)one;
	if (!transfer->answered && answer_accept(transfer))
		return 0;
	if (size > transfer->left) {
		error_set(transfer->download->err, STAGE_FETCH, 0,
			  "fetch " URL_FORMAT ": the server sends more than it announced",
			  transfer->download->sink->safe);
		fail(transfer);
		return 0;
	}
	transfer->left -= transfer->left == UINT64_MAX ? 0 : size;
	while (taken < size) {
		if (transfer->at == transfer->end && !transfer->filled && !next_block(transfer)) {
			transfer->stopped = true;
			return 0;
		}
		n = put(transfer, data + taken, size - taken);
		if (!n)
			return 0;
		taken += n;
	}
	return size;
}

/* Only counts: also interim answers and trailers, of which a server could send without end. */
size_t transfer_take_header(char *line, size_t one, size_t size, void *context)
{
	struct transfer *transfer = context;

	(void)line;
	(void)one;
	transfer->header_bytes += size;
	if (++transfer->header_lines > HEADER_LINES_MAX ||
	    transfer->header_bytes > HEADER_BYTES_MAX) {
		error_set(transfer->download->err, STAGE_FETCH, 0,
			  "fetch " URL_FORMAT
			  ": the server sent more than %d header lines or %d KiB of them",
			  transfer->download->sink->safe, HEADER_LINES_MAX, HEADER_BYTES_MAX >> 10);
		fail(transfer);
		return 0;
	}
	return size;
}

/*
 * libcurl's own words where they say more than the code; not where they may quote a proxy with its
 * password (7.88: connect).
 */
static const char *reason(const struct transfer *transfer, CURLcode code)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY: /* what 7.88 calls a header line that is too long */
		return "out of memory, or a header line of more than 100 KiB";
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, or a libcurl without TLS */
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return *transfer->detail ? transfer->detail :
					   transfer->download->request->api->easy_strerror(code);
	default:
		return transfer->download->request->api->easy_strerror(code);
	}
}

/* What may be gone when it is tried again; a name that does not exist, or TLS that fails, stays. */
static bool may_pass(const struct transfer *transfer, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return !transfer->obstacle;
	case CURLE_SSL_CONNECT_ERROR: {
		long errnum = 0;

		transfer->download->request->api->easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO,
							       &errnum);
		return errnum == ECONNRESET || errnum == EPIPE;
	}
	case CURLE_OPERATION_TIMEDOUT: {
		uint64_t deadline = transfer->download->request->deadline_ms;

		return !deadline || (uint64_t)clock_ms() < deadline;
	}
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return true;
	default:
		return false;
	}
}

static enum outcome explain(struct transfer *transfer, CURLcode code)
{
	struct download *download = transfer->download;
	long errnum = 0;

	if (code == CURLE_COULDNT_CONNECT && transfer->obstacle) {
		error_set(download->err, STAGE_FETCH, 0,
			  "fetch " URL_FORMAT ": its address is refused: %s", download->sink->safe,
			  transfer->obstacle);
		return OUTCOME_FAILED;
	}
	if (code == CURLE_COULDNT_CONNECT)
		download->request->api->easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &errnum);
	error_set(download->err, STAGE_FETCH, (int)errnum, "fetch " URL_FORMAT ": %s",
		  download->sink->safe, reason(transfer, code));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		error_remedy(download->err, "see --cacert");
	return may_pass(transfer, code) ? OUTCOME_TRY_AGAIN : OUTCOME_FAILED;
}

/* The body ended as libcurl thinks it should: is it what was asked for? */
static enum outcome judge_end(struct transfer *transfer)
{
	const struct download *download = transfer->download;
	uint64_t total = download->partial->validator.total;
	uint64_t end = transfer->end == UINT64_MAX ? total : transfer->end;

	if (!end || transfer->at == end)
		return OUTCOME_DONE;
	error_set(download->err, STAGE_FETCH, 0,
		  "fetch " URL_FORMAT ": %llu bytes came, the server announced %llu",
		  download->sink->safe, (unsigned long long)transfer->at, (unsigned long long)end);
	return OUTCOME_TRY_AGAIN;
}

enum outcome transfer_judge(struct transfer *transfer, CURLcode code, struct pool *pool)
{
	struct download *download = transfer->download;
	enum outcome outcome;

	if (download->failed)
		return OUTCOME_FAILED;
	if (transfer_flush(transfer)) /* also of what broke off: it is gone on from there */
		return fail(transfer);
	if (transfer->stopped)
		return OUTCOME_DONE;
	if (transfer->refused)
		return OUTCOME_RESTART;
	outcome = answer_judge(transfer, pool);
	if (outcome != OUTCOME_DONE || transfer->stopped)
		return outcome;
	if (code)
		return explain(transfer, code);
	if (!transfer->answered && answer_accept(transfer)) /* a body without a byte */
		return transfer->refused ? OUTCOME_RESTART : fail(transfer);
	return judge_end(transfer);
}
