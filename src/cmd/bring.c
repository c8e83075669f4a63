/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that bring the artifacts of a task. Each runs as root, as the launcher does, and
 * ends with it; what a server controls is told in src/fetch and src/place. They report by a pipe,
 * in one piece of fixed size.
 */
#include "cmd/bring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/interrupt.h"

/* What a process reports; smaller than PIPE_BUF, so that it is written and read as a whole. */
struct report {
	bool failed;
	struct error error;
	uint64_t bytes;
	bool from_cache;
	char digest[CHECKSUM_TEXT_BYTES];
	int64_t fetch_us, verify_us;
};

struct bringer {
	pid_t pid; /* 0: it was reaped */
	int pipe;
};

struct job {
	const struct wanted *wanted;
	size_t n;
	const struct fetch_options *options;
	const struct alloc *alloc;
	int signal_fd;
	struct pool *pool;
	struct result *result;
	struct error *err;
	bool failed;
};

/* How an artifact becomes files of the task: a file is made executable, for it may be the command.
 */
static int plan_placing(const struct wanted *wanted, struct placing *placing,
			const char **directory, struct pool *pool, struct error *err)
{
	const struct source *source = &wanted->source;
	const char *slash = strrchr(source->destination, '/');

	*placing = (struct placing){ .mode = source->mode, .format = "auto" };
	*directory = source->destination;
	if (source->archive)
		placing->format = strcmp(source->archive, "false") == 0 ? "no" : source->archive;
	placing->set_permissions =
		source->mode == ARTIFACT_FILE || !place_unpacks(placing->format, wanted->name);
	placing->permissions = 0755;
	if (source->mode != ARTIFACT_FILE || !slash || !slash[1])
		return 0;
	/* As in a job: the destination of mode `file` is the file itself. */
	placing->name = slash + 1;
	*directory = pool_strndup(pool, source->destination, (size_t)(slash - source->destination));
	return *directory ? 0 : pool_error(err, STAGE_SETUP);
}

static int bring(const struct job *job, struct wanted wanted, struct obtained *obtained,
		 struct error *err)
{
	const struct fetch_target target = { .directory_fd = job->alloc->task_fd,
					     .directory = job->alloc->path };
	struct fetch_options options = *job->options;
	struct placing placing;
	const char *directory;
	AUTO_FD fd = -1;

	if (job->n > 1) /* several bars on one line are none */
		options.progress = PROGRESS_NONE;
	if (plan_placing(&wanted, &placing, &directory, job->pool, err))
		return -1;
	fd = alloc_open_destination(job->alloc, directory, err);
	if (fd < 0 || obtain_checksum(&wanted, &options, &target, job->signal_fd, job->pool, err))
		return -1;
	return obtain(&wanted, &options, &target, &placing, fd, job->signal_fd, job->pool, obtained,
		      err);
}

static _Noreturn void run_bringer(const struct job *job, const struct wanted *wanted, int pipe)
{
	struct obtained obtained = OBTAINED_INIT;
	struct report report = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	report.failed = bring(job, *wanted, &obtained, &report.error);
	report.bytes = obtained.artifact.bytes;
	report.from_cache = obtained.artifact.from_cache;
	report.fetch_us = obtained.fetch_us;
	report.verify_us = obtained.verify_us;
	if (obtained.digest)
		strncpy(report.digest, obtained.digest, sizeof(report.digest) - 1);
	_exit(write(pipe, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1);
}

static int start(const struct job *job, const struct wanted *wanted, struct bringer *bringer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return error_set(job->err, STAGE_FETCH, errno, "a pipe from the download");
	bringer->pid = fork();
	if (bringer->pid == 0) {
		close(ends[0]);
		run_bringer(job, wanted, ends[1]);
	}
	close(ends[1]);
	bringer->pipe = ends[0];
	return bringer->pid > 0 ?
		       0 :
		       error_set(job->err, STAGE_FETCH, errno, "start a process for the download");
}

static void end_all(const struct bringer *bringers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bringers[i].pid > 0)
			kill(bringers[i].pid, SIGTERM);
}

static int64_t slower(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int take(struct job *job, size_t i, const struct report *report)
{
	struct result *result = job->result;

	result->timings.fetch_us = slower(result->timings.fetch_us, report->fetch_us);
	result->timings.verify_us = slower(result->timings.verify_us, report->verify_us);
	if (i > 0 || report->fetch_us < 0)
		return 0;
	result->artifact_url = job->wanted[0].safe;
	result->artifact_bytes = report->bytes;
	result->artifact_from_cache = report->from_cache;
	if (!*report->digest)
		return 0;
	result->artifact_digest = pool_strdup(job->pool, report->digest);
	return result->artifact_digest ? 0 : pool_error(job->err, STAGE_FETCH);
}

/* The report of one that has ended, or what there is in place of one. */
static int finish_one(struct job *job, struct bringer *bringer, size_t i)
{
	struct report report;
	ssize_t n = read(bringer->pipe, &report, sizeof(report));
	int status = 0;

	drop_fd(&bringer->pipe);
	while (waitpid(bringer->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	bringer->pid = 0;
	if (job->failed)
		return 0; /* ended because of another one */
	if (n != (ssize_t)sizeof(report))
		return error_set(job->err, STAGE_FETCH, 0,
				 "the process that downloaded %.300s was ended by signal %d",
				 job->wanted[i].safe, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	if (report.failed)
		*job->err = report.error;
	return take(job, i, &report) || report.failed ? -1 : 0;
}

/* A signal to the launcher ends the downloads. */
static int on_signal(const struct job *job)
{
	struct error err;

	if (!interrupted(job->signal_fd, 0, STAGE_FETCH, &err) || job->failed)
		return 0;
	*job->err = err;
	return error_prefix(job->err, "fetch %.300s", job->wanted[0].safe);
}

static void wait_for_all(struct job *job, struct bringer *bringers, struct pollfd *polls)
{
	size_t left = 0;

	for (size_t i = 0; i < job->n; i++)
		left += bringers[i].pid > 0;
	while (left) {
		for (size_t i = 0; i < job->n; i++)
			polls[i] = (struct pollfd){ .fd = bringers[i].pipe, .events = POLLIN };
		polls[job->n] = (struct pollfd){ .fd = job->signal_fd, .events = POLLIN };
		if (poll(polls, job->n + 1, -1) < 0)
			continue;
		for (size_t i = 0; i <= job->n; i++) {
			int bad = 0;

			if (i < job->n && polls[i].revents) {
				bad = finish_one(job, &bringers[i], i);
				left--;
			} else if (i == job->n && polls[i].revents) {
				bad = on_signal(job);
			}
			if (bad && !job->failed) {
				job->failed = true;
				end_all(bringers, job->n);
			}
		}
	}
}

int bring_all(const struct wanted *wanted, size_t n, const struct fetch_options *options,
	      const struct alloc *alloc, int signal_fd, struct pool *pool, struct result *result,
	      struct error *err)
{
	struct job job = { wanted, n, options, alloc, signal_fd, pool, result, err, false };
	struct bringer *bringers = pool_alloc(pool, n * sizeof(*bringers));
	struct pollfd *polls = pool_alloc(pool, (n + 1) * sizeof(*polls));

	if (!n)
		return 0;
	if (!bringers || !polls)
		return pool_error(err, STAGE_FETCH);
	for (size_t i = 0; i < n; i++)
		bringers[i].pipe = -1;
	for (size_t i = 0; i < n && !job.failed; i++)
		job.failed = start(&job, &wanted[i], &bringers[i]);
	if (job.failed)
		end_all(bringers, n);
	wait_for_all(&job, bringers, polls);
	return job.failed ? -1 : 0;
}
