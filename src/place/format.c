/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suffixes and the first bytes of files. Runs in the launcher; the name is checked already, the
 * bytes are hostile: nothing more is made of them than the word in an error message.
 */
#include "place/format.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "place/place.h"

#define BEGINNING_BYTES 512 /* a block of a tar archive, whose magic comes late */

static const struct format formats[] = {
	{ "tar", CONTAINER_TAR, FILTER_NONE },   { "tar.gz", CONTAINER_TAR, FILTER_GZIP },
	{ "tgz", CONTAINER_TAR, FILTER_GZIP },   { "tar.bz2", CONTAINER_TAR, FILTER_BZIP2 },
	{ "tbz2", CONTAINER_TAR, FILTER_BZIP2 }, { "tar.xz", CONTAINER_TAR, FILTER_XZ },
	{ "txz", CONTAINER_TAR, FILTER_XZ },     { "tar.zst", CONTAINER_TAR, FILTER_ZSTD },
	{ "tzst", CONTAINER_TAR, FILTER_ZSTD },  { "zip", CONTAINER_ZIP, FILTER_NONE },
	{ "gz", CONTAINER_NONE, FILTER_GZIP },   { "bz2", CONTAINER_NONE, FILTER_BZIP2 },
	{ "xz", CONTAINER_NONE, FILTER_XZ },     { "zst", CONTAINER_NONE, FILTER_ZSTD },
};

#define FORMATS_N (sizeof(formats) / sizeof(formats[0]))

const char *const place_formats[] = { "tar",    "tar.gz", "tgz",     "tar.bz2", "tbz2",
				      "tar.xz", "txz",    "tar.zst", "tzst",    "zip",
				      "gz",     "bz2",    "xz",      "zst",     NULL };

_Static_assert(sizeof(place_formats) / sizeof(place_formats[0]) == FORMATS_N + 1,
	       "every format is announced");

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS_N; i++)
		if (strcasecmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const struct format *format_of_name(const char *file_name, size_t *stem_bytes)
{
	const char *dot = file_name;

	/* The first dot whose rest is a format is the one of the longest suffix. */
	while ((dot = strchr(dot + 1, '.'))) {
		const struct format *format = format_find(dot + 1);

		*stem_bytes = (size_t)(dot - file_name);
		if (format)
			return format;
	}
	*stem_bytes = strlen(file_name);
	return NULL;
}

bool place_unpacks(const char *format, const char *name)
{
	size_t stem_bytes;

	if (format && strcasecmp(format, "no") == 0)
		return false;
	if (format && strcasecmp(format, "auto") != 0)
		return format_find(format);
	return format_of_name(name, &stem_bytes);
}

/* The sum over a header in which its own field counts as blanks. Source: POSIX pax(1), ustar. */
static bool is_tar(const unsigned char *block, size_t n)
{
	unsigned long sum = 0, said = 0;
	size_t i;

	if (n < BEGINNING_BYTES)
		return false;
	for (i = 0; i < BEGINNING_BYTES; i++)
		sum += i >= 148 && i < 156 ? ' ' : block[i];
	if (sum == 8UL * ' ')
		return true; /* zeros: an archive of nothing ends where it begins */
	for (i = 148; i < 156 && block[i] == ' '; i++)
		;
	for (; i < 156 && block[i] >= '0' && block[i] <= '7'; i++)
		said = said * 8 + (block[i] - '0');
	return sum == said;
}

static bool begins(const unsigned char *block, size_t n, const char *magic, size_t magic_bytes)
{
	return n >= magic_bytes && memcmp(block, magic, magic_bytes) == 0;
}

/* The word for a file that begins so. */
static const char *content_of(const unsigned char *block, size_t n)
{
	if (n == 0)
		return "empty";
	if (begins(block, n, "\x1f\x8b", 2))
		return "gz";
	if (begins(block, n, "BZh", 3))
		return "bz2";
	if (begins(block, n,
		   "\xfd"
		   "7zXZ\0",
		   6))
		return "xz";
	if (begins(block, n, "\x28\xb5\x2f\xfd", 4))
		return "zst";
	if (begins(block, n, "PK\3\4", 4) || begins(block, n, "PK\5\6", 4))
		return "zip";
	if (is_tar(block, n))
		return "tar";
	return block[0] == '<' ? "HTML or XML" : "none of the formats that are known";
}

int format_prove(const struct format *format, int fd, struct error *err)
{
	static const char *const filters[] = { "tar", "gz", "bz2", "xz", "zst" };
	unsigned char block[BEGINNING_BYTES];
	ssize_t n = pread(fd, block, sizeof(block), 0);
	const char *content,
		*wanted = format->container == CONTAINER_ZIP ? "zip" : filters[format->filter];

	if (n < 0)
		return error_set(err, STAGE_CHROOT, errno, "read its beginning");
	content = content_of(block, (size_t)n);
	if (strcmp(content, wanted) == 0)
		return 0;
	return error_set(err, STAGE_CHROOT, 0, "it should be %s, but its content is %s",
			 format->name, content);
}
