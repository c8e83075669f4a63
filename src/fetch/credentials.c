/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where credentials for S3 are found. Runs in the launcher as root, with root's environment and
 * files, which are trusted not to be hostile but not to be right: what is read is bounded, a value
 * that would end a header early is refused, and no message quotes one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "fetch/s3.h"

#define FILE_BYTES_MAX (64 << 10)
#define BLANKS " \t\r"

/* A place and what the three are called there. */
struct place {
	const char *name, *key_id, *secret, *token;
};

static const struct place in_source = { "the artifact source", "aws_access_key_id",
					"aws_access_key_secret", "aws_access_token" };
static const struct place in_environment = { "the environment", "AWS_ACCESS_KEY_ID",
					     "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };

static int check_value(const struct place *place, const char *name, const char *value,
		       struct error *err)
{
	for (; value && *value; value++)
		if (*value <= ' ' || *value > '~')
			return error_set_kind(
				err, STAGE_FETCH, ERROR_USAGE, 0,
				"credentials for S3: %s in %s has a character that is no visible ASCII",
				name, place->name);
	return 0;
}

/* All or nothing: a key without its secret is a mistake, not a wish to be anonymous. */
static int check(const struct place *place, const struct s3_credentials *found, struct error *err)
{
	bool any = found->key_id || found->secret || found->token;

	if (any && (!found->key_id || !found->secret))
		return error_set_kind(err, STAGE_FETCH, ERROR_USAGE, 0,
				      "credentials for S3: %s has no %s, or an empty one, but %s",
				      place->name, found->key_id ? place->secret : place->key_id,
				      found->key_id ? place->key_id :
				      found->secret ? place->secret :
						      place->token);
	if (check_value(place, place->key_id, found->key_id, err) ||
	    check_value(place, place->secret, found->secret, err))
		return -1;
	return check_value(place, place->token, found->token, err);
}

/* NULL also for an empty one. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* --- the shared file ------------------------------------------------------------------------- */

/*
 * The text of the file, with a NUL behind it; NULL when it is not there and not needed. Never waits
 * for a fifo.
 */
static int read_file(const char *path, bool needed, struct pool *pool, char **text,
		     struct error *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	*text = NULL;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !needed)
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return error_set(err, STAGE_FETCH, errno, "credentials for S3: open %.300s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return error_set(
			err, STAGE_FETCH, 0,
			"credentials for S3: %.300s is not a regular file of at most 64 KiB", path);
	*text = pool_alloc(pool, (size_t)st.st_size + 1);
	if (!*text)
		return pool_error(err, STAGE_FETCH);
	for (off_t used = 0; used < st.st_size; used += n) {
		n = read(fd, *text + used, (size_t)(st.st_size - used));
		if (n < 0)
			return error_set(err, STAGE_FETCH, errno, "credentials for S3: read %.300s",
					 path);
		if (n == 0)
			break;
	}
	return 0;
}

/* Without the blanks at both ends, in place. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length && strchr(BLANKS, text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void read_setting(char *line, struct s3_credentials *found)
{
	char *value = strchr(line, '=');

	if (!value)
		return;
	*value++ = '\0';
	line = trim(line);
	value = trim(value);
	if (!*value)
		value = NULL;
	if (strcmp(line, "aws_access_key_id") == 0)
		found->key_id = value;
	else if (strcmp(line, "aws_secret_access_key") == 0)
		found->secret = value;
	else if (strcmp(line, "aws_session_token") == 0)
		found->token = value;
}

/*
 * Reads the settings of one profile out of the text, which is taken apart: lines of [PROFILE],
 * NAME = VALUE, and comments, which begin with # or ;. Returns whether there is such a profile.
 * Source: "Using shared config and credentials files", AWS SDKs and Tools Reference Guide.
 */
static bool read_profile(char *text, const char *profile, struct s3_credentials *found)
{
	bool here = false, seen = false;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		line = trim(line);
		if (*line == '[') {
			line[strcspn(line, "]")] = '\0';
			here = strcmp(trim(line + 1), profile) == 0;
			seen |= here;
		} else if (here && *line != '#' && *line != ';') {
			read_setting(line, found);
		}
	}
	return seen;
}

/* *path NULL: there is nowhere to look. needed: the user named the file, or a profile in it. */
static int find_file(bool *needed, struct pool *pool, const char **path, struct error *err)
{
	const char *home = variable("HOME");

	*path = variable("AWS_SHARED_CREDENTIALS_FILE");
	*needed = *path || variable("AWS_PROFILE");
	if (*path || (!home && !*needed))
		return 0;
	if (!home)
		return error_set_kind(
			err, STAGE_FETCH, ERROR_USAGE, 0,
			"credentials for S3: AWS_PROFILE is set, but neither HOME nor AWS_SHARED_CREDENTIALS_FILE is");
	*path = pool_printf(pool, "%s/.aws/credentials", home);
	return *path ? 0 : pool_error(err, STAGE_FETCH);
}

static int find_in_file(struct pool *pool, struct s3_credentials *found, struct error *err)
{
	const char *wanted = variable("AWS_PROFILE"), *profile = wanted ? wanted : "default", *path;
	struct place place = { NULL, "aws_access_key_id", "aws_secret_access_key",
			       "aws_session_token" };
	char *text = NULL;
	bool needed;

	if (find_file(&needed, pool, &path, err) ||
	    (path && read_file(path, needed, pool, &text, err)))
		return -1;
	if (!text || (!read_profile(text, profile, found) && !wanted))
		return 0;
	place.name = pool_printf(pool, "profile %.100s of %.300s", profile, path);
	if (!place.name)
		return pool_error(err, STAGE_FETCH);
	if (wanted && !found->key_id && !found->secret && !found->token)
		return error_set_kind(
			err, STAGE_FETCH, ERROR_USAGE, 0,
			"credentials for S3: there is no aws_access_key_id in %s, which AWS_PROFILE names",
			place.name);
	return check(&place, found, err);
}

int s3_find_credentials(const struct s3_object *object, struct pool *pool,
			struct s3_credentials *credentials, struct error *err)
{
	*credentials = object->credentials;
	if (check(&in_source, credentials, err))
		return -1;
	if (credentials->key_id)
		return 0;
	*credentials = (struct s3_credentials){ variable(in_environment.key_id),
						variable(in_environment.secret),
						variable(in_environment.token) };
	if (check(&in_environment, credentials, err))
		return -1;
	return credentials->key_id ? 0 : find_in_file(pool, credentials, err);
}
