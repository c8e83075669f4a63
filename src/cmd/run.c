/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `nomad-exec run`: the pipeline. Runs as root; what the user wrote may come from a wrapper that
 * passes on hostile strings.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "chroot/chroot.h"
#include "cmd/bring.h"
#include "cmd/cmd.h"
#include "cmd/prepare.h"
#include "launch/launch.h"

/* What every stage of one run has at hand besides the values that flow. */
struct run {
	struct pool *pool;
	int signal_fd;
	struct timespec clock; /* when the current stage began */
	struct result *result;
	struct error *err;
};

/* Notes how long the stage that ends here took, and which one begins. */
static void next_stage(struct run *run, int64_t *took_us, enum stage next)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*took_us = (now.tv_sec - run->clock.tv_sec) * 1000000 +
		   (now.tv_nsec - run->clock.tv_nsec) / 1000;
	log_debug("%s took %lld us", stage_name(run->result->stage), (long long)*took_us);
	run->clock = now;
	run->result->stage = next;
}

static _Noreturn void inside(const struct task *task, const struct root *root,
			     const struct child *child)
{
	struct error err;

	if (chroot_enter(root, &err))
		launch_give_up(child, &err);
	launch_init(task, child);
}

static void report_cage(struct result *result, const struct cage *cage)
{
	cage_read(cage, &result->usage);
	result->oom_killed = result->usage.oom_kills > 0 && result->ended &&
			     WIFSIGNALED(result->wait_status) &&
			     WTERMSIG(result->wait_status) == SIGKILL && !result->timed_out;
	if (cage->groups_n) {
		result->cgroup_path = cage->groups[0].path;
		result->cgroup_version = cage->groups[0].v2 ? "2" : "1";
	}
}

/* The launcher makes the cage while init builds the root; then init starts the task. */
static int launch(struct run *run, const struct task *task, const struct root *root)
{
	struct child child;
	struct cage cage = { 0 };
	struct error cleanup;
	pid_t pid = launch_fork(&child, run->err);
	int bad;

	if (pid < 0)
		return -1;
	if (!pid)
		inside(task, root, &child);
	bad = cage_plan(task, run->pool, &cage, run->err) || cage_create(task, &cage, run->err) ||
	      launch_release(&child, &cage, run->err);
	cage_close_entries(&cage);
	next_stage(run, &run->result->timings.launch_us, STAGE_LAUNCH);
	bad = bad || launch_wait(task, &child, run->signal_fd, run->result, run->err);
	launch_release_child(&child); /* nothing of the task runs any more */
	next_stage(run, &run->result->timings.run_us, run->result->stage);
	report_cage(run->result, &cage);
	if (run->result->usage.oom_kills > 0)
		log_warn(
			"out of memory: the kernel killed %lld of the task's processes at its limit of "
			"%llu KiB; see --memory",
			(long long)run->result->usage.oom_kills,
			(unsigned long long)(task->limits.memory_bytes >> 10));
	if (cage_remove(&cage, &cleanup))
		log_warn("%s", cleanup.text);
	return bad ? -1 : 0;
}

static int run_in_alloc(struct run *run, const struct task *task,
			const struct fetch_options *options, const struct wanted *wanted,
			const struct alloc *alloc)
{
	struct root root;

	if (bring_all(wanted, task->sources_n, options, alloc, run->signal_fd, run->pool,
		      run->result, run->err))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &run->clock);
	run->result->stage = STAGE_CHROOT;
	if (chroot_plan(task, alloc, run->pool, &root, run->err))
		return -1;
	next_stage(run, &run->result->timings.chroot_us, STAGE_LAUNCH);
	return launch(run, task, &root);
}

static int run_task(struct run *run, const struct task *task, const struct fetch_options *options,
		    struct wanted *wanted)
{
	struct alloc alloc;
	struct error cleanup;
	int bad;

	if (alloc_create(task, run->pool, &alloc, run->err)) {
		alloc_release(&alloc);
		return -1;
	}
	next_stage(run, &run->result->timings.setup_us, STAGE_FETCH);
	bad = run_in_alloc(run, task, options, wanted, &alloc);
	if (!task->keep && alloc_remove(&alloc, &cleanup))
		log_warn("%s", cleanup.text);
	alloc_release(&alloc);
	return bad;
}

static void describe_run(struct result *result, const struct task *task)
{
	result->id = task->id;
	result->task = task->name;
	result->command = task->command;
	result->limits = task->limits;
}

static int must_be_root(struct error *err)
{
	if (geteuid() == 0)
		return 0;
	error_set(err, STAGE_SETUP, EPERM, "tasks are isolated by means that take root");
	return error_remedy(err, "run nomad-exec as root, or with sudo");
}

/* What can be wrong with the artifacts before anything is done. */
static int inspect_sources(const struct task *task, const struct fetch_options *options,
			   struct pool *pool, struct wanted **wanted, struct error *err)
{
	*wanted = pool_alloc(pool, task->sources_n * sizeof(**wanted));
	if (!*wanted)
		return pool_error(err, STAGE_SETUP);
	for (size_t i = 0; i < task->sources_n; i++)
		if (obtain_inspect(&task->sources[i], options, pool, &(*wanted)[i], err))
			return -1;
	return 0;
}

/* The pipeline: interpolate, fetch, verify, chroot, launch. */
static int pipeline(struct run *run, const struct arguments *arguments, struct spec *spec)
{
	struct wanted *wanted;
	struct task task;

	if (prepare_task(arguments, spec, run->pool, &task, run->err))
		return -1;
	describe_run(run->result, &task);
	if (inspect_sources(&task, &spec->fetch, run->pool, &wanted, run->err))
		return -1;
	for (size_t i = 0; i < task.sources_n; i++) {
		const struct artifact_spec *given = spec->artifacts.v[i];

		obtain_hide(&wanted[i], given->source, &given->headers, given->checksum, arguments,
			    run->pool);
	}
	if (spec->dry_run)
		return dry_run_print(&task, run->pool, run->err);
	if (must_be_root(run->err) || launch_check_stdio(run->err))
		return -1;
	return run_task(run, &task, &spec->fetch, wanted);
}

/* Callers keep the soft limit low for the sake of select(2), which is not used here. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* else it stays, and may suffice */
}

static int open_signals(struct error *err)
{
	sigset_t signals;
	int fd;

	launch_signals(&signals);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_SETMASK, &signals, NULL))
		return error_set(err, STAGE_SETUP, errno, "receive signals");
	return fd;
}

/* Adds the report to what the run came to. A report that cannot be written is a failure of the
 * launcher's. */
static int finish(struct report *report, const struct result *result, int bad, struct error *err)
{
	struct error second;

	if (report_write(report, result, bad ? err : NULL, &second) == 0)
		return bad;
	if (bad)
		log_error("%s", second.text);
	else
		*err = second;
	return -1;
}

static int run_main(const struct arguments *arguments, void *target, struct pool *pool, int *status,
		    struct error *err)
{
	struct spec *spec = target;
	struct result result = RESULT_INIT;
	AUTO_REPORT report = { .fd = -1 };
	AUTO_FD signal_fd = open_signals(err);
	struct run run = { .pool = pool, .signal_fd = signal_fd, .result = &result, .err = err };
	int bad;

	if (signal_fd < 0 || (spec->result_file && !spec->dry_run &&
			      report_open(spec->result_file, pool, &report, err)))
		return -1;
	raise_descriptor_limit();
	umask(0); /* every mode below is meant as written; the task gets 022 */
	clock_gettime(CLOCK_MONOTONIC, &run.clock);
	bad = pipeline(&run, arguments, spec);
	clock_gettime(CLOCK_REALTIME, &result.finished_at);
	clock_gettime(CLOCK_MONOTONIC, &result.finished);
	if (result.ended)
		*status = exit_status_of(&result);
	return report.path ? finish(&report, &result, bad, err) : bad;
}

/* A report of an earlier run must not pass for that of this one. */
static void run_refuse(const void *target, struct pool *pool, const struct error *err)
{
	const struct spec *spec = target;

	if (spec->result_file && !spec->dry_run)
		report_failure(spec->result_file, err, pool);
}

static const char *const synopsis[] = { "[OPTIONS] --command PATH [--args ARG]...",
					"[OPTIONS] -- PATH [ARG]...", NULL };

const struct command command_run = {
	.name = "run",
	.summary = "run one command in isolation, and end with its status",
	.synopsis = synopsis,
	.options = run_options,
	.target_bytes = sizeof(struct spec),
	.defaults = &run_defaults,
	.takes_operands = true,
	.takes_command = true,
	.statuses = { 125, 125, 125, 126, 127 },
	.run = run_main,
	.refuse = run_refuse,
};
