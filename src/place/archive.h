/* SPDX-License-Identifier: Apache-2.0 */
/* What is used of libarchive: its reader. Opened when something is unpacked. Private to this
 * folder.
 */
#ifndef PLACE_ARCHIVE_H
#define PLACE_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

struct archive_api {
	__typeof__(archive_read_new) *read_new;
	__typeof__(archive_read_free) *read_free;
	__typeof__(archive_read_support_filter_bzip2) *filter_bzip2;
	__typeof__(archive_read_support_filter_xz) *filter_xz;
	__typeof__(archive_read_support_filter_zstd) *filter_zstd;
	__typeof__(archive_read_support_format_tar) *format_tar;
	__typeof__(archive_read_support_format_zip_seekable) *format_zip_seekable;
	__typeof__(archive_read_support_format_raw) *format_raw;
	__typeof__(archive_read_support_format_empty) *format_empty;
	__typeof__(archive_read_open_fd) *open_fd;
	__typeof__(archive_read_open) *open;
	__typeof__(archive_read_next_header) *next_header;
	__typeof__(archive_read_data_block) *data_block;
	__typeof__(archive_read_data_skip) *data_skip;
	__typeof__(archive_filter_bytes) *filter_bytes;
	__typeof__(archive_filter_count) *filter_count;
	__typeof__(archive_set_error) *set_error;
	__typeof__(archive_error_string) *error_string;
	__typeof__(archive_entry_pathname) *pathname;
	__typeof__(archive_entry_filetype) *filetype;
	__typeof__(archive_entry_hardlink) *hardlink;
	__typeof__(archive_entry_symlink) *symlink;
	__typeof__(archive_entry_perm) *perm;
	__typeof__(archive_entry_size) *size;
	__typeof__(archive_entry_size_is_set) *size_is_set;
	__typeof__(archive_entry_mtime) *mtime;
	__typeof__(archive_entry_mtime_nsec) *mtime_nsec;
	__typeof__(archive_entry_is_encrypted) *is_encrypted;
};

/* It stays open; the second time costs nothing. */
int archive_api_open(struct archive_api *api, struct error *err);

#endif
