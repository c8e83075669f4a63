/* SPDX-License-Identifier: Apache-2.0 */
/* What is used of libcgroup, 2.0 or 3.x, opened when the first cage needs it. Private to this
 * folder. */
#ifndef LAUNCH_CGROUP_H
#define LAUNCH_CGROUP_H

#include <libcgroup.h>

#include "base/error.h"

struct cgroup_api {
	__typeof__(cgroup_set_logger) *set_logger;
	__typeof__(cgroup_init) *init;
	__typeof__(cgroup_get_subsys_mount_point) *mount_point;
	__typeof__(cgroup_new_cgroup) *new_cgroup;
	__typeof__(cgroup_add_controller) *add_controller;
	__typeof__(cgroup_add_value_string) *add_value;
	__typeof__(cgroup_create_cgroup) *create;
	__typeof__(cgroup_delete_cgroup_ext) *delete_ext;
	__typeof__(cgroup_free) *free;
	__typeof__(cgroup_strerror) *strerror;
	__typeof__(cgroup_get_last_errno) *last_errno;
};

/*
 * Opens libcgroup, whose messages go to the log from then on. It stays open; the second time costs
 * little.
 */
int cgroup_open(struct cgroup_api *api, enum stage stage, struct error *err);

#endif
