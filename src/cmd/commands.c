/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subcommands and the global options: data alone. */
#include "base/log.h"
#include "cmd/cmd.h"

const struct command *const commands[] = { &command_run, &command_fetch, &command_verify,
					   &command_fingerprint, NULL };

static const char *const log_levels[] = { "error", "warn", "info", "debug", NULL };

#define AT(field) offsetof(struct global_options, field)

/* clang-format off */
const struct option global_options[] = {
	{ .name = "log-level", .type = OPTION_CHOICE, .offset = AT(log_level), .value = "LEVEL", .choices = log_levels,
	  .summary = "error, warn, info or debug (warn)" },
	{ .name = "log-json", .type = OPTION_FLAG, .offset = AT(log_json),
	  .summary = "messages as JSON, one object a line" },
	{ .letter = 'q', .name = "quiet", .type = OPTION_FLAG, .offset = AT(quiet), .summary = "errors only" },
	{ .letter = 'V', .name = "version", .type = OPTION_FLAG, .offset = AT(version), .env = NOT_FROM_ENV,
	  .summary = "print the version" },
	{ .letter = 'h', .name = "help", .type = OPTION_FLAG, .offset = AT(version), .env = NOT_FROM_ENV,
	  .summary = "print this help; COMMAND --help tells of a command" },
	{ 0 },
};
/* clang-format on */
