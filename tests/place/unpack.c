/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places one local file by the stage itself, with the options that `nomad-exec fetch` has for it,
 * so that tests/run/56-unpack.sh can drive the stage alone: with UNPACK=…/unpack in the
 * environment.
 *
 *   unpack [--destination DIR] [--unpack auto|no|FORMAT] [--mode any|file|dir] [--output-name NAME]
 *          [--strip-components N] [--chmod MODE] [--chown UID:GID] [--no-clobber] [--clean]
 *          [FILE]
 *
 * Prints the number of files and of bytes. The status is 0, 1 (failed) or 2 (wrong use). The file
 * is copied to an unnamed one beside it first, as fetch would.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "place/place.h"

struct options {
	const char *destination, *file;
	bool clean;
	struct placing how;
};

static int set(struct options *options, const char *name, const char *value)
{
	static const char *const modes[] = { "any", "file", "dir" };
	struct placing *how = &options->how;

	if (strcmp(name, "--destination") == 0)
		options->destination = value;
	else if (strcmp(name, "--unpack") == 0)
		how->format = value;
	else if (strcmp(name, "--output-name") == 0)
		how->name = value;
	else if (strcmp(name, "--strip-components") == 0)
		how->strip_components = (unsigned int)strtoul(value, NULL, 10);
	else if (strcmp(name, "--chmod") == 0) {
		how->set_permissions = true;
		how->permissions = (mode_t)strtoul(value, NULL, 8);
	} else if (strcmp(name, "--chown") == 0) {
		char *rest;

		how->set_owner = true;
		how->uid = (uid_t)strtoul(value, &rest, 10);
		how->gid = *rest ? (gid_t)strtoul(rest + 1, NULL, 10) : how->uid;
	} else if (strcmp(name, "--mode") == 0) {
		for (int i = 0; i < 3; i++)
			if (strcmp(modes[i], value) == 0)
				how->mode = (enum artifact_mode)i;
	} else {
		return -1;
	}
	return 0;
}

static int parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--no-clobber") == 0)
			options->how.no_clobber = true;
		else if (strcmp(argv[i], "--clean") == 0)
			options->clean = true;
		else if (strncmp(argv[i], "--", 2) != 0)
			options->file = argv[i];
		else if (i + 1 == argc || set(options, argv[i], argv[i + 1]))
			return -1;
		else
			i++;
	}
	return options->file || options->clean ? 0 : -1;
}

/* Read-only in the end, as what fetch hands on. */
static int copy_unnamed(const char *path, uint64_t *bytes)
{
	AUTO_FD from = open(path, O_RDONLY | O_CLOEXEC), to = -1;
	const char *slash = strrchr(path, '/');
	char self[40], directory[4096] = ".";
	ssize_t n;

	if (slash)
		snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
	to = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (from < 0 || to < 0)
		return -1;
	*bytes = 0;
	while ((n = sendfile(to, from, NULL, 1 << 30)) > 0)
		*bytes += (uint64_t)n;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", to);
	return n ? -1 : open(self, O_RDONLY | O_CLOEXEC);
}

static int run(const struct options *options, struct pool *pool)
{
	AUTO_FD directory = open(options->destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct verified verified = VERIFIED_INIT;
	const char *slash = options->file ? strrchr(options->file, '/') : NULL;
	struct placed placed;
	struct error err;
	int bad;

	if (directory < 0)
		return 2;
	if (options->clean)
		place_clean(directory);
	if (!options->file)
		return 0;
	verified.name = slash ? slash + 1 : options->file;
	verified.fd = copy_unnamed(options->file, &verified.bytes);
	if (verified.fd < 0)
		return 2;
	bad = place(&options->how, directory, &verified, -1, pool, &placed, &err);
	auto_close(&verified.fd);
	if (bad) {
		log_error("%s", err.text);
		return 1;
	}
	printf("%llu files, %llu bytes\n", (unsigned long long)placed.files,
	       (unsigned long long)placed.bytes);
	return 0;
}

int main(int argc, char **argv)
{
	AUTO_POOL pool = POOL_INIT(1 << 20);
	struct options options = { .destination = "." };

	if (parse(argc, argv, &options))
		return 2;
	return run(&options, &pool);
}
