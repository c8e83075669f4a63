/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's answer means: its status, and whether its body goes with what is there already.
 * Runs in the launcher as root, or in `fetch` as anyone. Every header is hostile: numbers are read
 * strictly, texts have a maximum.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/transfer.h"

#define RETRY_AFTER_MAX_S 300

static long status_of(const struct transfer *transfer)
{
	long status = 0;

	transfer->download->request->api->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
						       &status);
	return status;
}

/* The only header of this name in the answer; NULL: there is none, or several. */
static const char *header_of(const struct transfer *transfer, const char *name)
{
	struct curl_header *header;

	if (transfer->download->request->api->easy_header(transfer->easy, name, 0, CURLH_HEADER, -1,
							  &header) ||
	    header->amount != 1)
		return NULL;
	return header->value;
}

/*
 * Whether the answer has an encoding that changes the bytes; a libcurl that cannot tell counts as
 * yes.
 */
static bool is_encoded(const struct transfer *transfer)
{
	for (size_t i = 0;; i++) {
		struct curl_header *header;
		CURLHcode bad = transfer->download->request->api->easy_header(
			transfer->easy, "Content-Encoding", i, CURLH_HEADER, -1, &header);

		if (bad == CURLHE_MISSING || bad == CURLHE_NOHEADERS || bad == CURLHE_BADINDEX)
			return false;
		if (bad || strcasecmp(header->value, "identity") != 0)
			return true;
	}
}

/* The length that the server announced; -1: none. */
static curl_off_t announced(const struct transfer *transfer)
{
	curl_off_t length = -1;

	transfer->download->request->api->easy_getinfo(transfer->easy,
						       CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

/* The ETag, if it is strong: a weak one says nothing about bytes (RFC 9110, 8.8.3). */
static void read_etag(const struct transfer *transfer, struct validator *validator)
{
	const char *etag = header_of(transfer, "ETag");
	size_t length = etag ? strlen(etag) : 0;

	validator->etag[0] = '\0';
	if (length < 2 || length >= sizeof(validator->etag) || etag[0] != '"' ||
	    etag[length - 1] != '"' || url_has_control(etag))
		return;
	memcpy(validator->etag, etag, length + 1);
}

/* Digits at *text, and the character behind them. */
static int take_number(const char **text, char behind, uint64_t *number)
{
	char *end;

	if (**text < '0' || **text > '9' || strspn(*text, "0123456789") > 18)
		return -1;
	*number = strtoull(*text, &end, 10);
	if (*end != behind)
		return -1;
	*text = end + 1;
	return 0;
}

/* "bytes 0-99/200" (RFC 9110, 14.4); a total of "*" is 0. */
static int read_content_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *total)
{
	if (!text || strncasecmp(text, "bytes ", 6) != 0)
		return -1;
	text += 6;
	if (take_number(&text, '-', first) || take_number(&text, '/', last) || *last < *first)
		return -1;
	*total = 0;
	if (strcmp(text, "*") == 0)
		return 0;
	return take_number(&text, '\0', total) || *last >= *total ? -1 : 0;
}

static int refuse(struct transfer *transfer, const char *problem)
{
	transfer->refused = true;
	return error_set(transfer->download->err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": %s",
			 transfer->download->sink->safe, problem);
}

/* The whole from its start: whatever is there gives way. Of several connections only a lone one
 * may. */
static int accept_whole(struct transfer *transfer)
{
	struct download *download = transfer->download;
	struct validator *validator = &download->partial->validator;
	const char *accepts = header_of(transfer, "Accept-Ranges");
	curl_off_t length = announced(transfer);

	if (!transfer->open_ended)
		return refuse(transfer, "the server sends all of it when asked for a part");
	if (download->sink->bytes && sink_begin(download->sink, 0, download->err)) {
		download->failed = true;
		return -1;
	}
	transfer->from = transfer->at = 0;
	download->resumed_from = 0;
	download->resumed_unproven = false;
	read_etag(transfer, validator);
	validator->total = length > 0 ? (uint64_t)length : 0;
	transfer->left = length >= 0 ? (uint64_t)length : UINT64_MAX;
	download->ranges = accepts && strcasecmp(accepts, "bytes") == 0;
	return 0;
}

static int accept_part(struct transfer *transfer)
{
	struct download *download = transfer->download;
	struct validator *validator = &download->partial->validator, answer = { 0 };
	uint64_t first, last;

	if (!transfer->ranged) {
		download->failed = true;
		return error_set(
			download->err, STAGE_FETCH, 0,
			"fetch " URL_FORMAT
			": the server answered with status 206, a part that was not asked for",
			download->sink->safe);
	}
	if (read_content_range(header_of(transfer, "Content-Range"), &first, &last,
			       &answer.total) ||
	    first != transfer->from)
		return refuse(transfer, "the server sends another part than the one asked for");
	read_etag(transfer, &answer);
	if ((validator->total && answer.total && answer.total != validator->total) ||
	    (*validator->etag && *answer.etag && strcmp(answer.etag, validator->etag) != 0))
		return refuse(transfer, "it has changed on the server");
	if (!validator->total)
		validator->total = answer.total;
	if (!validator->total || last >= validator->total)
		return refuse(transfer, "the server does not say how much there is");
	/* A 206 has the ETag of a 200 (RFC 9110, 15.3.7): one without did not look at ours. */
	if (*validator->etag && !*answer.etag && !download->request->provable)
		return refuse(transfer, "the server does not say of what it sends a part");
	transfer->left = last + 1 - first;
	download->ranges = true;
	download->resumed_unproven |= !*answer.etag;
	return 0;
}

int answer_accept(struct transfer *transfer)
{
	struct download *download = transfer->download;
	long status = status_of(transfer);

	if ((status != 200 && status != 206) || is_encoded(transfer))
		return -1;
	if (status == 200 ? accept_whole(transfer) : accept_part(transfer))
		return -1;
	if (sink_expect(download->sink, download->partial->validator.total, download->err) ||
	    (transfer->open_ended && partial_note(download->partial, UINT64_MAX, download->err))) {
		download->failed = true;
		return -1;
	}
	transfer->answered = true;
	return 0;
}

/* --- statuses -------------------------------------------------------------------------------- */

static enum outcome failed_with(struct transfer *transfer, const char *problem)
{
	error_set(transfer->download->err, STAGE_FETCH, 0, "fetch " URL_FORMAT ": %s",
		  transfer->download->sink->safe, problem);
	return OUTCOME_FAILED;
}

/* Where a redirect leads to goes to `location`, as it was sent. */
static enum outcome read_location(struct transfer *transfer, long status, struct pool *pool)
{
	const char *location = header_of(transfer, "Location");
	struct error *err = transfer->download->err;

	if (!location) {
		error_set(err, STAGE_FETCH, 0,
			  "fetch " URL_FORMAT ": status %ld, a redirect without one Location",
			  transfer->download->sink->safe, status);
		return OUTCOME_FAILED;
	}
	if (!*location || strlen(location) > URL_BYTES_MAX || url_has_control(location)) {
		error_set(
			err, STAGE_FETCH, 0,
			"fetch " URL_FORMAT
			": redirected to a URL that is empty, has a control character in it or more than %d bytes",
			transfer->download->sink->safe, URL_BYTES_MAX);
		return OUTCOME_FAILED;
	}
	transfer->location = pool_strdup(pool, location);
	if (transfer->location)
		return OUTCOME_REDIRECT;
	pool_error(err, STAGE_FETCH);
	return OUTCOME_FAILED;
}

/* 416: what is there may be all there is. */
static enum outcome judge_unsatisfied(struct transfer *transfer)
{
	const char *range = header_of(transfer, "Content-Range");
	uint64_t total = 0;

	if (range && strncasecmp(range, "bytes */", 8) == 0) {
		range += 8;
		if (take_number(&range, '\0', &total) == 0 && total == transfer->from &&
		    transfer->from == transfer->download->sink->bytes) {
			transfer->download->partial->validator.total = total;
			transfer->download->resumed_unproven = true;
			transfer->stopped = true;
			return OUTCOME_DONE;
		}
	}
	refuse(transfer, "the server has less of it than what is there");
	return OUTCOME_RESTART;
}

/* What a busy or broken server asks for, if that is bearable. */
static enum outcome judge_unavailable(struct transfer *transfer, long status)
{
	curl_off_t seconds = 0;

	transfer->download->request->api->easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER,
						       &seconds);
	error_set(transfer->download->err, STAGE_FETCH, 0,
		  "fetch " URL_FORMAT ": the server answered with status %ld",
		  transfer->download->sink->safe, status);
	if (seconds > RETRY_AFTER_MAX_S) {
		error_remedy(transfer->download->err, "it asks to come back in %lld s",
			     (long long)seconds);
		return OUTCOME_FAILED;
	}
	transfer->retry_after_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
	return OUTCOME_TRY_AGAIN;
}

static void note_region(struct transfer *transfer, struct pool *pool)
{
	const char *region = header_of(transfer, "x-amz-bucket-region");

	if (region && strlen(region) < 64 && !url_has_control(region))
		transfer->download->bucket_region = pool_strdup(pool, region);
}

enum outcome answer_judge(struct transfer *transfer, struct pool *pool)
{
	long status = status_of(transfer);

	transfer->download->status = status ? status : transfer->download->status;
	note_region(transfer, pool);
	switch (status) {
	case 0:
	case 200:
	case 206:
		return status && is_encoded(transfer) ?
			       failed_with(
				       transfer,
				       "the server sent a Content-Encoding, which was not asked for") :
			       OUTCOME_DONE;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return read_location(transfer, status, pool);
	case 408:
	case 429:
		return judge_unavailable(transfer, status);
	case 416:
		if (transfer->ranged)
			return judge_unsatisfied(transfer);
		break;
	default:
		if (status >= 500 && status <= 599)
			return judge_unavailable(transfer, status);
		break;
	}
	error_set(transfer->download->err, STAGE_FETCH, 0,
		  "fetch " URL_FORMAT ": the server answered with status %ld",
		  transfer->download->sink->safe, status);
	if (status == 401 || status == 403)
		error_remedy(transfer->download->err,
			     "are credentials missing, or has a signed URL expired?");
	return OUTCOME_FAILED;
}
