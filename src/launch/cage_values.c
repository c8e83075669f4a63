/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a task as cgroup files. Pure; the numbers were checked when they were parsed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "launch/launch.h"

/* Without libm, which nothing else here needs: one binary digit of the fraction for each squaring.
 */
static double log2_of(double x)
{
	double result = 0, digit = 1;

	for (; x >= 2; x /= 2)
		result += 1;
	for (int i = 0; i < 52; i++) {
		digit /= 2;
		x *= x;
		if (x >= 2) {
			x /= 2;
			result += digit;
		}
	}
	return result;
}

static double exp10_of(double x)
{
	double result = 1, sum = 1, term = 1;

	for (; x >= 1; x -= 1)
		result *= 10;
	x *= 2.302585092994046; /* ln 10 */
	for (int i = 1; i < 30; i++) {
		term *= x / i;
		sum += term;
	}
	return result * sum;
}

/*
 * v1's cpu.shares as v2's cpu.weight: the curve that the runtime specification took in 2025,
 * ceil(10^((l^2 + 125 l) / 612 - 7/34)) with l = log2(shares), on which 1024 is exactly 100; the
 * rounding errors are far below 1e-9.
 */
static uint64_t weight_of_shares(uint64_t shares)
{
	double l, weight;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of((double)shares);
	weight = exp10_of((l * l + 125.0 * l) / 612.0 - 7.0 / 34.0) - 1e-9;
	return (uint64_t)weight + 1;
}

static size_t add_value(struct cage_value *values, size_t n, const char *file, uint64_t number,
			bool optional)
{
	values[n] = (struct cage_value){ .file = file, .optional = optional };
	snprintf(values[n].value, sizeof(values[n].value), "%" PRIu64, number);
	return n + 1;
}

/* Swap is bounded too: with no limit on it, a task over its memory would only make the host swap.
 */
static size_t memory_values(const struct limits *limits, bool v2, struct cage_value *values)
{
	size_t n = 0;

	if (!limits->memory_bytes)
		return 0;
	if (v2) {
		n = add_value(values, n, "memory.max", limits->memory_bytes, false);
		return add_value(values, n, "memory.swap.max", 0, true);
	}
	n = add_value(values, n, "memory.limit_in_bytes", limits->memory_bytes, false);
	n = add_value(values, n, "memory.memsw.limit_in_bytes", limits->memory_bytes, true);
	return add_value(values, n, "memory.swappiness", 0, true);
}

size_t cage_values(const struct limits *limits, const char *controller, bool v2,
		   struct cage_value values[CAGE_VALUES_MAX])
{
	uint64_t shares = limits->cpu_mhz < 2 ? 2 : limits->cpu_mhz; /* the kernel's least */

	if (strcmp(controller, "memory") == 0)
		return memory_values(limits, v2, values);
	if (strcmp(controller, "cpu") == 0)
		return v2 ? add_value(values, 0, "cpu.weight", weight_of_shares(shares), false) :
			    add_value(values, 0, "cpu.shares", shares, false);
	return limits->pids ? add_value(values, 0, "pids.max", limits->pids, false) : 0;
}
