/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of a download, on stderr. Private to this folder. */
#ifndef FETCH_PROGRESS_H
#define FETCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	int kind;                   /* enum fetch_progress */
	bool terminal;              /* a bar that is drawn again; else a line every 30 s */
	const char *name;           /* of the file */
	int64_t began_ms, shown_ms; /* CLOCK_MONOTONIC; 0: never */
	uint64_t first_bytes;       /* that were there before */
	bool drawn;                 /* there is a bar to be wiped away */
};

int64_t clock_ms(void);

void progress_begin(struct progress *progress, int kind, const char *name, uint64_t bytes);

/* Draws, if it is time to. total 0: not known. */
void progress_show(struct progress *progress, uint64_t bytes, uint64_t total);

/* Wipes the bar away, so that messages have the line for themselves. */
void progress_hide(struct progress *progress);

#endif
