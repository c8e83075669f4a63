/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a request is asked: every option that libcurl is given. Runs in the launcher as root, or in
 * `fetch` as anyone. A server decides where a request goes only by a redirect, and then nothing of
 * the user's goes with it; addresses are judged when they are connected to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fetch/policy.h"
#include "fetch/transfer.h"

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;
	const struct fetch_options *options = transfer->download->request->options;

	(void)purpose;
	transfer->obstacle =
		policy_obstacle(&address->addr, options->allow_metadata, options->deny_private);
	if (transfer->obstacle)
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static const struct {
	CURLoption option;
	long value;
} fixed_options[] = {
	{ CURLOPT_CONNECTTIMEOUT_MS, 15000 },
	{ CURLOPT_LOW_SPEED_LIMIT, 1024 },
	{ CURLOPT_LOW_SPEED_TIME, 30 },
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_QUICK_EXIT, 1 }, /* an end does not wait for a name server */
	{ CURLOPT_BUFFERSIZE, TRANSFER_BLOCK_BYTES },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 }, /* several connections are several flows */
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_HTTP_CONTENT_DECODING, 0 }, /* a checksum is over what was sent */
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
};

static CURLcode set_fixed(struct transfer *transfer, const struct curl_api *api)
{
	CURL *easy = transfer->easy;
	CURLcode bad = api->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);

	for (size_t i = 0; !bad && i < sizeof(fixed_options) / sizeof(fixed_options[0]); i++)
		bad = api->easy_setopt(easy, fixed_options[i].option, fixed_options[i].value);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_USERAGENT, "nomad-exec/" VERSION);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_take_header);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	bad = bad ? bad : api->easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_take_body);
	return bad ? bad : api->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

/* As the programs curl and openssl do; libcurl itself does not look at the environment for these.
 */
static CURLcode set_trust(struct transfer *transfer, const struct curl_api *api)
{
	const struct fetch_options *options = transfer->download->request->options;
	const char *file = options->cacert ? options->cacert : getenv("CURL_CA_BUNDLE");
	const char *directory = options->cacert ? NULL : getenv("SSL_CERT_DIR");
	CURLcode bad = api->easy_setopt(transfer->easy, CURLOPT_SSL_VERIFYPEER,
					options->insecure ? 0L : 1L);

	bad = bad ? bad :
		    api->easy_setopt(transfer->easy, CURLOPT_SSL_VERIFYHOST,
				     options->insecure ? 0L : 2L);
	if (!file || !*file)
		file = getenv("SSL_CERT_FILE");
	if (bad || !file || !*file)
		file = NULL;
	else
		bad = api->easy_setopt(transfer->easy, CURLOPT_CAINFO, file);
	/* NULL: or the system's directory would be trusted besides. */
	if (!bad && ((directory && *directory) || file))
		bad = api->easy_setopt(transfer->easy, CURLOPT_CAPATH,
				       directory && *directory ? directory : NULL);
	return bad;
}

/* What only the origin that the user named may see. */
static CURLcode set_identity(struct transfer *transfer, const struct curl_api *api)
{
	const struct request *request = transfer->download->request;
	const struct fetch_options *options = request->options;
	const char *file = options->netrc_file ? options->netrc_file : getenv("NETRC");
	CURLcode bad = CURLE_OK;

	for (const struct curl_slist *line = request->headers; line; line = line->next) {
		struct curl_slist *longer = api->slist_append(transfer->headers, line->data);

		if (!longer)
			return CURLE_OUT_OF_MEMORY;
		transfer->headers = longer;
	}
	if (!options->netrc && !options->netrc_file)
		return CURLE_OK;
	if (file && *file)
		bad = api->easy_setopt(transfer->easy, CURLOPT_NETRC_FILE, file);
	return bad ? bad : api->easy_setopt(transfer->easy, CURLOPT_NETRC, CURL_NETRC_OPTIONAL);
}

/* A part of it, on the condition that it is part of the same. */
static CURLcode set_range(struct transfer *transfer, const struct curl_api *api)
{
	const char *etag = transfer->download->partial->validator.etag;
	char range[48], condition[sizeof(transfer->download->partial->validator.etag) + 16];
	struct curl_slist *longer;

	if (!transfer->from && transfer->end == UINT64_MAX)
		return CURLE_OK;
	if (transfer->end == UINT64_MAX)
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)transfer->from);
	else
		snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)transfer->from,
			 (unsigned long long)transfer->end - 1);
	transfer->ranged = true;
	if (*etag) {
		snprintf(condition, sizeof(condition), "If-Range: %s", etag);
		longer = api->slist_append(transfer->headers, condition);
		if (!longer)
			return CURLE_OUT_OF_MEMORY;
		transfer->headers = longer;
	}
	return api->easy_setopt(transfer->easy, CURLOPT_RANGE, range);
}

/* libcurl counts whole buffers: with a large one, a small rate would not be kept to. */
static CURLcode set_rate(struct transfer *transfer, const struct curl_api *api, uint64_t rate)
{
	uint64_t buffer = rate / 8 < 1024 ? 1024 : rate / 8;
	CURLcode bad =
		api->easy_setopt(transfer->easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)rate);

	if (!bad && buffer < TRANSFER_BLOCK_BYTES)
		bad = api->easy_setopt(transfer->easy, CURLOPT_BUFFERSIZE, (long)buffer);
	if (!bad && rate < 4096) /* it would look like a stall */
		bad = api->easy_setopt(transfer->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	return bad;
}

static CURLcode set_limits(struct transfer *transfer, const struct curl_api *api)
{
	const struct request *request = transfer->download->request;
	int64_t left_ms = (int64_t)request->deadline_ms - clock_ms();
	CURLcode bad = CURLE_OK;

	if (request->options->limit_rate_bytes)
		bad = set_rate(transfer, api, request->options->limit_rate_bytes);
	if (!bad && request->deadline_ms)
		bad = api->easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS,
				       (long)(left_ms > 1 ? left_ms : 1));
	return bad;
}

static CURLcode set_all(struct transfer *transfer)
{
	const struct request *request = transfer->download->request;
	const struct curl_api *api = request->api;
	CURLcode bad = set_fixed(transfer, api);

	bad = bad ? bad : api->easy_setopt(transfer->easy, CURLOPT_CURLU, request->url);
	bad = bad ? bad : set_trust(transfer, api);
	bad = bad ? bad : set_limits(transfer, api);
	if (!bad && request->first_origin)
		bad = set_identity(transfer, api);
	bad = bad ? bad : set_range(transfer, api);
	return bad ? bad : api->easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

struct transfer *transfer_new(struct download *download, uint64_t from, uint64_t end)
{
	const struct curl_api *api = download->request->api;
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	CURLcode bad = CURLE_OUT_OF_MEMORY;

	if (transfer) {
		transfer->download = download;
		transfer->from = transfer->at = from;
		transfer->end = end;
		transfer->open_ended = end == UINT64_MAX;
		transfer->held = BLOCK_NONE;
		transfer->left = UINT64_MAX;
		transfer->easy = api->easy_init();
		bad = transfer->easy ? set_all(transfer) : bad;
	}
	if (!bad)
		return transfer;
	transfer_free(transfer);
	if (bad == CURLE_UNKNOWN_OPTION)
		error_set(download->err, STAGE_FETCH, 0,
			  "this libcurl is too old; 7.87 or newer is needed");
	else
		error_set(download->err, STAGE_FETCH, 0, "prepare libcurl: %s",
			  api->easy_strerror(bad));
	return NULL;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	transfer->download->request->api->easy_cleanup(transfer->easy);
	transfer->download->request->api->slist_free_all(transfer->headers);
	free(transfer);
}
