/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zip archive says everything twice, before each file and in a directory at its end, and readers
 * differ in what they believe. libarchive takes names from the one and places from the other, drops
 * files that share a place, and turns backslashes into slashes. Here such archives are refused
 * before it sees them. Runs in the confined child; every byte is hostile.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
 */
#include "place/zip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place/entry.h"

enum {
	LOCAL_BYTES = 30,
	CENTRAL_BYTES = 46,
	END_BYTES = 22,
	END64_BYTES = 56,
	LOCATOR_BYTES = 20,
	COMMENT_BYTES_MAX = 65535,
	EXTRA_BYTES_MAX = 65535,
	FLAG_ENCRYPTED = 1,
	SYSTEM_UNIX = 3,
	TAG_ZIP64 = 1,
};

struct span {
	uint64_t at, end;
};

/* The directory, and what it has said so far. */
struct zip {
	int fd;
	uint64_t at, bytes, entries;
	struct span *spans;
};

/* One record of the directory. */
struct record {
	char name[ENTRY_NAME_BYTES];
	unsigned int name_bytes, flags, method, type; /* type: S_IFMT bits, 0 when it has none */
	uint64_t packed_bytes, at;
};

static int damaged(struct error *err, const char *why)
{
	return error_set(err, STAGE_CHROOT, 0, "the archive is damaged: %s", why);
}

static uint64_t number(const unsigned char *bytes, int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | bytes[n];
	return value;
}

/* All of it, or it lies outside of the file. */
static int read_at(int fd, void *data, size_t size, uint64_t at, struct error *err)
{
	ssize_t n = at > INT64_MAX ? 0 : pread(fd, data, size, (off_t)at);

	if (n < 0)
		return error_set(err, STAGE_CHROOT, errno, "read it");
	return (size_t)n == size ? 0 : damaged(err, "something lies outside of the file");
}

/* The record for large archives, which the locator before the usual one points to. */
static int read_end64(struct zip *zip, uint64_t end_at, struct error *err)
{
	unsigned char locator[LOCATOR_BYTES] = { 0 }, end[END64_BYTES] = { 0 };
	uint64_t at;

	if (end_at < LOCATOR_BYTES)
		return damaged(err, "its end is missing");
	if (read_at(zip->fd, locator, sizeof(locator), end_at - LOCATOR_BYTES, err))
		return -1;
	at = number(locator + 8, 8);
	if (memcmp(locator, "PK\6\7", 4) != 0 || number(locator + 4, 4) ||
	    number(locator + 16, 4) > 1)
		return damaged(err, "it is on more than one disk, or its end is missing");
	if (read_at(zip->fd, end, sizeof(end), at, err))
		return -1;
	if (memcmp(end, "PK\6\6", 4) != 0 || number(end + 16, 4) || number(end + 20, 4) ||
	    number(end + 24, 8) != number(end + 32, 8))
		return damaged(err, "it is on more than one disk, or its end is missing");
	zip->entries = number(end + 32, 8);
	zip->bytes = number(end + 40, 8);
	zip->at = number(end + 48, 8);
	return zip->bytes > at || zip->at != at - zip->bytes ?
		       damaged(err, "its directory is not where it should be") :
		       0;
}

static int read_end(struct zip *zip, uint64_t end_at, struct error *err)
{
	unsigned char end[END_BYTES] = { 0 };

	if (read_at(zip->fd, end, sizeof(end), end_at, err))
		return -1;
	zip->entries = number(end + 10, 2);
	zip->bytes = number(end + 12, 4);
	zip->at = number(end + 16, 4);
	if (zip->entries == 0xffff || zip->bytes == 0xffffffff || zip->at == 0xffffffff)
		return read_end64(zip, end_at, err);
	if (number(end + 4, 2) || number(end + 6, 2) || number(end + 8, 2) != zip->entries)
		return damaged(err, "it is on more than one disk");
	return zip->at + zip->bytes != end_at ?
		       damaged(err, "its directory is not where it should be") :
		       0;
}

/* It ends the file, with a comment behind it that is as long as it says. */
static int find_end(struct zip *zip, uint64_t file_bytes, struct error *err)
{
	unsigned char tail[END_BYTES + COMMENT_BYTES_MAX];
	size_t n = file_bytes < sizeof(tail) ? (size_t)file_bytes : sizeof(tail);

	if (read_at(zip->fd, tail, n, file_bytes - n, err))
		return -1;
	for (size_t comment = 0; comment + END_BYTES <= n; comment++) {
		const unsigned char *end = tail + n - END_BYTES - comment;

		if (memcmp(end, "PK\5\6", 4) == 0 && number(end + 20, 2) == comment)
			return read_end(zip, file_bytes - END_BYTES - comment, err);
	}
	return damaged(err, "its end is missing");
}

/* Numbers that do not fit their fields stand in an extra field, in the order of those fields. */
static int read_large(const unsigned char *central, const unsigned char *extra, size_t extra_bytes,
		      struct record *record, struct error *err)
{
	const bool large = number(central + 24, 4) == 0xffffffff;
	size_t at = 0, used;

	if (record->packed_bytes != 0xffffffff && record->at != 0xffffffff)
		return 0;
	while (at + 4 <= extra_bytes && number(extra + at, 2) != TAG_ZIP64)
		at += 4 + number(extra + at + 2, 2);
	if (at + 4 > extra_bytes || number(extra + at + 2, 2) > extra_bytes - at - 4)
		return damaged(err, "a size is missing");
	extra_bytes = number(extra + at + 2, 2);
	extra += at + 4;
	used = large ? 8 : 0;
	if (record->packed_bytes == 0xffffffff && used + 8 <= extra_bytes) {
		record->packed_bytes = number(extra + used, 8);
		used += 8;
	}
	if (record->at == 0xffffffff && used + 8 <= extra_bytes)
		record->at = number(extra + used, 8);
	return 0;
}

/* What fits a message is read of the name. */
static int too_long(const struct zip *zip, uint64_t at, struct record *record, struct error *err)
{
	if (read_at(zip->fd, record->name, ENTRY_PART_BYTES, at, err))
		return -1;
	return error_set(err, STAGE_CHROOT, 0, "entry %.255s: it is longer than 4096 bytes",
			 record->name);
}

/* The record at *at, which then is that of the next one. */
static int read_record(const struct zip *zip, uint64_t *at, struct record *record,
		       struct error *err)
{
	unsigned char extra[EXTRA_BYTES_MAX];
	unsigned char central[CENTRAL_BYTES] = { 0 };
	size_t extra_bytes;

	if (read_at(zip->fd, central, sizeof(central), *at, err))
		return -1;
	record->name_bytes = (unsigned int)number(central + 28, 2);
	extra_bytes = number(central + 30, 2);
	if (memcmp(central, "PK\1\2", 4) != 0)
		return damaged(err, "its directory is shorter than it says");
	if (record->name_bytes >= ENTRY_NAME_BYTES)
		return too_long(zip, *at + CENTRAL_BYTES, record, err);
	if (read_at(zip->fd, record->name, record->name_bytes, *at + CENTRAL_BYTES, err) ||
	    read_at(zip->fd, extra, extra_bytes, *at + CENTRAL_BYTES + record->name_bytes, err))
		return -1;
	record->name[record->name_bytes] = '\0';
	record->flags = (unsigned int)number(central + 8, 2);
	record->method = (unsigned int)number(central + 10, 2);
	record->packed_bytes = number(central + 20, 4);
	record->at = number(central + 42, 4);
	record->type =
		central[5] == SYSTEM_UNIX ? (unsigned int)number(central + 40, 2) & S_IFMT : 0;
	*at += CENTRAL_BYTES + record->name_bytes + extra_bytes + number(central + 32, 2);
	return read_large(central, extra, extra_bytes, record, err);
}

/* What libarchive changes or leaves out before it hands an entry on. */
static const char *record_problem(const struct record *record)
{
	if (strlen(record->name) != record->name_bytes)
		return "it has a control character in it, or is not UTF-8";
	if (strchr(record->name, '\\'))
		return "it has a backslash in it";
	return record->type ? entry_kind_problem(record->type) : NULL;
}

/* The header before the file; the span is from its first byte to the last one of the file. */
static int check_local(const struct zip *zip, const struct record *record, struct span *span,
		       struct error *err)
{
	const char *problem = record_problem(record);
	unsigned char local[LOCAL_BYTES] = { 0 };
	char name[ENTRY_NAME_BYTES];

	if (problem)
		return error_set(err, STAGE_CHROOT, 0, "entry %.255s: %s", record->name, problem);
	if (read_at(zip->fd, local, sizeof(local), record->at, err) ||
	    read_at(zip->fd, name, record->name_bytes, record->at + LOCAL_BYTES, err))
		return error_prefix(err, "entry %.255s", record->name);
	if (memcmp(local, "PK\3\4", 4) != 0 || number(local + 26, 2) != record->name_bytes ||
	    memcmp(name, record->name, record->name_bytes) != 0 ||
	    ((number(local + 6, 2) ^ record->flags) & FLAG_ENCRYPTED) ||
	    number(local + 8, 2) != record->method)
		return error_set(err, STAGE_CHROOT, 0, "entry %.255s: its two headers differ",
				 record->name);
	span->at = record->at;
	span->end = record->at + LOCAL_BYTES + record->name_bytes + number(local + 28, 2);
	return __builtin_add_overflow(span->end, record->packed_bytes, &span->end) ?
		       damaged(err, "something lies outside of the file") :
		       0;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	return (left->at > right->at) - (left->at < right->at);
}

static int check_spans(const struct zip *zip, struct error *err)
{
	uint64_t end = 0;

	qsort(zip->spans, zip->entries, sizeof(*zip->spans), compare_spans);
	if (zip->spans[0].at != 0)
		return damaged(err, "there is something before its first entry");
	for (uint64_t i = 0; i < zip->entries; i++) {
		if (zip->spans[i].at < end)
			return damaged(err, "two of its entries share their bytes");
		end = zip->spans[i].end;
	}
	return end > zip->at ? damaged(err, "an entry reaches into its directory") : 0;
}

static int check_records(const struct zip *zip, struct error *err)
{
	uint64_t at = zip->at;
	struct record record = { 0 };

	for (uint64_t i = 0; i < zip->entries; i++)
		if (read_record(zip, &at, &record, err) ||
		    check_local(zip, &record, &zip->spans[i], err))
			return -1;
	if (at != zip->at + zip->bytes)
		return damaged(err, "its directory is longer than it says");
	return check_spans(zip, err);
}

int zip_prove(int fd, uint64_t file_bytes, uint64_t entries_max, struct error *err)
{
	struct zip zip = { .fd = fd };
	int bad;

	if (find_end(&zip, file_bytes, err))
		return -1;
	if (zip.entries == 0)
		return error_set(err, STAGE_CHROOT, 0, "the archive is empty");
	if (zip.entries > entries_max)
		return error_set(err, STAGE_CHROOT, 0, "it has more than %llu entries",
				 (unsigned long long)entries_max);
	zip.spans = calloc(zip.entries, sizeof(*zip.spans));
	if (!zip.spans)
		return error_set(err, STAGE_CHROOT, ENOMEM, "read it");
	bad = check_records(&zip, err);
	free(zip.spans);
	return bad;
}
