/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files that others may have filled, walked by descriptors. Two users: what a task left in
 * its allocation and what an archive was unpacked to are both hostile, and both have to go.
 */
#ifndef BASE_TREE_H
#define BASE_TREE_H

/*
 * Opens the directory `name`, one component, in the directory fd: never through a link, never what
 * is mounted there. -1 with errno (ELOOP or ENOTDIR: it is no directory, EXDEV: something is
 * mounted on it). Source: openat2(2); where that is missing a component that is no link has the
 * same effect.
 */
int tree_open(int fd, const char *name);

/*
 * Removes the directory `name` in fd with all that is in it: no link is followed, no mounted file
 * system entered, and the descriptors it takes do not grow with the depth; two will do. Nothing may
 * add files meanwhile. -1 with errno: some of it is still there.
 */
int tree_remove(int fd, const char *name);

/* Removes what is in the directory fd in the same way, whatever name it has by now. */
int tree_empty(int fd);

#endif
