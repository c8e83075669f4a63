/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for the user, on stderr, one line each, prefixed `nomad-exec: `.
 *
 * The level is a property of the process, set once by main before anything else runs; it is
 * the only state here. They are defused (base/text.h), and so valid UTF-8: a message may quote
 * hostile names.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* json: one JSON object a line ({"level":…,"message":…}) instead of text. */
void log_setup(enum log_level level, bool json);

/* True when messages of this level are shown: for callers whose arguments are costly to make. */
bool log_enabled(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_message(enum log_level level, const char *format,
						       ...);

#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_message(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

#endif
