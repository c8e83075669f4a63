/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child that unpacks, seen from the launcher: it is forked, awaited, and ended when the user
 * interrupts. Nothing that it says is believed beyond "it failed, and why" and two numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "place/publish.h"
#include "place/unpack.h"

/* Written at once: it is smaller than PIPE_BUF. */
struct report {
	bool failed;
	struct error error;
	struct unpacked unpacked;
};

/*
 * Names in archives are UTF-8, and libarchive converts them to the locale's: in UTF-8 they stay as
 * they are. The locale is of the process, so only the child's is set.
 */
static _Noreturn void be_child(const struct unpacking *unpacking, int staging_fd, int report_fd,
			       pid_t parent)
{
	struct report report = { 0 };

	/* The signal is not sent for a parent that has ended before it was asked for. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
		_exit(1);
	setlocale(LC_CTYPE, "C.UTF-8");
	report.failed = confine(unpacking->archive_fd, staging_fd, report_fd,
				unpacking->how->set_owner, &report.error) ||
			extract(unpacking, &report.unpacked, &report.error);
	_exit(write(CHILD_REPORT, &report, sizeof(report)) != sizeof(report));
}

/* Until the report is there, or the child is gone; or with an error. */
static int wait_for_report(int report_fd, int interrupt_fd, struct error *err)
{
	struct pollfd fds[] = { { .fd = report_fd, .events = POLLIN },
				{ .fd = interrupt_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_set(err, STAGE_CHROOT, errno, "wait for its unpacking");
		if (interrupted(interrupt_fd, 0, STAGE_CHROOT, err))
			return -1;
		if (fds[0].revents)
			return 0;
	}
}

static int read_report(int report_fd, struct report *report)
{
	ssize_t n = read(report_fd, report, sizeof(*report));

	report->error.text[sizeof(report->error.text) - 1] = '\0';
	text_defuse(report->error.text);
	return n == sizeof(*report) ? 0 : -1;
}

static int died(int status, struct error *err)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	return error_set(err, STAGE_CHROOT, 0, "the process that unpacked it %s%s",
			 name ? "was ended by SIG" : "ended without a report", name ? name : "");
}

static int await(pid_t pid, int report_fd, int interrupt_fd, struct unpacked *unpacked,
		 struct error *err)
{
	struct report report;
	int status = 0, told, bad = wait_for_report(report_fd, interrupt_fd, err);

	told = !bad && read_report(report_fd, &report) == 0;
	if (!told)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (bad)
		return -1;
	if (!told)
		return died(status, err);
	*unpacked = report.unpacked;
	if (!report.failed)
		return 0;
	return error_set(err, STAGE_CHROOT, 0, "%s", report.error.text);
}

int unpack(struct unpacking *unpacking, const struct staging *staging, int interrupt_fd,
	   struct unpacked *unpacked, struct error *err)
{
	AUTO_FD report_fd = -1, child_end = -1;
	pid_t pid, parent = getpid();
	int ends[2];

	/* Before the child, which then needs no file of the host any more. */
	if (archive_api_open(&unpacking->api.archive, err) ||
	    (unpacking->format->filter == FILTER_GZIP && zlib_api_open(&unpacking->api.zlib, err)))
		return -1;
	if (lseek(unpacking->archive_fd, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC))
		return error_set(err, STAGE_CHROOT, errno, "prepare its unpacking");
	report_fd = ends[0];
	child_end = ends[1];
	pid = fork();
	if (pid < 0)
		return error_set(err, STAGE_CHROOT, errno, "start a process to unpack it");
	if (!pid)
		be_child(unpacking, staging->fd, child_end, parent);
	drop_fd(&child_end);
	return await(pid, report_fd, interrupt_fd, unpacked, err);
}
