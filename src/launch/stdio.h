/* SPDX-License-Identifier: Apache-2.0 */
/* Private to launch: what becomes of the standard descriptors in launcher and init. */
#ifndef LAUNCH_STDIO_H
#define LAUNCH_STDIO_H

/*
 * Puts /dev/null in the place of the standard descriptors up to `last`: launcher and init need none
 * of them once the task has them, and a pipe that the task closes must really be closed.
 */
void stdio_let_go(int last);

#endif
