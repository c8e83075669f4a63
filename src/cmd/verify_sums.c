/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `nomad-exec verify --check`: what a sums file says, against the files. Needs no root. The sums
 * file may be hostile: it is bounded, and what it names is only read.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cmd/verify.h"

/* What a sums file holds. */
struct listing {
	const char *path; /* for messages */
	char *bytes;
	size_t n;
	bool is_stdin;
};

static int read_listing(struct listing *listing, struct pool *pool, struct error *err)
{
	AUTO_FD fd = verify_open(listing->is_stdin ? "-" : listing->path);
	ssize_t got = 1;

	if (fd < 0)
		return error_set(err, STAGE_VERIFY, errno, "read %.300s", listing->path);
	listing->bytes = pool_alloc(pool, SUMS_BYTES_MAX + 1);
	if (!listing->bytes)
		return pool_error(err, STAGE_VERIFY);
	while (got > 0 && listing->n <= SUMS_BYTES_MAX) {
		got = read(fd, listing->bytes + listing->n, SUMS_BYTES_MAX + 1 - listing->n);
		listing->n += got > 0 ? (size_t)got : 0;
	}
	return got < 0 ? error_set(err, STAGE_VERIFY, errno, "read %.300s", listing->path) : 0;
}

/* When the sums file is standard input, nothing is left of it that a line could be checked with. */
static enum sums_line next_line(const struct listing *listing, struct sums *sums)
{
	enum sums_line line = sums_next(sums);

	return line == SUMS_NAMED && listing->is_stdin && strcmp(sums->name, "-") == 0 ?
		       SUMS_MALFORMED :
		       line;
}

/*
 * Whether there is something to check with. A checksum without a name is of use only where the
 * files are named.
 */
static int survey(const struct listing *listing, bool are_named, size_t *malformed,
		  struct error *err)
{
	size_t first = 0, good = 0;
	enum sums_line line;
	struct sums sums;

	if (sums_begin(&sums, listing->bytes, listing->n, err))
		return error_prefix(err, "%.300s", listing->path);
	for (*malformed = 0; (line = next_line(listing, &sums)) != SUMS_END;) {
		if (line == SUMS_NAMED || (line == SUMS_BARE && are_named)) {
			good++;
			continue;
		}
		if (!(*malformed)++)
			first = sums.line;
	}
	if (!good)
		return error_set(err, STAGE_VERIFY, 0,
				 "%.300s: it has no line with a checksum and a file name",
				 listing->path);
	if (*malformed)
		log_warn("%.300s: malformed lines: %zu, the first is line %zu", listing->path,
			 *malformed, first);
	return 0;
}

static int check_listed(struct tally *tally, const struct listing *listing, struct error *err)
{
	enum sums_line line;
	struct sums sums;

	if (sums_begin(&sums, listing->bytes, listing->n, err))
		return -1;
	while ((line = next_line(listing, &sums)) != SUMS_END) {
		if (line != SUMS_NAMED)
			continue;
		if (checksum_require(&sums.checksum, tally->min_hash, err)) {
			log_error("%.300s, line %zu: %s", listing->path, sums.line, err->text);
			tally->unreadable++;
		} else if (verify_file(tally, sums.name, &sums.checksum, err)) {
			return -1;
		}
	}
	return 0;
}

static int check_named(struct tally *tally, const struct listing *listing, const char *path,
		       struct error *err)
{
	const char *slash = strrchr(path, '/');
	struct sums_match match;
	int bad =
		sums_find(listing->bytes, listing->n, slash ? slash + 1 : path, path, &match, err);

	if (!bad && checksum_require(&match.checksum, tally->min_hash, err))
		bad = error_prefix(err, "%.200s", path);
	if (bad) {
		log_error("%.300s: %s", listing->path, err->text);
		tally->unreadable++;
		return 0;
	}
	if (match.by_base_name)
		log_info("%.300s: the checksum for %.200s is the one listed for %.200s",
			 listing->path, path, match.name);
	return verify_file(tally, path, &match.checksum, err);
}

int verify_sums(struct tally *tally, const struct arguments *arguments, struct pool *pool,
		int *status, struct error *err)
{
	bool is_stdin = strcmp(tally->spec->check, "-") == 0;
	struct listing listing = { .path = is_stdin ? "standard input" : tally->spec->check,
				   .is_stdin = is_stdin };
	bool are_named = arguments->operands_from < arguments->argc;
	size_t malformed = 0;

	if (read_listing(&listing, pool, err) || survey(&listing, are_named, &malformed, err))
		return -1;
	if (!are_named && check_listed(tally, &listing, err))
		return -1;
	for (int i = arguments->operands_from; i < arguments->argc; i++)
		if (check_named(tally, &listing, arguments->argv[i], err))
			return -1;
	*status = malformed && tally->spec->strict ? 1 : 0;
	return verify_finish(tally, status, err);
}
