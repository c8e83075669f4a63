/* SPDX-License-Identifier: Apache-2.0 */
/* One GET request and its answer. Private to this folder. */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include "fetch/blocks.h"
#include "fetch/curl.h"
#include "fetch/source.h"

#define TRANSFER_BLOCK_BYTES (256 << 10)

/* What is asked; the same for all connections of one download. */
struct request {
	const struct curl_api *api;
	const struct fetch_options *options;
	CURLU *url;
	bool first_origin; /* the user's headers, credentials and netrc may go there */
	const struct curl_slist *headers; /* only sent to the first origin */
	uint64_t deadline_ms;             /* CLOCK_MONOTONIC; 0: none */
	bool provable;                    /* a checksum will show whether parts belong together */
};

/* What came of a transfer. */
enum outcome {
	OUTCOME_RUNNING,
	OUTCOME_DONE,      /* all that was asked for is there */
	OUTCOME_REDIRECT,  /* `location` says where to */
	OUTCOME_TRY_AGAIN, /* the reason is in the error, and may pass */
	OUTCOME_FAILED,    /* so is it, and will not */
	OUTCOME_RESTART,   /* what is there does not go with what the server has now */
};

/* What the connections of a download have in common. */
struct download {
	const struct request *request;
	struct sink *sink;
	struct partial *partial;   /* with the validator of what is in the sink */
	struct blocks blocks;      /* in use once there is more than one connection */
	struct error *err;         /* of the transfer that ended last */
	bool failed;               /* a callback has set *err, and it is final */
	bool ranges;               /* the server proved that it can continue anywhere */
	uint64_t resumed_from;     /* bytes of an earlier run that are part of it */
	bool resumed_unproven;     /* parts were joined with no ETag to say that they match */
	long status;               /* of the last answer */
	const char *bucket_region; /* that an S3 server named when it refused; NULL: none */
	uint64_t received_bytes;   /* of all bodies, for the rate */
};

struct transfer {
	struct download *download;
	CURL *easy;
	struct curl_slist *headers;
	uint64_t from, at,
		end;     /* the first byte asked for; where the next goes; UINT64_MAX: to its end */
	size_t held;     /* the block that is its own; BLOCK_NONE */
	uint64_t left;   /* of the body, as it was announced; UINT64_MAX: not known */
	bool open_ended; /* it was asked for all that follows */
	bool ranged;     /* it was asked with a range */
	bool answered;   /* the answer was looked at, and its body is welcome */
	bool stopped;    /* it has brought what is wanted of it */
	bool refused;    /* the answer does not go with what is there */
	unsigned int header_lines;
	size_t header_bytes, filled;
	const char *obstacle; /* why an address was not connected to; NULL: none was refused */
	const char *location;
	uint64_t retry_after_ms;
	char detail[CURL_ERROR_SIZE];
	char block[TRANSFER_BLOCK_BYTES];
};

/*
 * Prepares a request for the bytes from `from` to `end` (exclusive; UINT64_MAX: all that follow),
 * to be added to a multi handle. NULL with *err.
 */
struct transfer *transfer_new(struct download *download, uint64_t from, uint64_t end);

/* What the transfer that libcurl ended with this code means; reasons go to download->err. */
enum outcome transfer_judge(struct transfer *transfer, CURLcode code, struct pool *pool);

void transfer_free(struct transfer *transfer);

/* Writes what was gathered. */
int transfer_flush(struct transfer *transfer);

/* libcurl's callbacks; the context is the transfer. */
size_t transfer_take_body(char *data, size_t one, size_t size, void *context);
size_t transfer_take_header(char *line, size_t one, size_t size, void *context);

/*
 * Whether the body of the answer is welcome: looked at once, when its first bytes are there or when
 * it has none. -1: it is not; then `refused` is set when the answer does not go with what is there,
 * and download->failed when it is wrong in itself. A status that has no body for us is -1 with
 * neither.
 */
int answer_accept(struct transfer *transfer);

/* What the status of the answer means. OUTCOME_DONE: nothing but that there is a body to be judged.
 */
enum outcome answer_judge(struct transfer *transfer, struct pool *pool);

#endif
