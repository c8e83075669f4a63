/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that a download goes into, and the one beside it that tells a later process how to go
 * on. Runs in the launcher as root, or in `fetch` as anyone. The directory may be one that others
 * write to: nothing is followed, and a file that others could have written is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "fetch/source.h"

#define STATE_BYTES_MAX 16384
#define STATE_FIRST_LINE "nomad-exec download 1"
#define LOCK_POLL_MS 100

/*
 * An overlay has no files without a name before Linux 6.3, other file systems never: then one loses
 * its name at once, and is copied when it is placed.
 */
static int open_and_unlink(int directory_fd)
{
	char name[40];
	uint64_t chance;
	int fd;

	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return -1;
	snprintf(name, sizeof(name), ".nomad-exec-%016" PRIx64, chance);
	fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(directory_fd, name, 0);
	return fd;
}

int partial_open_unnamed(struct partial *partial, struct error *err)
{
	partial->name = partial->state = NULL;
	partial->fd = openat(partial->directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (partial->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		partial->fd = open_and_unlink(partial->directory_fd);
	return partial->fd >= 0 ?
		       0 :
		       error_set(err, STAGE_FETCH, errno, "make a file for the artifact in %s",
				 partial->directory);
}

/* Nobody else may have written it, nor be able to. */
static int check_ours(struct partial *partial, struct stat *st, struct error *err)
{
	if (fstat(partial->fd, st))
		return error_set(err, STAGE_FETCH, errno, "look at %s", partial->name);
	if (S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & 022) &&
	    st->st_nlink <= 1)
		return 0;
	partial->foreign = true;
	error_set(err, STAGE_FETCH, 0, "the partial file %s/%s is not ours alone",
		  partial->directory, partial->name);
	return error_remedy(err, "remove it");
}

/* Whether the name still leads to the file that was opened: who had it before may have moved it. */
static bool is_current(const struct partial *partial, const struct stat *opened)
{
	struct stat st;

	return fstatat(partial->directory_fd, partial->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == opened->st_dev && st.st_ino == opened->st_ino;
}

static int open_file(struct partial *partial, struct error *err)
{
	partial->fd = openat(partial->directory_fd, partial->name,
			     O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return partial->fd >= 0 ? 0 :
				  error_set(err, STAGE_FETCH, errno, "open the partial file %s/%s",
					    partial->directory, partial->name);
}

/* Opens and locks; waits while another process downloads the same. */
static int lock_file(struct partial *partial, int interrupt_fd, struct error *err)
{
	const struct sink waiting = { .interrupt_fd = interrupt_fd, .safe = partial->name };
	struct stat st;

	for (;;) {
		if (open_file(partial, err) || check_ours(partial, &st, err))
			return -1;
		while (flock(partial->fd, LOCK_EX | LOCK_NB)) {
			if (errno != EWOULDBLOCK && errno != EINTR)
				return error_set(err, STAGE_FETCH, errno, "lock %s", partial->name);
			if (!partial->waited)
				log_info("waiting for the process that downloads %s",
					 partial->name);
			partial->waited = true;
			if (sink_interrupted(&waiting, LOCK_POLL_MS, err))
				return -1;
		}
		if (is_current(partial, &st))
			return 0;
		drop_fd(&partial->fd);
	}
}

/* The value behind the word of a line; NULL: the text has no such line. */
static const char *state_value(char *text, const char *word)
{
	size_t length = strlen(word);

	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, word, length) == 0 && line[length] == ' ')
			return line + length + 1;
	return NULL;
}

static bool line_is(const char *value, const char *expected)
{
	size_t length = strlen(expected);

	return value && strncmp(value, expected, length) == 0 && value[length] == '\n';
}

/* What an earlier process noted down; all that is not plainly good means to begin anew. */
static void read_state(struct partial *partial, char *text)
{
	const char *etag = state_value(text, "etag"), *total = state_value(text, "total"),
		   *bytes = state_value(text, "bytes");
	size_t length = etag ? strcspn(etag, "\n") : sizeof(partial->validator.etag);
	struct stat st;

	if (strncmp(text, STATE_FIRST_LINE "\n", strlen(STATE_FIRST_LINE) + 1) != 0 ||
	    !line_is(state_value(text, "source"), partial->identity) || !total || !bytes ||
	    length >= sizeof(partial->validator.etag) || fstat(partial->fd, &st))
		return;
	memcpy(partial->validator.etag, etag, length);
	partial->validator.etag[length] = '\0';
	partial->validator.total = strtoull(total, NULL, 10);
	partial->bytes = line_is(bytes, "all") ? UINT64_MAX : strtoull(bytes, NULL, 10);
	if (partial->bytes > (uint64_t)st.st_size)
		partial->bytes = (uint64_t)st.st_size;
}

static void load_state(struct partial *partial)
{
	AUTO_FD fd = openat(partial->directory_fd, partial->state,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[STATE_BYTES_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	struct stat st;

	if (n <= 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & 022)
		return;
	text[n] = '\0';
	read_state(partial, text);
}

/*
 * The lock stays with the description that took it, and the bytes are written through another one,
 * which can be closed, with a check, while the lock is held.
 */
static int separate_lock(struct partial *partial, struct error *err)
{
	char self[40];

	partial->lock_fd = partial->fd;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", partial->lock_fd);
	partial->fd = open(self, O_RDWR | O_CLOEXEC);
	return partial->fd >= 0 ? 0 :
				  error_set(err, STAGE_FETCH, errno,
					    "reopen the partial file through %s", self);
}

int partial_open(struct partial *partial, const char *name, const char *identity, int interrupt_fd,
		 struct pool *pool, struct error *err)
{
	partial->identity = identity;
	partial->name = pool_printf(pool, ".%.240s.part", name);
	partial->state = pool_printf(pool, ".%.240s.part.state", name);
	if (!partial->name || !partial->state)
		return pool_error(err, STAGE_FETCH);
	if (lock_file(partial, interrupt_fd, err)) {
		if (!partial->foreign)
			return -1;
		/* In a directory that many share, anybody can be in the way. */
		log_info("%s; it is passed over", err->text);
		drop_fd(&partial->fd);
		return partial_open_unnamed(partial, err);
	}
	if (separate_lock(partial, err))
		return -1;
	load_state(partial);
	return 0;
}

int partial_note(const struct partial *partial, uint64_t bytes, struct error *err)
{
	const struct validator *known = &partial->validator;
	AUTO_FD fd = -1;
	int n;

	if (!partial->state)
		return 0;
	if (unlinkat(partial->directory_fd, partial->state, 0) && errno != ENOENT)
		return error_set(err, STAGE_FETCH, errno, "replace %s", partial->state);
	fd = openat(partial->directory_fd, partial->state,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, STAGE_FETCH, errno, "make %s", partial->state);
	n = dprintf(fd, STATE_FIRST_LINE "\nsource %s\netag %s\ntotal %" PRIu64 "\nbytes ",
		    partial->identity, known->etag, known->total);
	if (n > 0)
		n = bytes == UINT64_MAX ? dprintf(fd, "all\n") :
					  dprintf(fd, "%" PRIu64 "\n", bytes);
	if (n < 0 || close(take_fd(&fd)))
		return error_set(err, STAGE_FETCH, errno, "write %s", partial->state);
	return 0;
}

void partial_complete(const struct partial *partial)
{
	if (partial->state)
		unlinkat(partial->directory_fd, partial->state, 0);
}

void partial_abandon(const struct partial *partial)
{
	partial_complete(partial);
	if (partial->name)
		unlinkat(partial->directory_fd, partial->name, 0);
}

void partial_release(struct partial *partial)
{
	drop_fd(&partial->lock_fd);
	drop_fd(&partial->fd);
}
