/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `nomad-exec fetch`: brings one artifact to a directory. Runs as anyone. What the user wrote may
 * come from a wrapper that passes on hostile strings; others may write to the directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/fetch.h"

/* What go-getter's `archive` says wins over nothing, not over --unpack. */
static void take_archive(struct job *job)
{
	const char *archive = job->wanted.source.archive;

	if (archive && !job->spec->unpack)
		job->placing.format = strcmp(archive, "false") == 0 ? "no" : archive;
}

static int make_directories(const char *path, struct pool *pool)
{
	char *copy = pool_strdup(pool, path), *slash = copy;

	if (!copy)
		return -1;
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdir(copy, 0755) && errno != EEXIST ? -1 : 0;
}

static int open_directory(struct job *job)
{
	job->directory_fd = open(job->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job->directory_fd < 0 && errno == ENOENT) {
		if (make_directories(job->directory, job->pool))
			return error_set(job->err, STAGE_SETUP, errno,
					 "make the destination directory %s", job->directory);
		job->directory_fd = open(job->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return job->directory_fd >= 0 ?
		       0 :
		       error_set(job->err, STAGE_SETUP, errno, "open the destination directory %s",
				 job->directory);
}

/* The name that a single file will have; NULL when it depends on what is unpacked. */
static const char *file_name(const struct job *job)
{
	if (place_unpacks(job->placing.format, job->wanted.name))
		return NULL;
	return job->placing.name ? job->placing.name : job->wanted.name;
}

/*
 * The file, if nobody but us can write to it; else what it has now says nothing of what it has
 * next.
 */
static int open_ours(const struct job *job, const char *name)
{
	AUTO_FD fd =
		openat(job->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	if (st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)) && st.st_nlink == 1)
		return take_fd(&fd);
	log_info("%s/%s: others can write to it, or it has another name: it is not looked into",
		 job->directory, name);
	return -1;
}

/* As asked, also if it was there before. The owner first: that may take bits of the mode away. */
static int dress(const struct job *job, int fd, const char *name)
{
	const struct placing *how = &job->placing;

	if (how->set_owner && fchown(fd, how->uid, how->gid))
		return error_set(job->err, STAGE_CHROOT, errno, "set the owner of %s/%s",
				 job->directory, name);
	if (how->set_permissions && fchmod(fd, how->permissions))
		return error_set(job->err, STAGE_CHROOT, errno, "set the mode of %s/%s",
				 job->directory, name);
	return 0;
}

/* Whether what is there has the checksum that is wanted: then there is nothing to fetch. */
static int compare_existing(struct job *job, const char *name)
{
	const struct checksum *wanted = &job->wanted.checksum;
	struct checksum got = { .type = wanted->type };
	AUTO_FD fd = wanted->type && !job->spec->force ? open_ours(job, name) : -1;
	uint64_t bytes;

	if (fd < 0)
		return 0;
	if (hash_fd(fd, name, &got, 1, &bytes, job->interrupt_fd, job->err))
		return -1;
	job->unchanged = checksum_equal(&got, wanted);
	job->obtained.artifact.bytes = bytes;
	if (!job->unchanged)
		return 0;
	log_info("%s/%s has the right checksum already: nothing is fetched", job->directory, name);
	return dress(job, fd, name);
}

static int look_at_destination(struct job *job)
{
	const char *name = file_name(job);
	struct stat st;

	if (!name || fstatat(job->directory_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (S_ISDIR(st.st_mode))
		return error_set(job->err, STAGE_SETUP, EISDIR, "the destination %s/%s",
				 job->directory, name);
	if (compare_existing(job, name))
		return -1;
	if (job->unchanged || !job->placing.no_clobber)
		return 0;
	error_set(job->err, STAGE_SETUP, EEXIST, "the destination %s/%s", job->directory, name);
	return error_remedy(job->err, "leave out --no-clobber to replace it");
}

/*
 * One that had to wait for another process looks again what is there now, and downloads only if
 * that is not what is wanted.
 */
static int bring(struct job *job)
{
	struct fetch_target target = { .directory_fd = job->directory_fd,
				       .directory = job->directory,
				       .resumable = true,
				       .look_again =
					       job->wanted.checksum.type && !job->spec->force };

	place_clean(job->directory_fd);
	for (;;) {
		if (obtain(&job->wanted, &job->spec->fetch, &target, &job->placing,
			   job->directory_fd, job->interrupt_fd, job->pool, &job->obtained,
			   job->err))
			return -1;
		if (!job->obtained.artifact.waited)
			return 0;
		if (look_at_destination(job))
			return -1;
		if (job->unchanged)
			return 0;
		target.look_again = false;
	}
}

static int fetch_job(struct job *job, const struct arguments *arguments)
{
	struct fetch_target target = { 0 };
	struct source source = { 0 };

	if (fetch_read_options(job, arguments, &source) ||
	    obtain_inspect(&source, &job->spec->fetch, job->pool, &job->wanted, job->err))
		return -1;
	obtain_hide(&job->wanted, source.url, &job->spec->headers, source.checksum, arguments,
		    job->pool);
	take_archive(job);
	if (open_directory(job))
		return -1;
	target.directory_fd = job->directory_fd;
	target.directory = job->directory;
	if (obtain_checksum(&job->wanted, &job->spec->fetch, &target, job->interrupt_fd, job->pool,
			    job->err) ||
	    look_at_destination(job))
		return -1;
	return job->unchanged ? 0 : bring(job);
}

/* Where the result is: the file, or the directory that was unpacked into. */
static const char *result_path(const struct job *job)
{
	const char *name = job->unchanged ? file_name(job) : job->obtained.placed.name;

	if (!name)
		return job->directory;
	if (strcmp(job->directory, "/") == 0)
		return pool_printf(job->pool, "/%s", name);
	return job->spec->output && !strchr(job->spec->output, '/') ?
		       name :
		       pool_printf(job->pool, "%s/%s", job->directory, name);
}

static int print_result(struct job *job, int bad)
{
	const char *path = bad ? NULL : result_path(job);

	if (job->spec->json)
		return fetch_report_print(&job->wanted, &job->obtained, job->unchanged, path,
					  &job->started_at, bad ? job->err : NULL, job->err);
	if (path)
		puts(path);
	return 0;
}

/* A signal ends a download in order, so that what came is kept and nothing else. */
static int open_interrupt(struct error *err)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL))
		return error_set(err, STAGE_SETUP, errno, "receive signals");
	return fd;
}

static int fetch_main(const struct arguments *arguments, void *target, struct pool *pool,
		      int *status, struct error *err)
{
	AUTO_FD interrupt_fd = open_interrupt(err);
	struct job job = { .spec = target,
			   .pool = pool,
			   .interrupt_fd = interrupt_fd,
			   .directory_fd = -1,
			   .obtained = OBTAINED_INIT,
			   .err = err };
	struct error first;
	int bad;

	(void)status;
	if (interrupt_fd < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &job.started_at);
	bad = fetch_job(&job, arguments);
	drop_fd(&job.directory_fd);
	first = *err;
	if (print_result(&job, bad))
		return -1;
	*err = first;
	return bad;
}

static const char *const synopsis[] = { "[OPTIONS] URL", NULL };

const struct command command_fetch = {
	.name = "fetch",
	.summary = "download, verify and unpack an artifact",
	.synopsis = synopsis,
	.options = fetch_options,
	.target_bytes = sizeof(struct fetch_spec),
	.defaults = &fetch_defaults,
	.takes_operands = true,
	.statuses = { 1, 2, 3, 1, 1 },
	.run = fetch_main,
};
