/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three descriptors that a task gets from the caller. Runs in the launcher and in init as root.
 * Whoever calls the launcher chose what they are; the task may do with them what a holder can.
 */
#include "launch/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/launch.h"

int launch_check_stdio(struct error *err)
{
	static const char *const names[] = { "input", "output", "error" };

	for (int fd = 0; fd <= 2; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0 || fstat(fd, &st))
			return error_set(err, STAGE_SETUP, errno, "standard %s", names[fd]);
		if (!S_ISDIR(st.st_mode) && !(flags & O_PATH))
			continue;
		error_set(err, STAGE_SETUP, 0, "standard %s is a %s: a way out of the chroot",
			  names[fd], S_ISDIR(st.st_mode) ? "directory" : "mere path (O_PATH)");
		return error_remedy(err, "give it a file, a pipe or a device, such as /dev/null");
	}
	return 0;
}

void stdio_let_go(int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return; /* then they stay: harmless */
	for (int fd = 0; fd <= last; fd++)
		dup2(null, fd);
	if (null > last)
		close(null);
}
