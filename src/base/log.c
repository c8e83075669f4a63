/* SPDX-License-Identifier: Apache-2.0 */
/* Writes each message with one write(2), so that lines of several processes do not mix. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static struct {
	enum log_level level;
	bool json;
} settings = { .level = LOG_WARN };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_setup(enum log_level level, bool json)
{
	settings.level = level;
	settings.json = json;
}

bool log_enabled(enum log_level level)
{
	return level <= settings.level;
}

/* Appends text to out as the inside of a JSON string; stops at the end of the buffer. */
static size_t escape_json(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 2 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text;
	}
	return n;
}

static size_t format_line(char *line, size_t size, enum log_level level, char *text)
{
	size_t n;

	if (settings.json) {
		n = (size_t)snprintf(line, size, "{\"level\":\"%s\",\"message\":\"",
				     level_names[level]);
		n += escape_json(line + n, size - n - 4, text);
		memcpy(line + n, "\"}\n", 3);
		return n + 3;
	}
	n = (size_t)snprintf(line, size, "nomad-exec: %s%s", level == LOG_WARN ? "warning: " : "",
			     text);
	if (n > size - 2)
		n = size - 2;
	line[n] = '\n';
	return n + 1;
}

void log_message(enum log_level level, const char *format, ...)
{
	char text[1500], line[3200];
	int saved = errno;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_defuse(text);
	/* When stderr is gone there is nobody to tell. */
	if (write(STDERR_FILENO, line, format_line(line, sizeof(line), level, text)) < 0)
		errno = saved;
	errno = saved;
}
