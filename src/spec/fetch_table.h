/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How artifacts are brought: the options that `run` and `fetch` have in common, declared once.
 * Private to this folder. AT(field) is the offset of a field of struct fetch_options.
 */
#ifndef SPEC_FETCH_TABLE_H
#define SPEC_FETCH_TABLE_H

#include "spec/spec.h"

#define GIB (1ULL << 30)

/* The names of digest_types, in their order. */
extern const char *const digest_names[];
/* The names of enum artifact_mode. */
extern const char *const artifact_modes[];

/* clang-format off */
#define FETCH_TABLE(AT) \
	{ .name = "min-hash", .type = OPTION_CHOICE, .offset = AT(min_hash), .value = "TYPE", .choices = digest_names, \
	  .summary = "refuse checksums weaker than this type (md5)" }, \
	{ .name = "cache-dir", .type = OPTION_STRING, .offset = AT(cache_dir), .value = "DIR", \
	  .summary = "where artifacts are kept (/var/cache/nomad-exec)", \
	  .manual = "Where artifacts that have a sha256, sha384 or sha512 checksum are kept for the next time.\n" \
		    "A cache that cannot be made, or that others could write to, is not used.\n" \
		    "The default is\n.Pa /var/cache/nomad-exec ." }, \
	{ .name = "cache-max", .type = OPTION_SIZE, .offset = AT(cache_max_bytes), .value = "SIZE", \
	  .summary = "how much is kept; what was used last stays (10G)" }, \
	{ .name = "no-cache", .type = OPTION_FLAG, .offset = AT(no_cache), \
	  .summary = "neither look into the cache nor keep anything there" }, \
	{ .name = "retries", .type = OPTION_NUMBER, .offset = AT(retries), .value = "N", .min = 0, .max = 100, .no_unlimited = true, \
	  .summary = "how often a download is tried again (5)", \
	  .manual = "How often a download is tried again that was refused, cut off or too slow, or that the server answered with " \
		    "status 408, 429 or 5xx.\nIt goes on at the byte that it reached, if the server can do that.\n" \
		    "The waits begin at half a second and double, up to 30 seconds, unless the server asks for others.\nThe default is 5." }, \
	{ .name = "connections", .type = OPTION_NUMBER, .offset = AT(connections), .value = "N", .min = 1, .max = 8, \
	  .summary = "connections at most; more than one only while it helps (4)" }, \
	{ .name = "limit-rate", .type = OPTION_SIZE, .offset = AT(limit_rate_bytes), .value = "SIZE", \
	  .summary = "bytes per second at most", \
	  .manual = "Download at most so many bytes per second, through one connection." }, \
	{ .name = "max-size", .type = OPTION_SIZE, .offset = AT(max_bytes), .value = "SIZE", \
	  .summary = "fail when the artifact is larger (100G)" }, \
	{ .name = "cacert", .type = OPTION_STRING, .offset = AT(cacert), .value = "FILE", \
	  .summary = "trust the certificates in this file instead of the system's", \
	  .manual = "Trust the certificates in this PEM file instead of the system's.\nWithout it\n" \
		    ".Ev CURL_CA_BUNDLE , SSL_CERT_FILE\nand\n.Ev SSL_CERT_DIR\nare obeyed." }, \
	{ .name = "insecure", .type = OPTION_FLAG, .offset = AT(insecure), .env = NOT_FROM_ENV, \
	  .summary = "trust any server; only with a strong checksum", \
	  .manual = "Do not verify who the server is.\nOnly with a sha256, sha384 or sha512 checksum, which then vouches for the bytes." }, \
	{ .name = "netrc", .type = OPTION_FLAG, .offset = AT(netrc), \
	  .summary = "take credentials from ~/.netrc, or the file that NETRC names" }, \
	{ .name = "netrc-file", .type = OPTION_STRING, .offset = AT(netrc_file), .value = "FILE", \
	  .summary = "take credentials from this file; for the first server only" }, \
	{ .name = "allow-metadata", .type = OPTION_FLAG, .offset = AT(allow_metadata), \
	  .summary = "connect to link-local and cloud metadata addresses, too" }, \
	{ .name = "deny-private", .type = OPTION_FLAG, .offset = AT(deny_private), \
	  .summary = "do not connect to private and loopback addresses" }
/* clang-format on */

#define FETCH_DEFAULTS                                                                             \
	{                                                                                          \
		.cache_dir = "/var/cache/nomad-exec", .cache_max_bytes = 10 * GIB,                 \
		.max_bytes = 100 * GIB, .retries = 5, .connections = 4                             \
	}

#endif
