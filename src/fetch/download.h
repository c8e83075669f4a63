/* SPDX-License-Identifier: Apache-2.0 */
/* One try at one URL, through as many connections as help. Private to this folder. */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include "fetch/transfer.h"

struct attempt {
	const char *location;     /* OUTCOME_REDIRECT */
	uint64_t retry_after_ms;  /* OUTCOME_TRY_AGAIN: what the server asks for; 0: nothing */
	unsigned int connections; /* the most at a time */
};

/*
 * Asks for all that the sink does not have yet. Begins with one connection; adds another as long as
 * the whole gets faster by that. OUTCOME_DONE: the sink has it all. Reasons of all but that and a
 * redirect go to download->err. Every connection is closed at the end.
 */
enum outcome download_run(struct download *download, struct pool *pool, struct attempt *attempt);

#endif
