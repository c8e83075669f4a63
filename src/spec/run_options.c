/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `run`: data alone. --help, the manual's OPTIONS and the parser are all made from
 * this table; `manual` is mdoc(7).
 */
#include <signal.h>

#include "spec/fetch_table.h"

#define AT(field) offsetof(struct spec, field)
#define AT_FETCH(field) AT(fetch.field)
#define MS_PER_S 1000ULL

static const struct artifact_spec artifact_defaults = { .destination = "local/" };

static const struct option_group artifact_group = { AT(artifacts), sizeof(struct artifact_spec),
						    &artifact_defaults };

/* clang-format off */
const struct option run_options[] = {
	{ .name = "command", .type = OPTION_STRING, .offset = AT(command), .value = "PATH", .env = NOT_FROM_ENV,
	  .summary = "the program to run, inside the chroot",
	  .manual = "The program to run.\nLooked up inside the chroot: in\n.Pa /local ,\nthen in\n.Pa / ,\nthen, for a bare name, in\n"
		    ".Pa /usr/local/bin , /usr/bin\nand\n.Pa /bin .\nAn absolute path is looked up in\n.Pa /\nfirst.\n"
		    "Must be one word: arguments go into\n.Fl -args ." },
	{ .name = "args", .type = OPTION_STRINGS, .offset = AT(args), .value = "ARG", .env = NOT_FROM_ENV,
	  .summary = "one argument of it; repeatable",
	  .manual = "Exactly one argument of the program, taken verbatim even if it begins with a dash.\nMay be repeated." },
	{ .name = "args-file", .type = OPTION_STRING, .offset = AT(args_file), .value = "FILE", .env = NOT_FROM_ENV,
	  .summary = "more arguments, NUL-separated" },
	{ .name = "artifact-source", .type = OPTION_STRING, .group = &artifact_group, .begins = true, .offset = offsetof(struct artifact_spec, source), .value = "URL", .env = NOT_FROM_ENV,
	  .summary = "download this first: http, https, s3, or a file of this host",
	  .manual = "Download this before the start and place it into the artifact destination: a file, executable, under its own name, "
		    "whose bare name then serves as\n.Fl -command ;\nan archive unpacked.\n"
		    "See\n.Xr nomad-exec-fetch 1\nfor what is supported.\n"
		    "Files of this host, as\n.Li file\nURLs or absolute paths, take\n.Fl -allow-file .\n"
		    "May be repeated: they are brought at the same time, and the other options of an artifact are for the source before them, "
		    "those in front of all for the first." },
	{ .name = "artifact-destination", .type = OPTION_STRING, .group = &artifact_group, .offset = offsetof(struct artifact_spec, destination), .env = NOT_FROM_ENV, .value = "DIR",
	  .summary = "where to, below local/ or alloc/ (local/)" },
	{ .name = "checksum", .type = OPTION_STRING, .group = &artifact_group, .offset = offsetof(struct artifact_spec, checksum), .value = "TYPE:HEX", .env = NOT_FROM_ENV,
	  .summary = "what the artifact must hash to; else nothing is run",
	  .manual = "The checksum of the artifact:\n.Li md5 , sha1 , sha256 , sha384\nor\n.Li sha512 ,\na colon, and the value in hexadecimal; "
		    "or the value alone; or\n.Li file:\nand the URL of a file of checksums.\nWhen it does not match, nothing is run." },
	{ .name = "artifact-mode", .type = OPTION_CHOICE, .group = &artifact_group, .offset = offsetof(struct artifact_spec, mode), .env = NOT_FROM_ENV, .value = "MODE", .choices = artifact_modes,
	  .summary = "any, file: unpacked it must be one file; dir: it must unpack (any)" },
	{ .name = "artifact-header", .type = OPTION_STRINGS, .group = &artifact_group, .offset = offsetof(struct artifact_spec, headers), .value = "HEADER", .env = NOT_FROM_ENV,
	  .summary = "\"NAME: VALUE\" for the first server only; repeatable" },
	{ .name = "artifact-option", .type = OPTION_STRINGS, .group = &artifact_group, .offset = offsetof(struct artifact_spec, options), .value = "KEY=VALUE", .env = NOT_FROM_ENV,
	  .summary = "checksum, archive or filename, as in a job; repeatable",
	  .manual = "What a job says in the\n.Li options\nof an artifact:\n.Li checksum ;\n.Li archive ,\na format, or\n.Li false\n"
		    "to keep an archive as it is;\n.Li filename .\nMay be repeated." },
	{ .name = "allow-file", .type = OPTION_FLAG, .offset = AT(fetch.allow_file),
	  .summary = "artifacts may be files of this host",
	  .manual = "Artifacts and their checksums may be files of this host.\nOff by default: a caller who passes on foreign sources would "
		    "hand out any file that root may read." },
	FETCH_TABLE(AT_FETCH),
	{ .name = "env", .type = OPTION_STRINGS, .offset = AT(env), .value = "KEY[=VALUE]", .env = NOT_FROM_ENV,
	  .summary = "a variable of the task, or one of the caller's to pass on",
	  .manual = "Set a variable of the task's environment, or pass on the caller's variable of that name.\nMay be repeated; "
		    "the last one wins.\nNothing else of the caller's environment reaches the task." },
	{ .name = "env-file", .type = OPTION_STRINGS, .offset = AT(env_files), .value = "FILE", .env = NOT_FROM_ENV,
	  .summary = "the same, one KEY=VALUE or KEY a line",
	  .manual = "Read variables from a file, one\n.Ar KEY=VALUE\nor\n.Ar KEY\na line; lines that begin with # are comments.\n"
		    "Those of\n.Fl -env\nwin." },
	{ .letter = 'u', .name = "user", .type = OPTION_STRING, .offset = AT(user), .value = "USER[:GROUP]",
	  .summary = "who the task runs as, by name or number (nobody)" },
	{ .letter = 'w', .name = "work-dir", .type = OPTION_STRING, .offset = AT(work_dir), .value = "PATH",
	  .summary = "working directory inside the chroot (/)" },
	{ .name = "name", .type = OPTION_STRING, .offset = AT(name), .value = "NAME",
	  .summary = "name of the task (base name of the command)" },
	{ .name = "id", .type = OPTION_STRING, .offset = AT(id), .value = "ID", .env = NOT_FROM_ENV,
	  .summary = "allocation id (a random UUID)" },
	{ .name = "hostname", .type = OPTION_STRING, .offset = AT(hostname), .value = "NAME",
	  .summary = "hostname that the task sees (the host's)" },
	{ .name = "cpu", .type = OPTION_NUMBER, .offset = AT(limits.cpu_mhz), .value = "MHZ", .min = 1, .max = 262144,
	  .summary = "share of CPU time against other tasks (100)" },
	{ .letter = 'm', .name = "memory", .type = OPTION_MEMORY, .offset = AT(limits.memory_bytes), .value = "SIZE",
	  .summary = "memory limit, swap included; 0 or unlimited: none (300, in MiB)",
	  .manual = "Memory limit; no swap may be used beyond it.\nA bare number counts MiB.\n0 or\n.Li unlimited\nmeans none.\n"
		    "The default is 300." },
	{ .name = "pids", .type = OPTION_NUMBER, .offset = AT(limits.pids), .value = "N", .min = 0, .max = 4194304,
	  .summary = "processes and threads at most; 0 or unlimited: no limit (4096)" },
	{ .name = "cap-add", .type = OPTION_STRINGS, .offset = AT(cap_add), .value = "CAP",
	  .summary = "a capability the task gets, or all; repeatable",
	  .manual = "A capability that the task gets, with or without\n.Li CAP_ ,\nin any case, or\n.Li all .\n"
		    "A task of a user other than root has none by default." },
	{ .name = "cap-drop", .type = OPTION_STRINGS, .offset = AT(cap_drop), .value = "CAP",
	  .summary = "one that a root task does not get, or all; repeatable" },
	{ .letter = 't', .name = "timeout", .type = OPTION_DURATION, .offset = AT(timeout_ms), .value = "DURATION",
	  .summary = "end the task after this time, status 124" },
	{ .letter = 's', .name = "kill-signal", .type = OPTION_SIGNAL, .offset = AT(kill_signal), .value = "SIGNAL",
	  .summary = "what asks it to end then (SIGINT)" },
	{ .letter = 'k', .name = "kill-timeout", .type = OPTION_DURATION, .offset = AT(kill_timeout_ms), .value = "DURATION",
	  .summary = "how long it then has before it is killed (5s)" },
	{ .name = "alloc-dir", .type = OPTION_STRING, .offset = AT(alloc_dir), .value = "DIR",
	  .summary = "where allocations are made (/var/lib/nomad-exec/alloc)" },
	{ .name = "keep", .type = OPTION_FLAG, .offset = AT(keep),
	  .summary = "keep the allocation directory at the end" },
	{ .name = "datacenter", .type = OPTION_STRING, .offset = AT(node.datacenter), .value = "NAME",
	  .summary = "${node.datacenter} (dc1)" },
	{ .name = "region", .type = OPTION_STRING, .offset = AT(node.region), .value = "NAME",
	  .summary = "${node.region} (global)" },
	{ .name = "node-name", .type = OPTION_STRING, .offset = AT(node.name), .value = "NAME",
	  .summary = "${node.unique.name} (the hostname)" },
	{ .name = "node-class", .type = OPTION_STRING, .offset = AT(node.class), .value = "NAME",
	  .summary = "${node.class}" },
	{ .name = "meta", .type = OPTION_STRINGS, .offset = AT(node.meta), .value = "KEY=VALUE", .env = NOT_FROM_ENV,
	  .summary = "${meta.KEY}, and NOMAD_META_KEY in the task; repeatable" },
	{ .name = "strict", .type = OPTION_FLAG, .offset = AT(strict),
	  .summary = "an unknown ${…} is an error, not plain text" },
	{ .name = "result", .type = OPTION_STRING, .offset = AT(result_file), .value = "FILE", .env = NOT_FROM_ENV,
	  .summary = "write a report as JSON, also when the start failed" },
	{ .letter = 'n', .name = "dry-run", .type = OPTION_FLAG, .offset = AT(dry_run), .env = NOT_FROM_ENV,
	  .summary = "print what would be done, and do nothing" },
	{ 0 },
};
/* clang-format on */

const struct spec run_defaults = {
	.fetch = FETCH_DEFAULTS,
	.user = "nobody",
	.work_dir = "/",
	.limits = { .cpu_mhz = 100, .memory_bytes = 300ULL << 20, .pids = 4096 },
	.alloc_dir = "/var/lib/nomad-exec/alloc",
	.kill_timeout_ms = 5 * MS_PER_S,
	.kill_signal = SIGINT,
	.node = { .datacenter = "dc1", .region = "global", .class = "" },
};
