/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of libarchive's functions. Runs in the launcher; nothing here comes from outside. Of
 * its formats and filters there are only those that place_formats names, so the readers of exotic
 * formats, where most of its holes were, are never registered.
 */
#include "place/archive.h"

#include "base/lazy.h"

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct archive_api, read_new, archive_read_new),
	LAZY_SYMBOL(struct archive_api, read_free, archive_read_free),
	LAZY_SYMBOL(struct archive_api, filter_bzip2, archive_read_support_filter_bzip2),
	LAZY_SYMBOL(struct archive_api, filter_xz, archive_read_support_filter_xz),
	LAZY_SYMBOL(struct archive_api, filter_zstd, archive_read_support_filter_zstd),
	LAZY_SYMBOL(struct archive_api, format_tar, archive_read_support_format_tar),
	LAZY_SYMBOL(struct archive_api, format_zip_seekable,
		    archive_read_support_format_zip_seekable),
	LAZY_SYMBOL(struct archive_api, format_raw, archive_read_support_format_raw),
	LAZY_SYMBOL(struct archive_api, format_empty, archive_read_support_format_empty),
	LAZY_SYMBOL(struct archive_api, open_fd, archive_read_open_fd),
	LAZY_SYMBOL(struct archive_api, open, archive_read_open),
	LAZY_SYMBOL(struct archive_api, next_header, archive_read_next_header),
	LAZY_SYMBOL(struct archive_api, data_block, archive_read_data_block),
	LAZY_SYMBOL(struct archive_api, data_skip, archive_read_data_skip),
	LAZY_SYMBOL(struct archive_api, filter_bytes, archive_filter_bytes),
	LAZY_SYMBOL(struct archive_api, filter_count, archive_filter_count),
	LAZY_SYMBOL(struct archive_api, set_error, archive_set_error),
	LAZY_SYMBOL(struct archive_api, error_string, archive_error_string),
	LAZY_SYMBOL(struct archive_api, pathname, archive_entry_pathname),
	LAZY_SYMBOL(struct archive_api, filetype, archive_entry_filetype),
	LAZY_SYMBOL(struct archive_api, hardlink, archive_entry_hardlink),
	LAZY_SYMBOL(struct archive_api, symlink, archive_entry_symlink),
	LAZY_SYMBOL(struct archive_api, perm, archive_entry_perm),
	LAZY_SYMBOL(struct archive_api, size, archive_entry_size),
	LAZY_SYMBOL(struct archive_api, size_is_set, archive_entry_size_is_set),
	LAZY_SYMBOL(struct archive_api, mtime, archive_entry_mtime),
	LAZY_SYMBOL(struct archive_api, mtime_nsec, archive_entry_mtime_nsec),
	LAZY_SYMBOL(struct archive_api, is_encrypted, archive_entry_is_encrypted),
};

static const struct lazy_library libarchive = {
	.purpose = "archives",
	.package = "libarchive13 (Debian 12) or libarchive13t64 (Debian 13)",
	.sonames = { "libarchive.so.13" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(archive, "[{\"soname\":[\"libarchive.so.13\"],\"feature\":\"unpack\","
		   "\"description\":\"archives and compressed files\","
		   "\"priority\":\"recommended\"}]");

int archive_api_open(struct archive_api *api, struct error *err)
{
	return lazy_open(&libarchive, api, STAGE_CHROOT, err);
}
