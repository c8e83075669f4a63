/* SPDX-License-Identifier: Apache-2.0 */
/* Looks whether a signal has come. Runs wherever something takes long, with its signals blocked. */
#include "base/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupted(int signal_fd, int wait_ms, enum stage stage, struct error *err)
{
	struct pollfd ready = { .fd = signal_fd, .events = POLLIN };
	struct signalfd_siginfo info;
	const char *name;

	if ((signal_fd < 0 && !wait_ms) || poll(&ready, 1, wait_ms) <= 0 ||
	    read(signal_fd, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGWINCH ||
	    info.ssi_signo == SIGCONT)
		return 0;
	name = sigabbrev_np((int)info.ssi_signo);
	return error_set_kind(err, stage, ERROR_INTERRUPTED, (int)info.ssi_signo,
			      "interrupted by SIG%s", name ? name : "?");
}
