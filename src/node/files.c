/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads files of /proc, /sys and /etc below a directory that stands for the root.
 *
 * These files are the kernel's or root's and trusted; they may be missing, be of any length and, in
 * /proc, have no size. Paths are constants of ours, numbers, or mount points that the kernel
 * listed.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/survey.h"

#define FIRST_READ_BYTES ((size_t)4096)
#define MOUNTINFO_BYTES ((size_t)32 << 20)

static void *scratch_alloc(struct survey *survey, size_t size)
{
	void *data = pool_alloc(survey->scratch, size);

	if (!data)
		survey->out_of_memory = true;
	return data;
}

/* Fills text up to size; returns how much there was, or -1. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, text + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

char *read_text(struct survey *survey, const char *path, size_t max)
{
	AUTO_FD fd = openat(survey->root_fd, path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t used = 0, size = 0;

	if (fd < 0)
		return NULL;
	while (used == size && size < max) {
		const char *old = text;
		ssize_t n;

		size = size ? size * 2 : FIRST_READ_BYTES;
		size = size < max ? size : max;
		text = scratch_alloc(survey, size + 1);
		if (!text)
			return NULL;
		if (used)
			memcpy(text, old, used);
		n = read_all(fd, text + used, size - used);
		if (n < 0)
			return NULL;
		used += (size_t)n;
	}
	return text;
}

/* Opens the formatted path and reads the first line into place. */
__attribute__((format(printf, 4, 0))) static int read_line_v(const struct survey *survey,
							     char *line, size_t size,
							     const char *format, va_list ap)
{
	char path[PATH_MAX];
	int length = vsnprintf(path, sizeof(path), format, ap);
	ssize_t n;

	if (length < 0 || (size_t)length >= sizeof(path))
		return -1;

	AUTO_FD fd = openat(survey->root_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read_all(fd, line, size);
	if (n < 0 || (size_t)n == size)
		return -1;
	line[n] = '\0';
	n = (ssize_t)strcspn(line, "\n");
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		n--;
	line[n] = '\0';
	return n ? 0 : -1;
}

int read_line(const struct survey *survey, char *line, size_t size, const char *path, ...)
{
	va_list ap;
	int failed;

	va_start(ap, path);
	failed = read_line_v(survey, line, size, path, ap);
	va_end(ap);
	return failed;
}

int read_number(const struct survey *survey, uint64_t *number, const char *path, ...)
{
	char line[32], *end;
	uint64_t value;
	va_list ap;
	int failed;

	va_start(ap, path);
	failed = read_line_v(survey, line, sizeof(line), path, ap);
	va_end(ap);
	if (failed || !isdigit((unsigned char)*line))
		return -1;
	errno = 0;
	value = strtoull(line, &end, 10);
	if (errno || *end)
		return -1;
	*number = value;
	return 0;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

const char *find_field(struct survey *survey, const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = next_line(line)) {
		const char *value = line + length;
		size_t n;
		char *copy;

		if (strncmp(line, key, length) != 0)
			continue;
		value += strspn(value, " \t");
		if (*value++ != ':')
			continue;
		value += strspn(value, " \t");
		n = strcspn(value, "\n");
		while (n && isspace((unsigned char)value[n - 1]))
			n--;
		copy = scratch_alloc(survey, n + 1);
		return copy && n ? memcpy(copy, value, n) : NULL;
	}
	return NULL;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/*
 * Undoes, in place, the octal escapes of blanks and backslashes. Control characters stay escaped:
 * the source of a FUSE mount is a user's choice, and may end up on a terminal.
 */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		int c = 0;

		if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3]))
			c = (from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0');
		if (c < 0x20 || c == 0x7f || c > 0xff)
			c = (unsigned char)*from++;
		else
			from += 4;
		*to = (char)c;
	}
	*to = '\0';
	return text;
}

/* Splits a line in place. The optional fields in its middle end with a lone hyphen. */
static bool parse_mount(char *line, struct mount *mount)
{
	char *fields[9] = { NULL }, *field;
	size_t n = 0;

	while (n < 6 && (field = strsep(&line, " ")))
		fields[n++] = field;
	do
		field = strsep(&line, " ");
	while (field && strcmp(field, "-") != 0);
	while (n < 9 && (field = strsep(&line, " ")))
		fields[n++] = field;
	if (n < 9)
		return false;
	*mount = (struct mount){
		.id = fields[0],
		.point = unescape(fields[4]),
		.options = fields[5],
		.type = fields[6],
		.source = unescape(fields[7]),
		.super_options = fields[8],
	};
	return true;
}

void survey_mounts(struct survey *survey)
{
	char *text = read_text(survey, "proc/self/mountinfo", MOUNTINFO_BYTES), *line;
	size_t lines = 1;

	if (!text)
		return;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	survey->mounts = scratch_alloc(survey, lines * sizeof(*survey->mounts));
	if (!survey->mounts)
		return;
	while ((line = strsep(&text, "\n")))
		survey->mounts_n += parse_mount(line, &survey->mounts[survey->mounts_n]);
}
