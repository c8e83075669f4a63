/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope cleanup: the closed set of things that close themselves at the end of their block.
 *
 * A scope owns what it opened; ownership leaves a scope only through take_fd(). close() is never
 * retried: on Linux the descriptor is gone whatever it returns (close(2)). errno survives a
 * cleanup.
 */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static inline void auto_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void auto_fclose(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

static inline void auto_closedir(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

/* `AUTO_FD fd = open(…);` */
#define AUTO_FD __attribute__((cleanup(auto_close))) int
#define AUTO_FILE __attribute__((cleanup(auto_fclose))) FILE *
#define AUTO_DIR __attribute__((cleanup(auto_closedir))) DIR *

/* Hands the descriptor over: the scope that held it no longer closes it. */
static inline int take_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

/* Closes what *fd holds, if anything, and marks it empty. */
static inline void drop_fd(int *fd)
{
	auto_close(fd);
	*fd = -1;
}

#endif
