/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET through libcurl, watched for a signal. Runs in the launcher as root. The server and all
 * between are hostile: they choose status, headers, lengths, timing and bytes; each of these has a
 * limit, and only the body of a status 200 is ever written. A handle serves one request, so that
 * nothing is carried from one server to the next.
 */
#include "fetch/transfer.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* libcurl hands over at most 16 KiB at once: gathered, a write is worth its system call. */
#define BLOCK_BYTES (256 << 10)
#define HEADER_LINES_MAX 300
#define HEADER_BYTES_MAX (256 << 10)
#define POLL_MS 1000 /* only a net below curl's own timers */

struct transfer {
	const struct curl_api *api;
	CURL *easy;
	struct sink *sink;
	struct error *err;
	bool failed; /* a callback has set *err */
	bool body_allowed;
	unsigned int header_lines;
	size_t header_bytes, filled;
	char detail[CURL_ERROR_SIZE];
	char block[BLOCK_BYTES];
};

static long status_of(const struct transfer *transfer)
{
	long status = 0;

	transfer->api->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/*
 * Whether the answer has an encoding that changes the bytes; a libcurl that cannot tell counts as
 * yes.
 */
static bool is_encoded(const struct transfer *transfer)
{
	for (size_t i = 0;; i++) {
		struct curl_header *header;
		CURLHcode bad = transfer->api->easy_header(transfer->easy, "Content-Encoding", i,
							   CURLH_HEADER, -1, &header);

		if (bad == CURLHE_MISSING || bad == CURLHE_NOHEADERS || bad == CURLHE_BADINDEX)
			return false;
		if (bad || strcasecmp(header->value, "identity") != 0)
			return true;
	}
}

static int flush(struct transfer *transfer)
{
	size_t size = transfer->filled;

	transfer->filled = 0;
	return sink_write(transfer->sink, transfer->block, size, transfer->err);
}

/* The length that the server announced; -1: none. */
static curl_off_t announced(const struct transfer *transfer)
{
	curl_off_t length = -1;

	transfer->api->easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

/* Whether the body may come in: looked at once, when its first bytes are there. */
static bool allow_body(struct transfer *transfer)
{
	curl_off_t length = announced(transfer);

	if (transfer->body_allowed)
		return true;
	if (status_of(transfer) != 200 || is_encoded(transfer))
		return false;
	if (length > 0 && sink_expect(transfer->sink, (uint64_t)length, transfer->err)) {
		transfer->failed = true;
		return false;
	}
	transfer->body_allowed = true;
	return true;
}

/*
 * Returning less than it was given ends the transfer: the body of an answer that is no success is
 * not even waited for.
 */
static size_t take_body(char *data, size_t one, size_t size, void *context)
{
	struct transfer *transfer = context;
	size_t left = size;

	(void)one;
	if (!allow_body(transfer))
		return 0;
	while (left) {
		size_t room = BLOCK_BYTES - transfer->filled, n = left < room ? left : room;

		memcpy(transfer->block + transfer->filled, data, n);
		transfer->filled += n;
		data += n;
		left -= n;
		if (transfer->filled == BLOCK_BYTES && flush(transfer)) {
			transfer->failed = true;
			return 0;
		}
	}
	return size;
}

/* Only counts: also interim answers and trailers, of which a server could send without end. */
static size_t take_header(char *line, size_t one, size_t size, void *context)
{
	struct transfer *transfer = context;

	(void)line;
	(void)one;
	transfer->header_bytes += size;
	if (++transfer->header_lines > HEADER_LINES_MAX ||
	    transfer->header_bytes > HEADER_BYTES_MAX) {
		error_set(transfer->err, STAGE_FETCH, 0,
			  "fetch " URL_FORMAT
			  ": the server sent more than %d header lines or %d KiB of them",
			  transfer->sink->safe, HEADER_LINES_MAX, HEADER_BYTES_MAX >> 10);
		transfer->failed = true;
		return 0;
	}
	return size;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)context;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static const struct {
	CURLoption option;
	long value;
} options[] = {
	{ CURLOPT_CONNECTTIMEOUT_MS, 15000 },
	{ CURLOPT_LOW_SPEED_LIMIT, 1024 },
	{ CURLOPT_LOW_SPEED_TIME, 30 },
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_QUICK_EXIT, 1 }, /* an end does not wait for a name server */
	{ CURLOPT_BUFFERSIZE, BLOCK_BYTES },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_HTTP_CONTENT_DECODING, 0 }, /* a checksum is over what was sent */
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
};

static CURLcode set_options(struct transfer *transfer, CURLU *url)
{
	__typeof__(curl_easy_setopt) *set = transfer->api->easy_setopt;
	CURL *easy = transfer->easy;
	CURLcode bad = set(easy, CURLOPT_ERRORBUFFER, transfer->detail);

	for (size_t i = 0; !bad && i < sizeof(options) / sizeof(options[0]); i++)
		bad = set(easy, options[i].option, options[i].value);
	bad = bad ? bad : set(easy, CURLOPT_CURLU, url);
	bad = bad ? bad : set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad = bad ? bad : set(easy, CURLOPT_USERAGENT, "nomad-exec/" VERSION);
	bad = bad ? bad : set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	bad = bad ? bad : set(easy, CURLOPT_HEADERFUNCTION, take_header);
	bad = bad ? bad : set(easy, CURLOPT_HEADERDATA, transfer);
	bad = bad ? bad : set(easy, CURLOPT_WRITEFUNCTION, take_body);
	return bad ? bad : set(easy, CURLOPT_WRITEDATA, transfer);
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
		return *transfer->detail ? transfer->detail : transfer->api->easy_strerror(code);
	default:
		return transfer->api->easy_strerror(code);
	}
}

static int explain(const struct transfer *transfer, CURLcode code)
{
	long errnum = 0;

	if (code == CURLE_COULDNT_CONNECT)
		transfer->api->easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &errnum);
	return error_set(transfer->err, STAGE_FETCH, (int)errnum, "fetch " URL_FORMAT ": %s",
			 transfer->sink->safe, reason(transfer, code));
}

/* Lets the transfer run to its end. Fails only when it was interrupted or libcurl itself failed. */
static int drive(const struct transfer *transfer, CURLM *multi, CURLcode *code)
{
	const struct curl_api *api = transfer->api;
	struct curl_waitfd wait = { .fd = transfer->sink->interrupt_fd,
				    .events = CURL_WAIT_POLLIN };
	int running = 1, left;
	const CURLMsg *message;

	while (running) {
		CURLMcode bad = api->multi_perform(multi, &running);

		if (!bad && running)
			bad = api->multi_poll(multi, &wait, wait.fd >= 0, POLL_MS, NULL);
		if (bad)
			return error_set(transfer->err, STAGE_FETCH, 0,
					 "fetch " URL_FORMAT ": libcurl: %s", transfer->sink->safe,
					 api->multi_strerror(bad));
		if (wait.revents && sink_interrupted(transfer->sink, transfer->err))
			return -1;
	}
	message = api->multi_info_read(multi, &left);
	*code = message ? message->data.result : CURLE_FAILED_INIT;
	return 0;
}

/* *location is set when the answer is a redirect. */
static int read_location(const struct transfer *transfer, struct pool *pool, const char **location)
{
	const char *safe = transfer->sink->safe;
	struct curl_header *header;

	if (transfer->api->easy_header(transfer->easy, "Location", 0, CURLH_HEADER, -1, &header) ||
	    header->amount != 1)
		return error_set(transfer->err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT
				 ": status %ld, a redirect without one Location",
				 safe, status_of(transfer));
	if (!*header->value || strlen(header->value) > URL_BYTES_MAX ||
	    url_has_control(header->value))
		return error_set(
			transfer->err, STAGE_FETCH, 0,
			"fetch " URL_FORMAT
			": redirected to a URL that is empty, has a control character in it or more than %d bytes",
			safe, URL_BYTES_MAX);
	*location = pool_strdup(pool, header->value);
	return *location ? 0 : pool_error(transfer->err, STAGE_FETCH);
}

/*
 * What the transfer that ended with this code means; the status speaks before a code that our own
 * callbacks caused.
 */
static int judge(struct transfer *transfer, CURLcode code, struct pool *pool, const char **location)
{
	const char *safe = transfer->sink->safe;
	long status = status_of(transfer);
	curl_off_t length = announced(transfer);

	if (transfer->failed)
		return -1;
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		return read_location(transfer, pool, location);
	if (status && status != 200)
		return error_set(transfer->err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": the server answered with status %ld", safe,
				 status);
	if (is_encoded(transfer))
		return error_set(transfer->err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT
				 ": the server sent a Content-Encoding, which was not asked for",
				 safe);
	if (code)
		return explain(transfer, code);
	if (flush(transfer))
		return -1;
	if (length >= 0 && (uint64_t)length != transfer->sink->bytes)
		return error_set(transfer->err, STAGE_FETCH, 0,
				 "fetch " URL_FORMAT ": %llu bytes came, the server announced %lld",
				 safe, (unsigned long long)transfer->sink->bytes,
				 (long long)length);
	return 0;
}

int transfer_get(const struct curl_api *api, CURLU *url, struct sink *sink, struct pool *pool,
		 const char **location, struct error *err)
{
	struct transfer transfer = {
		.api = api, .easy = api->easy_init(), .sink = sink, .err = err
	};
	CURLM *multi = api->multi_init();
	CURLcode code = transfer.easy && multi ? set_options(&transfer, url) : CURLE_OUT_OF_MEMORY;
	int bad;

	*location = NULL;
	if (code == CURLE_UNKNOWN_OPTION)
		bad = error_set(err, STAGE_FETCH, 0,
				"this libcurl is too old; 7.87 or newer is needed");
	else if (code)
		bad = error_set(err, STAGE_FETCH, 0, "prepare libcurl: %s",
				api->easy_strerror(code));
	else if (api->multi_add_handle(multi, transfer.easy))
		bad = pool_error(err, STAGE_FETCH);
	else {
		bad = drive(&transfer, multi, &code) || judge(&transfer, code, pool, location) ?
			      -1 :
			      0;
		api->multi_remove_handle(multi, transfer.easy);
	}
	api->easy_cleanup(transfer.easy);
	api->multi_cleanup(multi);
	return bad;
}
