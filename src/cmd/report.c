/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a run. Runs in the launcher when nothing of the task runs any more. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"

int exit_status_of(const struct result *result)
{
	if (result->timed_out)
		return 124;
	return WIFEXITED(result->wait_status) ? WEXITSTATUS(result->wait_status) :
						128 + WTERMSIG(result->wait_status);
}

/* The caller's descriptor that a path such as /dev/stdout or /dev/fd/3 names; -1: it is no such
 * path. */
static int descriptor_of(const char *path)
{
	static const char *const names[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	uint64_t fd;

	for (int i = 0; i <= 2; i++)
		if (strcmp(path, names[i]) == 0)
			return i;
	for (int i = 0; i < 2; i++) {
		size_t length = strlen(folders[i]);

		if (strncmp(path, folders[i], length) == 0 &&
		    parse_number(path + length, 0, INT_MAX, &fd) == 0)
			return (int)fd;
	}
	return -1;
}

/*
 * A copy, not a new open of what is behind it: the position in a file is the caller's too, who
 * would overwrite the report with what comes next. What is closed on execve is ours, not the
 * caller's.
 */
static int copy_descriptor(int fd)
{
	int flags = fcntl(fd, F_GETFD), mode = fcntl(fd, F_GETFL);

	if (flags >= 0 && !(flags & FD_CLOEXEC) && mode >= 0 && (mode & O_ACCMODE) != O_RDONLY)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	errno = EBADF;
	return -1;
}

/* What is no regular file of its own, a pipe or a device, is written to and never replaced. */
static bool is_special(const char *path)
{
	struct stat st;

	return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
	       (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

/* Without O_NONBLOCK the open of a fifo that nobody reads would wait, deaf to signals. */
static int open_special(const char *path)
{
	int copied = descriptor_of(path);
	AUTO_FD fd = -1;

	if (copied >= 0)
		return copy_descriptor(copied);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 || fcntl(fd, F_SETFL, O_APPEND) ? -1 : take_fd(&fd);
}

/* Beside the file that it will replace, by a name that nobody foresees. */
static int open_temporary(struct report *report, struct pool *pool, struct error *err)
{
	const char *slash = strrchr(report->path, '/');
	char *name = pool_printf(pool, "%s.XXXXXX", report->path);

	if (!name)
		return pool_error(err, STAGE_SETUP);
	if (!*(slash ? slash + 1 : report->path))
		return error_set(err, STAGE_SETUP, 0, "--result %s: it names no file",
				 report->path);
	report->fd = mkostemp(name, O_CLOEXEC);
	if (report->fd < 0)
		return error_set(err, STAGE_SETUP, errno, "--result %s: write to its directory",
				 report->path);
	report->temporary = name;
	return 0;
}

int report_open(const char *path, struct pool *pool, struct report *report, struct error *err)
{
	struct json json;

	*report = (struct report){ .path = path, .fd = -1 };
	if (json_open(&json, STAGE_SETUP, err))
		return error_prefix(err, "--result %s", path);
	if (!is_special(path))
		return open_temporary(report, pool, err);
	report->fd = open_special(path);
	return report->fd < 0 ? error_set(err, STAGE_SETUP, errno, "--result %s: open", path) : 0;
}

void report_release(struct report *report)
{
	drop_fd(&report->fd);
	if (report->temporary)
		unlink(report->temporary);
	report->temporary = NULL;
}

static int64_t elapsed_ms(const struct result *result)
{
	const struct timespec *from = &result->started, *to = &result->finished;

	if (!result->started_at.tv_sec)
		return -1;
	return (to->tv_sec - from->tv_sec) * 1000 + (to->tv_nsec - from->tv_nsec) / 1000000;
}

static int set_end(const struct json *json, json_t *object, const struct result *result,
		   const struct error *failure)
{
	int status = result->wait_status;
	int exited = result->ended && WIFEXITED(status),
	    signaled = result->ended && WIFSIGNALED(status);

	return json_set_count(json, object, "pid", result->pid ? result->pid : -1) ||
	       json_set_text(json, object, "phase",
			     stage_name(failure ? failure->stage : result->stage)) ||
	       json_set_count(json, object, "exit_code", exited ? WEXITSTATUS(status) : -1) ||
	       json_set_count(json, object, "signal", signaled ? WTERMSIG(status) : -1) ||
	       json_set_bool(json, object, "oom_killed", result->oom_killed) ||
	       json_set_bool(json, object, "timed_out", result->timed_out) ||
	       json_set_text(json, object, "error", failure ? failure->text : NULL) ||
	       json_set_time(json, object, "started_at", &result->started_at) ||
	       json_set_time(json, object, "finished_at", &result->finished_at) ||
	       json_set_count(json, object, "wall_ms", elapsed_ms(result));
}

static int set_usage(const struct json *json, json_t *object, const struct result *result)
{
	const struct usage *usage = &result->usage;

	return json_set_count(json, object, "cpu_user_ms",
			      result->ended ? result->cpu_user_ms : -1) ||
	       json_set_count(json, object, "cpu_system_ms",
			      result->ended ? result->cpu_system_ms : -1) ||
	       json_set_count(json, object, "memory_peak_bytes", usage->memory_peak_bytes) ||
	       json_set_count(json, object, "pids_peak", usage->pids_peak) ||
	       json_set_count(json, object, "cpu_throttled_ms", usage->cpu_throttled_ms) ||
	       json_set_count(json, object, "oom_kills", usage->oom_kills);
}

static int64_t limit_or_null(uint64_t limit)
{
	return limit ? (int64_t)limit : -1;
}

static int set_objects(const struct json *json, json_t *object, const struct result *result)
{
	const struct timings *t = &result->timings;
	json_t *cgroup = json->object(), *limits = json->object(), *times = json->object();
	json_t *artifact = result->artifact_url ? json->object() : json->null();

	if (json_set_text(json, cgroup, "version", result->cgroup_version) ||
	    json_set_text(json, cgroup, "path", result->cgroup_path) ||
	    json_set_count(json, limits, "cpu_mhz", limit_or_null(result->limits.cpu_mhz)) ||
	    json_set_count(json, limits, "memory_bytes",
			   limit_or_null(result->limits.memory_bytes)) ||
	    json_set_count(json, limits, "pids", limit_or_null(result->limits.pids)) ||
	    json_set_count(json, times, "setup", t->setup_us) ||
	    json_set_count(json, times, "fetch", t->fetch_us) ||
	    json_set_count(json, times, "verify", t->verify_us) ||
	    json_set_count(json, times, "chroot", t->chroot_us) ||
	    json_set_count(json, times, "launch", t->launch_us) ||
	    json_set_count(json, times, "run", t->run_us))
		return -1;
	if (result->artifact_url &&
	    (json_set_text(json, artifact, "url", result->artifact_url) ||
	     json_set_count(json, artifact, "bytes", (int64_t)result->artifact_bytes) ||
	     json_set_text(json, artifact, "digest", result->artifact_digest) ||
	     json_set_bool(json, artifact, "from_cache", result->artifact_from_cache)))
		return -1;
	return json->object_set(object, "cgroup", cgroup) ||
	       json->object_set(object, "limits", limits) ||
	       json->object_set(object, "artifact", artifact) ||
	       json->object_set(object, "timings_us", times);
}

static json_t *make_report(const struct json *json, const struct result *result,
			   const struct error *failure)
{
	json_t *object = json->object();

	if (object && (json_set_text(json, object, "id", result->id) ||
		       json_set_text(json, object, "task", result->task) ||
		       json_set_text(json, object, "command", result->command) ||
		       set_end(json, object, result, failure) || set_usage(json, object, result) ||
		       set_objects(json, object, result))) {
		json->delete_value(object);
		return NULL;
	}
	return object;
}

/* Writes, and closes with a check. */
static int dump(const struct json *json, const json_t *value, struct report *report)
{
	int bad = json->dumpfd(value, report->fd, JSON_INDENT(2)) ||
		  write(report->fd, "\n", 1) != 1 ||
		  (report->temporary && fchmod(report->fd, 0644));

	if (close(take_fd(&report->fd)) || bad)
		return -1;
	if (!report->temporary)
		return 0;
	if (rename(report->temporary, report->path))
		return -1;
	report->temporary = NULL;
	return 0;
}

int report_write(struct report *report, const struct result *result, const struct error *failure,
		 struct error *err)
{
	struct json json;
	json_t *value;
	int bad;

	if (json_open(&json, STAGE_RUN, err))
		return error_prefix(err, "--result %s", report->path);
	value = make_report(&json, result, failure);
	if (!value)
		return pool_error(err, STAGE_RUN);
	bad = dump(&json, value, report);
	if (bad)
		error_set(err, STAGE_RUN, errno, "--result %s: write", report->path);
	json.delete_value(value);
	return bad;
}

void report_failure(const char *path, const struct error *failure, struct pool *pool)
{
	struct result result = RESULT_INIT;
	AUTO_REPORT report = { .fd = -1 };
	struct error err;

	clock_gettime(CLOCK_REALTIME, &result.finished_at);
	if (report_open(path, pool, &report, &err) || report_write(&report, &result, failure, &err))
		log_error("%s", err.text);
}
