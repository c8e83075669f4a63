/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `nomad-exec verify`: files against checksums, or their digests. Needs no root and changes
 * nothing. Sums files and what they name may come from anywhere: names are opened as they are, as
 * by `sha256sum -c`, and only read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/verify.h"

/* In the order of digest_types. */
static const char *const types[] = { "md5", "sha1", "sha256", "sha384", "sha512", NULL };

#define AT(field) offsetof(struct verification, field)

/* clang-format off */
static const struct option options[] = {
	{ .name = "checksum", .type = OPTION_STRING, .offset = AT(checksum), .value = "TYPE:HEX", .env = NOT_FROM_ENV,
	  .summary = "what FILE must hash to",
	  .manual = "What\n.Ar FILE\nmust hash to:\n.Li md5 , sha1 , sha256 , sha384\nor\n.Li sha512 ,\na colon, and the value in "
		    "hexadecimal; or the value alone." },
	{ .letter = 'c', .name = "check", .type = OPTION_STRING, .offset = AT(check), .value = "SUMS", .env = NOT_FROM_ENV,
	  .summary = "check what this sums file lists, or only each FILE",
	  .manual = "Check the files that the sums file\n.Ar SUMS\nlists; with\n.Ar FILE\narguments these alone." },
	{ .letter = 'p', .name = "print", .type = OPTION_STRING, .offset = AT(print), .value = "TYPE[,TYPE]", .env = NOT_FROM_ENV,
	  .summary = "print the digests of each FILE",
	  .manual = "Print the digests of each\n.Ar FILE ,\nwhich is read once for all types." },
	{ .name = "min-hash", .type = OPTION_CHOICE, .offset = AT(min_hash), .value = "TYPE", .choices = types,
	  .summary = "refuse checksums of weaker types (md5)",
	  .manual = "Refuse checksums of a type that is weaker than this one.\nThe order is\n.Li md5 , sha1 , sha256 , sha384 , sha512 .\n"
		    "The default is md5, which refuses none; md5 and sha1 are warned about." },
	{ .name = "ignore-missing", .type = OPTION_FLAG, .offset = AT(ignore_missing),
	  .summary = "pass over listed files that do not exist",
	  .manual = "Pass over files that do not exist.\nAt least one must." },
	{ .letter = 'q', .name = "quiet", .type = OPTION_FLAG, .offset = AT(quiet),
	  .summary = "no line for a file that is right",
	  .manual = "Print no line for a file that is right.\nThe same before the command silences the warnings too." },
	{ .name = "status", .type = OPTION_FLAG, .offset = AT(status),
	  .summary = "print no results, only end with the status" },
	{ .name = "strict", .type = OPTION_FLAG, .offset = AT(strict),
	  .summary = "a malformed line in the sums file is a failure, not a warning" },
	{ 0 },
};
/* clang-format on */

/*
 * The name as coreutils print it: raw, unless a newline, a carriage return or a backslash in it
 * could be taken for something else.
 */
static bool is_odd(const char *name)
{
	return strpbrk(name, "\\\n\r");
}

static void put_name(const char *name)
{
	bool odd = is_odd(name);

	for (; *name; name++)
		if (odd && strchr("\\\n\r", *name))
			printf("\\%c", *name == '\n' ? 'n' : *name == '\r' ? 'r' : '\\');
		else
			putchar(*name);
}

/* Ends a line of results. Nobody waits for the rest of them when one could not be written. */
static int end_line(struct error *err)
{
	putchar('\n');
	return ferror(stdout) ? error_set(err, STAGE_RUN, errno, "write to standard output") : 0;
}

static int say(const struct tally *tally, const char *name, const char *verdict, struct error *err)
{
	if (tally->spec->status)
		return 0;
	fputs(is_odd(name) ? "\\" : "", stdout);
	put_name(name);
	printf(": %s", verdict);
	return end_line(err);
}

int verify_open(const char *path)
{
	return strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
					open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int hash_file(const char *path, struct checksum *checksums, size_t n, uint64_t *bytes,
		     struct error *err)
{
	AUTO_FD fd = verify_open(path);

	if (fd < 0)
		return error_set(err, STAGE_VERIFY, errno, "open %.300s", path);
	return hash_fd(fd, strcmp(path, "-") == 0 ? "standard input" : path, checksums, n, bytes,
		       -1, err);
}

static int judge(struct tally *tally, const char *path, const struct checksum *wanted,
		 const struct checksum *got, uint64_t bytes, struct error *err)
{
	char expected[CHECKSUM_TEXT_BYTES], text[CHECKSUM_TEXT_BYTES];

	if (checksum_equal(wanted, got)) {
		tally->right++;
		return tally->spec->quiet ? 0 : say(tally, path, "OK", err);
	}
	tally->wrong++;
	checksum_format(wanted, expected);
	checksum_format(got, text);
	log_error("%.300s: expected %s, got %s (%llu bytes)", path, expected, text,
		  (unsigned long long)bytes);
	return say(tally, path, "FAILED", err);
}

int verify_file(struct tally *tally, const char *path, const struct checksum *wanted,
		struct error *err)
{
	struct checksum got = { .type = wanted->type };
	uint64_t bytes = 0;

	if (!tally->warned && digest_type_is_weak(wanted->type)) {
		checksum_warn_if_weak(wanted->type);
		tally->warned = true;
	}
	if (hash_file(path, &got, 1, &bytes, err) == 0)
		return judge(tally, path, wanted, &got, bytes, err);
	if (!err->errnum)
		return -1;
	if (tally->spec->ignore_missing && err->errnum == ENOENT)
		return 0;
	log_error("%s", err->text);
	tally->unreadable++;
	return say(tally, path, "FAILED open or read", err);
}

int verify_finish(const struct tally *tally, int *status, struct error *err)
{
	if (!tally->right && !tally->wrong && !tally->unreadable)
		return error_set(err, STAGE_VERIFY, 0, "no file was verified");
	/* That bytes are wrong is the graver news. */
	*status = tally->wrong ? 3 : tally->unreadable ? 1 : *status;
	return 0;
}

static int check_checksum(struct tally *tally, const struct arguments *arguments, int *status,
			  struct error *err)
{
	struct checksum wanted;

	if (checksum_parse(tally->spec->checksum, &wanted, err) ||
	    checksum_require(&wanted, tally->min_hash, err))
		return -1;
	if (arguments->argc - arguments->operands_from != 1)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--checksum is of one FILE, or of - for standard input");
	if (verify_file(tally, arguments->argv[arguments->operands_from], &wanted, err))
		return -1;
	return verify_finish(tally, status, err);
}

/* "sha256,md5" into checksums without a value yet. */
static int parse_types(const char *text, struct checksum *checksums, size_t *n, struct error *err)
{
	const char *all = text;

	for (*n = 0; text; (*n)++) {
		size_t length = strcspn(text, ",");
		const struct digest_type *type = digest_type_find(text, length);

		if (!type || *n == HASH_TYPES_MAX)
			return error_set_kind(
				err, STAGE_SETUP, ERROR_USAGE, 0,
				"--print %.100s: expected one or more of md5, sha1, sha256, sha384 and "
				"sha512, with commas between them",
				all);
		checksums[*n] = (struct checksum){ .type = type->name };
		text = text[length] ? text + length + 1 : NULL;
	}
	return 0;
}

/* As `sha256sum` does, or with the type as `sha256sum --tag` does, so that these read it again. */
static int print_digest(const char *path, const struct checksum *checksum, bool with_type,
			struct error *err)
{
	char hex[2 * DIGEST_BYTES_MAX + 1];

	digest_hex(checksum->digest, checksum->digest_bytes, hex);
	fputs(is_odd(path) ? "\\" : "", stdout);
	if (!with_type) {
		printf("%s  ", hex);
		put_name(path);
		return end_line(err);
	}
	for (const char *p = checksum->type; *p; p++)
		putchar(*p >= 'a' ? *p - 'a' + 'A' : *p);
	fputs(" (", stdout);
	put_name(path);
	printf(") = %s", hex);
	return end_line(err);
}

static int print_digests(const struct verification *spec, const struct arguments *arguments,
			 int *status, struct error *err)
{
	struct checksum checksums[HASH_TYPES_MAX];
	uint64_t bytes = 0;
	size_t n;

	if (parse_types(spec->print, checksums, &n, err))
		return -1;
	if (arguments->operands_from == arguments->argc)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "--print needs a FILE, or - for standard input");
	for (int i = arguments->operands_from; i < arguments->argc; i++) {
		const char *path = arguments->argv[i];

		if (hash_file(path, checksums, n, &bytes, err)) {
			if (!err->errnum)
				return -1;
			log_error("%s", err->text);
			*status = 1;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			if (print_digest(path, &checksums[k], n > 1, err))
				return -1;
	}
	return 0;
}

static int verify_main(const struct arguments *arguments, void *target, struct pool *pool,
		       int *status, struct error *err)
{
	struct verification *spec = target;
	struct tally tally = { .spec = spec, .min_hash = types[spec->min_hash] };

	if (!!spec->checksum + !!spec->check + !!spec->print != 1)
		return error_set_kind(err, STAGE_SETUP, ERROR_USAGE, 0,
				      "give one of --checksum, --check and --print");
	if (!log_enabled(LOG_WARN))
		spec->quiet = true;       /* `nomad-exec --quiet verify` */
	setvbuf(stdout, NULL, _IOLBF, 0); /* each verdict is seen when it is known */
	if (spec->checksum)
		return check_checksum(&tally, arguments, status, err);
	if (spec->check)
		return verify_sums(&tally, arguments, pool, status, err);
	return print_digests(spec, arguments, status, err);
}

static const struct verification defaults = { .min_hash = 0 };
static const char *const synopsis[] = { "[OPTIONS] --checksum TYPE:HEX FILE",
					"[OPTIONS] --check SUMS [FILE...]",
					"--print TYPE[,TYPE] FILE...", NULL };

const struct command command_verify = {
	.name = "verify",
	.summary = "check files against checksums, or print their digests",
	.synopsis = synopsis,
	.options = options,
	.target_bytes = sizeof(struct verification),
	.defaults = &defaults,
	.takes_operands = true,
	.statuses = { 1, 2, 3, 1, 1 },
	.run = verify_main,
};
