/* SPDX-License-Identifier: Apache-2.0 */
/* Formats errors into their fixed space. Runs in every process; the text may quote hostile bytes.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *stage_name(enum stage stage)
{
	static const char *const names[] = {
		"setup", "fetch", "verify", "chroot", "launch", "run"
	};

	return names[stage];
}

__attribute__((format(printf, 2, 0))) static void append(struct error *err, const char *format,
							 va_list ap)
{
	size_t used = strlen(err->text);

	vsnprintf(err->text + used, sizeof(err->text) - used, format, ap);
}

__attribute__((format(printf, 2, 3))) static void append_f(struct error *err, const char *format,
							   ...)
{
	va_list ap;

	va_start(ap, format);
	append(err, format, ap);
	va_end(ap);
}

__attribute__((format(printf, 5, 0))) static void set(struct error *err, enum stage stage,
						      enum error_kind kind, int errnum,
						      const char *format, va_list ap)
{
	*err = (struct error){ .stage = stage, .kind = kind, .errnum = errnum };
	append(err, format, ap);
	if (errnum && kind != ERROR_INTERRUPTED)
		append_f(err, ": %s", strerror(errnum));
	text_defuse(err->text);
}

int error_set(struct error *err, enum stage stage, int errnum, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set(err, stage, ERROR_FAILED, errnum, format, ap);
	va_end(ap);
	return -1;
}

int error_set_kind(struct error *err, enum stage stage, enum error_kind kind, int errnum,
		   const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set(err, stage, kind, errnum, format, ap);
	va_end(ap);
	return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
	struct error old = *err;
	va_list ap;

	err->text[0] = '\0';
	va_start(ap, format);
	append(err, format, ap);
	va_end(ap);
	append_f(err, ": %s", old.text);
	text_defuse(err->text);
	return -1;
}

int error_remedy(struct error *err, const char *format, ...)
{
	va_list ap;

	append_f(err, "; ");
	va_start(ap, format);
	append(err, format, ap);
	va_end(ap);
	text_defuse(err->text);
	return -1;
}
