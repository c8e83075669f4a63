/* SPDX-License-Identifier: Apache-2.0 */
/* One message, one packet, its descriptors beside it. Source: unix(7), cmsg(3). */
#include "launch/channel.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int) * CAGE_GROUPS_MAX)];
	struct cmsghdr align;
};

int channel_send(int channel, const struct message *message)
{
	struct iovec data = { .iov_base = (void *)(uintptr_t)message,
			      .iov_len = offsetof(struct message, fds) };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };
	size_t bytes = message->fds_n * sizeof(int);
	union control control = { 0 };

	if (message->fds_n) {
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.align), message->fds, bytes);
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(bytes);
	}
	return sendmsg(channel, &header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int channel_receive(int channel, struct message *message, int flags)
{
	struct iovec data = { .iov_base = message, .iov_len = offsetof(struct message, fds) };
	union control control;
	struct msghdr header = { .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *rights;
	ssize_t n;

	message->fds_n = 0;
	do
		n = recvmsg(channel, &header, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n <= 0)
		return (int)n;
	rights = CMSG_FIRSTHDR(&header);
	if (rights && rights->cmsg_type == SCM_RIGHTS) {
		message->fds_n = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(message->fds, CMSG_DATA(rights), message->fds_n * sizeof(int));
	}
	return 1;
}
