/* SPDX-License-Identifier: Apache-2.0 */
/* task -> artifact. Runs in the launcher as root; see fetch.h. */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <strings.h>

#include "base/auto.h"
#include "base/log.h"
#include "fetch/source.h"

/*
 * Without a name nothing is left behind, however this process ends. An overlay has no such files
 * before Linux 6.3, other file systems never: then the file has a name of ours, in a directory that
 * no task sees and that goes with the allocation.
 */
static int open_new(int directory_fd, const char **temporary, struct error *err)
{
	int fd = openat(directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	*temporary = NULL;
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		*temporary = ".artifact";
		fd = openat(directory_fd, *temporary,
			    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		error_set(err, STAGE_FETCH, errno,
			  "make a file for the artifact in the task directory");
	return fd;
}

/*
 * The same file, read-only and at offset 0; the descriptor that was written through is closed, with
 * a check. A file that somebody has open for writing cannot be executed (ETXTBSY).
 */
static int seal(int *fd, struct error *err)
{
	char self[40];
	AUTO_FD sealed = -1;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", *fd);
	sealed = open(self, O_RDONLY | O_CLOEXEC);
	if (sealed < 0)
		return error_set(err, STAGE_FETCH, errno, "reopen the artifact through %s", self);
	if (close(take_fd(fd)))
		return error_set(err, STAGE_FETCH, errno, "close the artifact that was written");
	return take_fd(&sealed);
}

static void warn(const struct url *url, bool have_checksum)
{
	static const char *const archives[] = { "*.tar", "*.tgz", "*.tbz2", "*.txz", "*.tzst",
						"*.zip", "*.gz",  "*.bz2",  "*.xz",  "*.zst" };

	if (!have_checksum && strncasecmp(url->text, "http:", 5) == 0)
		log_warn(
			"artifact " URL_FORMAT
			": fetched over plain http without a checksum: whoever is on the way can replace it",
			url->safe);
	for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
		if (fnmatch(archives[i], url->name, FNM_CASEFOLD) == 0) {
			log_warn(
				"artifact %s: kept as it is: this version does not unpack archives",
				url->name);
			break;
		}
}

int fetch(const struct task *task, bool have_checksum, int directory_fd, int interrupt_fd,
	  struct pool *pool, struct artifact *artifact, struct error *err)
{
	AUTO_FD fd = -1, sealed = -1;
	const char *temporary;
	struct sink sink;
	struct url url;

	*artifact = (struct artifact)ARTIFACT_INIT;
	if (url_parse(task->artifact_source, pool, &url, err))
		return -1;
	fd = open_new(directory_fd, &temporary, err);
	if (fd < 0)
		return -1;
	sink = (struct sink){ .fd = fd, .interrupt_fd = interrupt_fd, .safe = url.safe };
	if (url.path ? fetch_file(&url, &sink, err) : fetch_http(&url, &sink, pool, err))
		return -1;
	sealed = seal(&fd, err);
	if (sealed < 0)
		return -1;
	warn(&url, have_checksum);
	*artifact = (struct artifact){ .fd = take_fd(&sealed),
				       .lock_fd = -1,
				       .directory_fd = directory_fd,
				       .temporary = temporary,
				       .name = url.name,
				       .url = url.safe,
				       .bytes = sink.bytes };
	return 0;
}

const char *fetch_safe_source(const char *source, struct pool *pool)
{
	return url_redact(source, pool);
}

void artifact_release(struct artifact *artifact)
{
	drop_fd(&artifact->fd);
}
