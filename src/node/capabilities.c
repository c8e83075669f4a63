/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process may pass on to a task.
 *
 * Runs in the launcher on every run: system calls, no file.
 * Source: capabilities(7), capget(2), PR_CAPBSET_READ(2const).
 */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "node/node.h"

uint64_t node_held_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	uint64_t permitted, held = 0;
	int bounded;

	if (syscall(SYS_capget, &header, data))
		return 0;
	permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	/* Fails beyond the last capability that the kernel knows. */
	for (int n = 0; n < 64 && (bounded = prctl(PR_CAPBSET_READ, n, 0, 0, 0)) >= 0; n++)
		held |= (uint64_t)bounded << n;
	return held & permitted;
}
