/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the options of `fetch` mean. Runs as anyone; every string may be hostile. Reads the user
 * database and the files of headers, changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/fetch.h"
#include "node/node.h"

static int usage(struct job *job, const char *problem, const char *word)
{
	return error_set_kind(job->err, STAGE_SETUP, ERROR_USAGE, 0, "%s%s", problem, word);
}

/* Octal, as chmod(1); without set-user-ID and the like, which nothing that was fetched gets. */
static int parse_permissions(struct job *job)
{
	const char *text = job->spec->permissions;
	char *end;
	unsigned long mode;

	if (!text)
		return 0;
	mode = strtoul(text, &end, 8);
	if (*text < '0' || *text > '7' || *end || mode > 0777)
		return usage(job, "--chmod: expected an octal mode from 0 to 777, not ", text);
	job->placing.permissions = (mode_t)mode;
	job->placing.set_permissions = true;
	return 0;
}

static int parse_owner(struct job *job)
{
	struct user user;

	if (!job->spec->owner)
		return 0;
	if (node_user(job->spec->owner, job->pool, &user, job->err))
		return error_prefix(job->err, "--chown");
	job->placing.uid = user.uid;
	job->placing.gid = user.gid;
	job->placing.set_owner = true;
	return 0;
}

static int parse_format(struct job *job)
{
	const char *format = job->spec->unpack;

	job->placing.format = format ? format : job->spec->output ? "no" : "auto";
	if (!format || strcmp(format, "auto") == 0 || strcmp(format, "no") == 0)
		return 0;
	for (size_t i = 0; place_formats[i]; i++)
		if (strcmp(place_formats[i], format) == 0)
			return 0;
	return usage(job, "--unpack: expected auto, no, or a format such as tar.gz or zip, not ",
		     format);
}

/* DIR/NAME of --output; a name that is no name of a file is refused. */
static int split_output(struct job *job)
{
	const char *output = job->spec->output, *slash = output ? strrchr(output, '/') : NULL;
	const char *name = slash ? slash + 1 : output;

	job->directory = job->spec->destination;
	if (!output)
		return 0;
	if (strcmp(job->spec->destination, fetch_defaults.destination) != 0)
		return usage(job, "--destination and --output: give one of them", "");
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return usage(job, "--output: it names no file: ", output);
	job->placing.name = name;
	job->placing.mode = ARTIFACT_FILE;
	job->directory = slash == output ? "/" :
			 slash ? pool_strndup(job->pool, output, (size_t)(slash - output)) :
				 ".";
	return job->directory ? 0 : pool_error(job->err, STAGE_SETUP);
}

int fetch_read_options(struct job *job, const struct arguments *arguments, struct source *source)
{
	struct fetch_spec *spec = job->spec;
	int operands = arguments->argc - arguments->operands_from;

	if (operands != 1)
		return operands ? usage(job, "more than one URL: ",
					arguments->argv[arguments->operands_from + 1]) :
				  usage(job, "no URL; name what to fetch", "");
	if (spec->force && spec->no_clobber)
		return usage(job, "--force and --no-clobber: give one of them", "");
	job->placing.mode = (enum artifact_mode)spec->mode;
	job->placing.strip_components = (unsigned int)spec->strip_components;
	job->placing.no_clobber = spec->no_clobber;
	if (split_output(job) || parse_format(job) || parse_permissions(job) || parse_owner(job))
		return -1;
	for (size_t i = 0; i < spec->header_files.n; i++)
		if (read_header_file(spec->header_files.v[i], &spec->headers, job->pool, job->err))
			return -1;
	*source = (struct source){ .url = arguments->argv[arguments->operands_from],
				   .checksum = spec->checksum,
				   .mode = job->placing.mode,
				   .headers = spec->headers };
	spec->fetch.allow_file = true;
	if (spec->json && spec->fetch.progress == PROGRESS_AUTO)
		spec->fetch.progress = PROGRESS_JSON;
	return 0;
}
