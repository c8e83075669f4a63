/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges the names in archives. Runs in the child that unpacks; every byte is hostile. Everything
 * is decided here, before the file system sees a name, and the writer does not rely on it
 * (writer.c).
 */
#include "place/entry.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* Text that would be shown otherwise than it is has control characters, or is not UTF-8. */
static bool is_plain_text(const char *text, size_t length)
{
	char copy[ENTRY_NAME_BYTES];

	memcpy(copy, text, length + 1);
	text_defuse(copy);
	return strcmp(copy, text) == 0;
}

static const char *text_problem(const char *text)
{
	size_t length = strlen(text);

	if (length >= ENTRY_NAME_BYTES)
		return "it is longer than 4096 bytes";
	if (!is_plain_text(text, length))
		return "it has a control character in it, or is not UTF-8";
	if (strchr(text, '\\'))
		return "it has a backslash in it";
	return NULL;
}

static bool is_drive(const char *name)
{
	return ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z')) &&
	       name[1] == ':';
}

static bool is_dots(const char *part, size_t length, size_t dots)
{
	return length == dots && strncmp(part, "..", dots) == 0;
}

/* The next part at or after *at, and its length; 0: there is none. */
static const char *next_part(const char *at, size_t *length)
{
	at += strspn(at, "/");
	*length = strcspn(at, "/");
	return at;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length > n && strncmp(text + length - n, end, n) == 0;
}

/* What fetch goes on with the next time: nobody else may write that. */
static bool is_partial(const char *part, size_t length)
{
	return part[0] == '.' &&
	       (ends_with(part, length, ".part") || ends_with(part, length, ".part.state"));
}

const char *entry_name_problem(const char *name, unsigned int depth_max)
{
	const char *problem = text_problem(name);
	unsigned int depth = 0;
	size_t length;

	if (problem)
		return problem;
	if (name[0] == '/')
		return "it is absolute";
	if (is_drive(name))
		return "it begins with the name of a drive";
	for (const char *part = next_part(name, &length); length;
	     part = next_part(part + length, &length)) {
		if (is_dots(part, length, 2))
			return "it has a .. in it";
		if (length >= ENTRY_PART_BYTES)
			return "a part of it is longer than 255 bytes";
		if (strncmp(part, OUR_PREFIX, strlen(OUR_PREFIX)) == 0)
			return "names that begin with " OUR_PREFIX " are taken";
		if (is_partial(part, length))
			return "it has the name of a partial download";
		if (!is_dots(part, length, 1) && ++depth > depth_max)
			return "it lies too deep";
	}
	return NULL;
}

const char *entry_kind_problem(mode_t kind)
{
	switch (kind & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
		return NULL;
	case S_IFCHR:
	case S_IFBLK:
		return "it is a device";
	case S_IFIFO:
		return "it is a fifo";
	case S_IFSOCK:
		return "it is a socket";
	default:
		return "it is of an unknown kind";
	}
}

void entry_name_clean(const char *name, unsigned int strip, char *clean)
{
	char *end = clean;
	size_t length;

	for (const char *part = next_part(name, &length); length;
	     part = next_part(part + length, &length)) {
		if (is_dots(part, length, 1))
			continue;
		if (strip) {
			strip--;
			continue;
		}
		if (end > clean)
			*end++ = '/';
		memcpy(end, part, length);
		end += length;
	}
	*end = '\0';
}

static unsigned int directories_above(const char *clean)
{
	unsigned int n = 0;

	while ((clean = strchr(clean, '/'))) {
		clean++;
		n++;
	}
	return n;
}

const char *entry_link_problem(const char *clean, const char *target)
{
	unsigned int above = directories_above(clean);
	bool named = false;
	size_t length;

	if (!*target)
		return "it links to nothing";
	if (text_problem(target))
		return "what it links to has a control character or a backslash in it, is not UTF-8, or too long";
	if (target[0] == '/' || is_drive(target))
		return "what it links to is absolute";
	for (const char *part = next_part(target, &length); length;
	     part = next_part(part + length, &length)) {
		if (is_dots(part, length, 2) && named)
			return "what it links to has a .. after a name";
		if (is_dots(part, length, 2) && above-- == 0)
			return "it links to outside of the archive";
		if (!is_dots(part, length, 1) && !is_dots(part, length, 2))
			named = true;
	}
	return NULL;
}
