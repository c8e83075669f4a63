/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system that allocations will be on.
 *
 * The path is the user's choice and need not exist yet. Sources: statx(2), statvfs(3),
 * /proc/self/mountinfo.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/survey.h"

/* Cuts the last component off: "/a/b", "/a", "/"; "a", ".". False when there is nothing above. */
static bool cut_component(char *path)
{
	char *slash;

	if (strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
		return false;
	slash = strrchr(path, '/');
	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path] = '\0';
	return true;
}

int open_nearest(const char *path)
{
	char nearest[PATH_MAX];
	size_t length = strlen(path);
	int fd;

	if (length == 0 || length >= sizeof(nearest))
		return -1;
	memcpy(nearest, path, length + 1);
	do
		fd = open(nearest, O_PATH | O_CLOEXEC);
	while (fd < 0 && cut_component(nearest));
	return fd;
}

void survey_storage(struct survey *survey, uint64_t mount_id, const struct statvfs *size)
{
	const char *source = NULL;

	for (size_t i = 0; i < survey->mounts_n && !source; i++)
		if (strtoull(survey->mounts[i].id, NULL, 10) == mount_id)
			source = survey->mounts[i].source;
	if (source)
		survey_add(survey, "unique.storage.volume", "%s", source);
	survey_add(survey, "unique.storage.bytestotal", "%" PRIu64,
		   (uint64_t)size->f_blocks * size->f_frsize);
	/* As df shows it: without the blocks that are reserved for root. */
	survey_add(survey, "unique.storage.bytesfree", "%" PRIu64,
		   (uint64_t)size->f_bavail * size->f_frsize);
}

void survey_storage_of(struct survey *survey, const char *alloc_dir)
{
	AUTO_FD fd = alloc_dir ? open_nearest(alloc_dir) : -1;
	struct statvfs size;
	struct statx facts;

	if (fd < 0 || fstatvfs(fd, &size))
		return;
	/* Exact where prefixes of paths and device numbers are not: overmounts, subvolumes. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) || !(facts.stx_mask & STATX_MNT_ID))
		facts.stx_mnt_id = 0; /* before Linux 5.8; ids begin at 1 */
	survey_storage(survey, facts.stx_mnt_id, &size);
}
