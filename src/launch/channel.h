/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to launch: what launcher, init and task tell each other, over one SOCK_SEQPACKET pair.
 * Both ends run our own code as root; the task's end closes when the command is executed.
 */
#ifndef LAUNCH_CHANNEL_H
#define LAUNCH_CHANNEL_H

#include <sys/resource.h>

#include "launch/launch.h"

enum message_type {
	MESSAGE_RELEASE, /* to init, with the cage's entries */
	MESSAGE_STARTED, /* from init, with the task's pidfd */
	MESSAGE_FAILED,  /* from init or from the task before it executed the command */
	MESSAGE_ENDED,   /* from init */
};

struct message {
	enum message_type type;
	union {
		struct error error; /* MESSAGE_FAILED */
		size_t tasks_n; /* MESSAGE_RELEASE: how many of the descriptors are v1 `tasks` files
				 */
		struct {
			int wait_status;
			struct rusage usage; /* of everything that init has reaped */
		} ended;
	};
	/* Descriptors that came with it; not part of the bytes sent. */
	int fds[CAGE_GROUPS_MAX];
	size_t fds_n;
};

/*
 * Both return -1 with errno. Receiving: 1 for a message, 0 when the other side is gone. A message
 * is never cut.
 */
int channel_send(int channel, const struct message *message);
int channel_receive(int channel, struct message *message, int flags);

#endif
