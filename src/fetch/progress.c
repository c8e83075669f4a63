/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress on stderr: a bar on a terminal, a line now and then elsewhere, or JSON. Runs while bytes
 * come in; a server controls how many there are, a user the name, which is shown defused.
 */
#include "fetch/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "task.h"

#define BAR_EVERY_MS 100
#define LINE_EVERY_MS 30000
#define JSON_EVERY_MS 1000

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_smart_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void progress_begin(struct progress *progress, int kind, const char *name, uint64_t bytes)
{
	*progress = (struct progress){ .kind = log_enabled(LOG_WARN) ? kind : PROGRESS_NONE,
				       .terminal = is_smart_terminal(),
				       .name = name,
				       .began_ms = clock_ms(),
				       .first_bytes = bytes };
	progress->shown_ms = progress->began_ms;
}

/* 1536 as "1.5 KiB". */
static void format_bytes(char *text, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* "62 %", "1.5 of 2.4 GiB", the rate, and when it will be over. */
static void format_facts(const struct progress *progress, uint64_t bytes, uint64_t total,
			 char *text, size_t size)
{
	int64_t took_ms = clock_ms() - progress->began_ms;
	uint64_t came = bytes > progress->first_bytes ? bytes - progress->first_bytes : 0;
	uint64_t rate = took_ms > 0 ? came * 1000 / (uint64_t)took_ms : 0;
	char got[24], all[24], speed[24];

	format_bytes(got, sizeof(got), bytes);
	format_bytes(all, sizeof(all), total);
	format_bytes(speed, sizeof(speed), rate);
	if (!total)
		snprintf(text, size, "%s, %s/s", got, speed);
	else if (!rate || bytes >= total)
		snprintf(text, size, "%3u %%  %s of %s, %s/s", (unsigned)(bytes * 100 / total), got,
			 all, speed);
	else
		snprintf(text, size, "%3u %%  %s of %s, %s/s, %" PRIu64 " s left",
			 (unsigned)(bytes * 100 / total), got, all, speed,
			 (total - bytes + rate - 1) / rate);
}

static void draw_bar(struct progress *progress, uint64_t bytes, uint64_t total)
{
	struct winsize window = { .ws_col = 80 };
	char name[31], bar[21], facts[120], line[256];
	size_t full = total ? (size_t)(bytes >= total ? 20 : bytes * 20 / total) : 0;

	ioctl(STDERR_FILENO, TIOCGWINSZ, &window);
	snprintf(name, sizeof(name), "%s", progress->name);
	text_defuse(name);
	memset(bar, ' ', 20);
	memset(bar, '=', full);
	if (full < 20 && total)
		bar[full] = '>';
	bar[20] = '\0';
	format_facts(progress, bytes, total, facts, sizeof(facts));
	if (total)
		snprintf(line, sizeof(line), "%s [%s] %s", name, bar, facts);
	else
		snprintf(line, sizeof(line), "%s %s", name, facts);
	dprintf(STDERR_FILENO, "\r%.*s\033[K", window.ws_col > 1 ? window.ws_col - 1 : 79, line);
	progress->drawn = true;
}

static void write_json(uint64_t bytes, uint64_t total)
{
	if (total)
		printf("{\"bytes\": %" PRIu64 ", \"total\": %" PRIu64 "}\n", bytes, total);
	else
		printf("{\"bytes\": %" PRIu64 ", \"total\": null}\n", bytes);
	fflush(stdout);
}

void progress_show(struct progress *progress, uint64_t bytes, uint64_t total)
{
	int64_t now = clock_ms();
	int64_t every = progress->kind == PROGRESS_JSON ? JSON_EVERY_MS :
			progress->terminal              ? BAR_EVERY_MS :
							  LINE_EVERY_MS;
	char facts[120];

	if (progress->kind == PROGRESS_NONE || now - progress->shown_ms < every)
		return;
	progress->shown_ms = now;
	if (progress->kind == PROGRESS_JSON) {
		write_json(bytes, total);
	} else if (progress->terminal) {
		draw_bar(progress, bytes, total);
	} else {
		format_facts(progress, bytes, total, facts, sizeof(facts));
		log_warn("%s: %s", progress->name, facts);
	}
}

void progress_hide(struct progress *progress)
{
	if (progress->drawn)
		dprintf(STDERR_FILENO, "\r\033[K");
	progress->drawn = false;
}
