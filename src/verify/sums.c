/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a sums file. Pure; every byte may be hostile, and none of them chooses our memory.
 * What a line means is what coreutils take it for, so that both give the same verdicts.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "verify/verify.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* The character that a backslash and this one stand for; 0: none. */
static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == '\\' ? c : '\0';
}

static enum sums_line read_name(struct sums *sums, const char *p, const char *end, bool escaped)
{
	size_t n = 0;

	for (; p < end; p++) {
		char c = *p;

		if (escaped && c == '\\') {
			c = ++p < end ? unescape(*p) : '\0';
			if (!c)
				return SUMS_MALFORMED;
		}
		if (n == sizeof(sums->name) - 1)
			return SUMS_MALFORMED;
		sums->name[n++] = c;
	}
	sums->name[n] = '\0';
	return SUMS_NAMED;
}

/* " (NAME) = HEX": the name ends at the last parenthesis, so it may hold some. */
static enum sums_line read_tagged(struct sums *sums, const struct digest_type *type, const char *p,
				  const char *end, bool escaped)
{
	const char *close, *hex;

	p += p < end && *p == ' ';
	if (p == end || *p++ != '(')
		return SUMS_MALFORMED;
	close = memrchr(p, ')', (size_t)(end - p));
	if (!close)
		return SUMS_MALFORMED;
	hex = skip_blanks(close + 1, end);
	if (hex == end || *hex++ != '=')
		return SUMS_MALFORMED;
	hex = skip_blanks(hex, end);
	if (checksum_from_hex(hex, (size_t)(end - hex), type, &sums->checksum))
		return SUMS_MALFORMED;
	return read_name(sums, p, close, escaped);
}

/*
 * "HEX  NAME" or "HEX NAME". In a file that has the second form a blank before a name belongs to
 * the name; the forms are not mixed, because who can rename files could then move the border.
 */
static enum sums_line read_plain(struct sums *sums, const char *p, const char *end, bool escaped)
{
	const char *hex = p;

	while (p < end && !is_blank(*p))
		p++;
	if (checksum_from_hex(hex, (size_t)(p - hex), NULL, &sums->checksum))
		return SUMS_MALFORMED;
	if (end - p <= 1)
		return escaped ? SUMS_MALFORMED : SUMS_BARE;
	p++;
	if (end - p == 1 || !strchr(" *?", *p)) {
		if (sums->style == SUMS_STYLE_GNU)
			return SUMS_MALFORMED;
		sums->style = SUMS_STYLE_REVERSED;
	} else if (sums->style != SUMS_STYLE_REVERSED) {
		sums->style = SUMS_STYLE_GNU;
		p++;
	}
	return read_name(sums, p, end, escaped);
}

static enum sums_line read_line(struct sums *sums, const char *p, const char *end)
{
	bool escaped;

	if (memchr(p, '\0', (size_t)(end - p)))
		return SUMS_MALFORMED;
	p = skip_blanks(p, end);
	escaped = p < end && *p == '\\';
	p += escaped;
	for (const struct digest_type *type = digest_types; type->name; type++) {
		size_t length = strlen(type->name);

		if ((size_t)(end - p) > length && strncasecmp(p, type->name, length) == 0)
			return read_tagged(sums, type, p + length, end, escaped);
	}
	return read_plain(sums, p, end, escaped);
}

int sums_begin(struct sums *sums, const char *bytes, size_t n, struct error *err)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' };

	if (n > SUMS_BYTES_MAX)
		return error_set(err, STAGE_VERIFY, EFBIG,
				 "read checksums (at most 1 MiB of them)");
	*sums = (struct sums){ .at = bytes, .end = bytes + n };
	if (n >= sizeof(mark) && memcmp(bytes, mark, sizeof(mark)) == 0)
		sums->at += sizeof(mark);
	return 0;
}

enum sums_line sums_next(struct sums *sums)
{
	while (sums->at < sums->end) {
		const char *line = sums->at;
		const char *end = memchr(line, '\n', (size_t)(sums->end - line));

		sums->at = end ? end + 1 : sums->end;
		sums->line++;
		if (!end)
			end = sums->end;
		if (*line == '#')
			continue;
		end -= end > line && end[-1] == '\r';
		if (end > line)
			return read_line(sums, line, end);
	}
	return SUMS_END;
}
