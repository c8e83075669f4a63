/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `fetch`, and what it has in common with `run`: data alone. */
#include "spec/fetch_table.h"

#define AT(field) offsetof(struct fetch_spec, field)
#define AT_FETCH(field) AT(fetch.field)

const char *const digest_names[] = { "md5", "sha1", "sha256", "sha384", "sha512", NULL };
const char *const artifact_modes[] = { "any", "file", "dir", NULL };

/* clang-format off */
const struct option fetch_options[] = {
	{ .letter = 'c', .name = "checksum", .type = OPTION_STRING, .offset = AT(checksum), .value = "TYPE:HEX", .env = NOT_FROM_ENV,
	  .summary = "what it must hash to; else nothing is placed",
	  .manual = "What the bytes must hash to, as they are sent, before any unpacking:\n.Li md5 , sha1 , sha256 , sha384\nor\n.Li sha512 ,\n"
		    "a colon, and the value in hexadecimal; or the value alone; or\n.Li file:\nand the URL of a file of checksums, "
		    "such as\n.Xr sha256sum 1\nwrites it.\nWhen it does not match, nothing is placed." },
	{ .letter = 'd', .name = "destination", .type = OPTION_STRING, .offset = AT(destination), .value = "DIR", .env = NOT_FROM_ENV,
	  .summary = "the directory to place it in; made when missing (.)" },
	{ .letter = 'o', .name = "output", .type = OPTION_STRING, .offset = AT(output), .value = "FILE", .env = NOT_FROM_ENV,
	  .summary = "the file to place it as; means --mode file --unpack no" },
	{ .letter = 'm', .name = "mode", .type = OPTION_CHOICE, .offset = AT(mode), .value = "MODE", .choices = artifact_modes,
	  .summary = "any, file: unpacked it must be one file; dir: it must unpack (any)" },
	{ .letter = 'u', .name = "unpack", .type = OPTION_STRING, .offset = AT(unpack), .value = "FORMAT",
	  .summary = "auto: by the name; no; or a format such as tar.gz or zip (auto)" },
	{ .name = "strip-components", .type = OPTION_NUMBER, .offset = AT(strip_components), .value = "N", .min = 0, .max = 64, .no_unlimited = true,
	  .summary = "leave out so many leading directories when unpacking (0)" },
	{ .letter = 'H', .name = "header", .type = OPTION_STRINGS, .offset = AT(headers), .value = "HEADER", .env = NOT_FROM_ENV,
	  .summary = "\"NAME: VALUE\" for the first server only; repeatable" },
	{ .name = "header-file", .type = OPTION_STRINGS, .offset = AT(header_files), .value = "FILE", .env = NOT_FROM_ENV,
	  .summary = "the same, one a line, hidden from those who list processes" },
	{ .name = "chmod", .type = OPTION_STRING, .offset = AT(permissions), .value = "MODE",
	  .summary = "permissions of the file, or of all files of an archive (0644)" },
	{ .name = "chown", .type = OPTION_STRING, .offset = AT(owner), .value = "USER[:GROUP]",
	  .summary = "owner of what is placed (the caller)" },
	{ .letter = 'f', .name = "force", .type = OPTION_FLAG, .offset = AT(force), .env = NOT_FROM_ENV,
	  .summary = "download also what is there already with the right checksum" },
	{ .letter = 'n', .name = "no-clobber", .type = OPTION_FLAG, .offset = AT(no_clobber),
	  .summary = "fail when the file is there already" },
	{ .name = "json", .type = OPTION_FLAG, .offset = AT(json),
	  .summary = "progress and result as JSON, one object a line" },
	{ .letter = 't', .name = "timeout", .type = OPTION_DURATION, .offset = AT(fetch.timeout_ms), .value = "DURATION",
	  .summary = "fail when it takes longer than this" },
	FETCH_TABLE(AT_FETCH),
	{ 0 },
};
/* clang-format on */

const struct fetch_spec fetch_defaults = { .destination = ".", .fetch = FETCH_DEFAULTS };
