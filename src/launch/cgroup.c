/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of libcgroup's functions. Runs in the launcher as root; nothing here comes from
 * outside.
 */
#include "launch/cgroup.h"

#include <stdio.h>
#include <string.h>

#include "base/lazy.h"
#include "base/log.h"

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct cgroup_api, set_logger, cgroup_set_logger),
	LAZY_SYMBOL(struct cgroup_api, init, cgroup_init),
	LAZY_SYMBOL(struct cgroup_api, mount_point, cgroup_get_subsys_mount_point),
	LAZY_SYMBOL(struct cgroup_api, new_cgroup, cgroup_new_cgroup),
	LAZY_SYMBOL(struct cgroup_api, add_controller, cgroup_add_controller),
	LAZY_SYMBOL(struct cgroup_api, add_value, cgroup_add_value_string),
	LAZY_SYMBOL(struct cgroup_api, create, cgroup_create_cgroup),
	LAZY_SYMBOL(struct cgroup_api, delete_ext, cgroup_delete_cgroup_ext),
	LAZY_SYMBOL(struct cgroup_api, free, cgroup_free),
	LAZY_SYMBOL(struct cgroup_api, strerror, cgroup_strerror),
	LAZY_SYMBOL(struct cgroup_api, last_errno, cgroup_get_last_errno),
};

static const struct lazy_library libcgroup = {
	.purpose = "cgroups",
	.package = "libcgroup2 (Debian 12) or libcgroup3 (Debian 13)",
	.sonames = { "libcgroup.so.3", "libcgroup.so.2" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(cgroup, "[{\"soname\":[\"libcgroup.so.3\",\"libcgroup.so.2\"],\"feature\":\"cgroup\","
		  "\"description\":\"limits of tasks\",\"priority\":\"required\"}]");

/* libcgroup would write to stdout, which is the task's, and obey CGROUP_LOGLEVEL. */
__attribute__((format(printf, 3, 0))) static void log_libcgroup(void *unused, int level,
								const char *format, va_list ap)
{
	char text[500];

	(void)unused;
	(void)level;
	vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libcgroup: %s", text);
}

int cgroup_open(struct cgroup_api *api, enum stage stage, struct error *err)
{
	if (lazy_open(&libcgroup, api, stage, err))
		return -1;
	api->set_logger(log_libcgroup, log_enabled(LOG_DEBUG) ? CGROUP_LOG_INFO : CGROUP_LOG_ERROR,
			NULL);
	return 0;
}
