/* SPDX-License-Identifier: Apache-2.0 */
/* The strict readers of single values: pure, no locale, no allocation. Any byte may come in. */
#include <ctype.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spec/spec.h"

/* Digits at *text into *number; moves *text behind them. Fails without a digit and on overflow. */
static int take_digits(const char **text, uint64_t *number)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)**text))
		return -1;
	for (; isdigit((unsigned char)**text); (*text)++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
			return -1;
	*number = value;
	return 0;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t value;

	if (take_digits(&text, &value) || *text || value < min || value > max)
		return -1;
	*number = value;
	return 0;
}

/* A decimal number at *text, its fraction in millionths. Fails beyond six decimal places. */
static int take_decimal(const char **text, uint64_t *whole, uint64_t *millionths)
{
	const char *from;

	*millionths = 0;
	if (take_digits(text, whole))
		return -1;
	if (**text != '.')
		return 0;
	from = ++*text;
	if (take_digits(text, millionths) || *text - from > 6)
		return -1;
	for (ptrdiff_t places = *text - from; places < 6; places++)
		*millionths *= 10;
	return 0;
}

/*
 * whole.millionths units into *value; the factor is at most 2^40, so only the whole part can
 * overflow.
 */
static int scale(uint64_t whole, uint64_t millionths, uint64_t factor, uint64_t *value)
{
	if (__builtin_mul_overflow(whole, factor, value) ||
	    __builtin_add_overflow(*value, millionths * factor / 1000000, value) ||
	    *value > INT64_MAX)
		return -1;
	return 0;
}

/* The factor that a size's suffix stands for; 0: none such. */
static uint64_t size_unit(const char *suffix, uint64_t bare)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (!*suffix)
		return bare;
	letter = strchr(letters, toupper((unsigned char)*suffix));
	if (!letter || (suffix[1] && strcasecmp(suffix + 1, "iB") != 0))
		return 0;
	return 1ULL << (10 * (letter - letters + 1));
}

int parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
	uint64_t whole, millionths, factor, value;

	if (take_decimal(&text, &whole, &millionths))
		return -1;
	factor = size_unit(text, unit);
	if (!factor || scale(whole, millionths, factor, &value))
		return -1;
	*bytes = value;
	return 0;
}

struct duration_unit {
	const char *name;
	uint64_t ms;
};

/* In the order in which they may follow each other. */
static const struct duration_unit duration_units[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
};

#define DURATION_UNITS (sizeof(duration_units) / sizeof(duration_units[0]))

/* The index of the unit at text, from `next` on; DURATION_UNITS when there is none such. */
static size_t find_duration_unit(const char *text, size_t length, size_t next)
{
	for (; next < DURATION_UNITS; next++)
		if (strlen(duration_units[next].name) == length &&
		    strncmp(duration_units[next].name, text, length) == 0)
			break;
	return next;
}

int parse_duration(const char *text, uint64_t *milliseconds)
{
	const char *const all = text;
	uint64_t total = 0, whole, millionths, value;
	size_t next = 0;

	do {
		size_t length, unit;

		if (take_decimal(&text, &whole, &millionths))
			return -1;
		length = strspn(text, "hms");
		unit = !*text && strspn(all, "0123456789.") == strlen(all) ? 2 : /* a bare number */
			       find_duration_unit(text, length, next);
		if (unit == DURATION_UNITS ||
		    scale(whole, millionths, duration_units[unit].ms, &value) ||
		    __builtin_add_overflow(total, value, &total) || total > INT64_MAX / 1000000)
			return -1;
		text += length;
		next = unit + 1;
	} while (*text);
	*milliseconds = total;
	return 0;
}

int parse_signal(const char *text, int *number)
{
	uint64_t value;

	if (parse_number(text, 1, (uint64_t)SIGRTMAX, &value) == 0) {
		*number = (int)value;
		return 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(name, text) == 0) {
			*number = i;
			return 0;
		}
	}
	return -1;
}
