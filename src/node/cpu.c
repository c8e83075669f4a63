/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors: which there are, which this process may use, how fast they are, to which NUMA node
 * they belong.
 *
 * Sources: /sys/devices/system/cpu (Documentation/ABI/testing/sysfs-devices-system-cpu),
 * /sys/devices/system/node, /proc/cpuinfo, /proc/self/status. All trusted.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "node/survey.h"

#define CPU_DIR "sys/devices/system/cpu"
#define NODE_DIR "sys/devices/system/node"

/* The largest NR_CPUS that a kernel can be configured for. */
#define CPUS_MAX 8192
/* Enough for the first processor in /proc/cpuinfo; all of them can be megabytes. */
#define CPUINFO_BYTES ((size_t)16384)
#define STATUS_BYTES ((size_t)65536)

struct cpus {
	cpu_set_t sets[CPUS_MAX / CPU_SETSIZE];
};

static bool has_cpu(const struct cpus *cpus, size_t cpu)
{
	return CPU_ISSET_S(cpu, sizeof(cpus->sets), cpus->sets);
}

/* "0-3,8" at list into *cpus. Source: cpuset(7), list format. */
static int parse_cpus(const char *list, struct cpus *cpus)
{
	*cpus = (struct cpus){ 0 };
	do {
		char *end;
		size_t first = strtoul(list, &end, 10), last = first;

		if (end == list)
			return -1;
		if (*end == '-') {
			list = end + 1;
			last = strtoul(list, &end, 10);
			if (end == list)
				return -1;
		}
		if (last >= CPUS_MAX)
			return -1;
		for (; first <= last; first++)
			CPU_SET_S(first, sizeof(cpus->sets), cpus->sets);
		list = end + (*end == ',');
	} while (*list);
	return 0;
}

/*
 * The processors whose time a task can get: the affinity mask of this process, which a task
 * inherits and the kernel keeps within the cpuset of its cgroup; it may name processors that are
 * offline.
 */
static int read_allowed(struct survey *survey, const struct cpus *online, struct cpus *allowed)
{
	const char *list = find_field(survey, read_text(survey, "proc/self/status", STATUS_BYTES),
				      "Cpus_allowed_list");

	if (!list || parse_cpus(list, allowed))
		return -1;
	CPU_AND_S(sizeof(online->sets), allowed->sets, allowed->sets, online->sets);
	return 0;
}

/*
 * The speed that a core keeps up rather than the one it can reach, as far as its driver tells; 0:
 * not known. Files of cpufreq are in kHz, nominal_freq is in MHz and, with other drivers than this
 * one, not what they scale from.
 */
static uint64_t core_mhz(const struct survey *survey, size_t core)
{
	char driver[32];
	uint64_t value;

	if (read_number(survey, &value, CPU_DIR "/cpu%zu/cpufreq/base_frequency", core) == 0 &&
	    value >= 1000)
		return value / 1000;
	if (read_number(survey, &value, CPU_DIR "/cpu%zu/acpi_cppc/nominal_freq", core) == 0 &&
	    value > 0 &&
	    read_line(survey, driver, sizeof(driver), CPU_DIR "/cpu%zu/cpufreq/scaling_driver",
		      core) == 0 &&
	    strcmp(driver, "acpi-cpufreq") == 0)
		return value;
	if (read_number(survey, &value, CPU_DIR "/cpu%zu/cpufreq/cpuinfo_max_freq", core) == 0)
		return value / 1000;
	return 0;
}

struct compute {
	uint64_t total_mhz, usable_mhz, highest_mhz;
	bool known; /* of every core */
};

static struct compute measure_compute(const struct survey *survey, const struct cpus *online,
				      const struct cpus *allowed, uint64_t fallback_mhz)
{
	struct compute compute = { .known = true };

	for (size_t core = 0; core < CPUS_MAX; core++) {
		uint64_t mhz;

		if (!has_cpu(online, core))
			continue;
		mhz = core_mhz(survey, core);
		mhz = mhz ? mhz : fallback_mhz;
		compute.known = compute.known && mhz;
		compute.total_mhz += mhz;
		compute.usable_mhz += has_cpu(allowed, core) ? mhz : 0;
		compute.highest_mhz = mhz > compute.highest_mhz ? mhz : compute.highest_mhz;
	}
	return compute;
}

static void survey_cores(struct survey *survey, uint64_t fallback_mhz)
{
	struct cpus online, allowed = { 0 };
	struct compute compute;
	char list[4096];
	bool allowed_known;

	if (read_line(survey, list, sizeof(list), CPU_DIR "/online") || parse_cpus(list, &online))
		return;
	allowed_known = read_allowed(survey, &online, &allowed) == 0;
	compute = measure_compute(survey, &online, &allowed, fallback_mhz);
	survey_add(survey, "cpu.numcores", "%d", CPU_COUNT_S(sizeof(online.sets), online.sets));
	if (allowed_known)
		survey_add(survey, "cpu.reservablecores", "%d",
			   CPU_COUNT_S(sizeof(allowed.sets), allowed.sets));
	/* Where cores differ, as on big.LITTLE, Nomad prints the performance core's. */
	if (compute.highest_mhz)
		survey_add(survey, "cpu.frequency", "%" PRIu64, compute.highest_mhz);
	if (compute.known)
		survey_add(survey, "cpu.totalcompute", "%" PRIu64, compute.total_mhz);
	if (compute.known && allowed_known)
		survey_add(survey, "cpu.usablecompute", "%" PRIu64, compute.usable_mhz);
}

void survey_cpu(struct survey *survey)
{
	const char *cpuinfo = read_text(survey, "proc/cpuinfo", CPUINFO_BYTES);
	const char *model = find_field(survey, cpuinfo, "model name");
	/* "2596.146", the first processor's: virtual machines have no cpufreq. */
	const char *mhz = find_field(survey, cpuinfo, "cpu MHz");

	if (model)
		survey_add(survey, "cpu.modelname", "%s", model);
	survey_cores(survey, mhz ? strtoul(mhz, NULL, 10) : 0);
}

/* One node with all processors: what a kernel is that was built without NUMA. */
static void survey_uma(struct survey *survey)
{
	char list[4096];

	if (read_line(survey, list, sizeof(list), CPU_DIR "/online"))
		return;
	survey_add(survey, "numa.node.count", "1");
	survey_add(survey, "numa.node0.cores", "%s", list);
}

void survey_numa(struct survey *survey)
{
	struct cpus nodes; /* node numbers come in the same notation */
	char list[4096];

	if (read_line(survey, list, sizeof(list), NODE_DIR "/online") || parse_cpus(list, &nodes)) {
		survey_uma(survey);
		return;
	}
	survey_add(survey, "numa.node.count", "%d", CPU_COUNT_S(sizeof(nodes.sets), nodes.sets));
	for (size_t node = 0; node < CPUS_MAX; node++)
		if (has_cpu(&nodes, node) &&
		    read_line(survey, list, sizeof(list), NODE_DIR "/node%zu/cpulist", node) == 0)
			survey_add(survey, pool_printf(survey->pool, "numa.node%zu.cores", node),
				   "%s", list);
}
