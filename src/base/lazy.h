/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that are opened when they are first used, never before.
 *
 * The binary needs libc alone; loading libcurl alone would cost more than a whole launch. Each
 * foreign library has one table, beside its only user, that names its sonames, its Debian package
 * and its symbols. The struct that receives the functions is declared with __typeof__ of the
 * library's own header, so a wrong signature does not compile.
 */
#ifndef BASE_LAZY_H
#define BASE_LAZY_H

#include <stddef.h>

#include "base/error.h"

struct lazy_symbol {
	const char *name;
	size_t offset; /* of the function pointer in the struct that receives it */
};

#define LAZY_SYMBOL(type, field, symbol)                                                           \
	{                                                                                          \
#symbol, offsetof(type, field)                                                     \
	}

struct lazy_library {
	const char *purpose;    /* "cgroups", for messages */
	const char *package;    /* Debian package(s) that bring it */
	const char *sonames[4]; /* tried in order, NULL-terminated */
	const struct lazy_symbol *symbols;
	size_t symbols_n;
};

/*
 * Opens the library and fills the function pointers of *api. The library stays open until the
 * process ends. On failure *api is as it was, and the error names the library, the loader's reason
 * and the package. Source: dlopen(3).
 */
int lazy_open(const struct lazy_library *library, void *api, enum stage stage, struct error *err);

/*
 * Records in the ELF note .note.dlopen what may be opened at run time, so that packagers and
 * `readelf -n` see it (the format is the cross-distribution "dlopen metadata" note: owner FDO, type
 * 0x407c0c0a, JSON).
 */
#define LAZY_NOTE(id, json)                                                                        \
	__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {           \
		unsigned int name_bytes, json_bytes, type;                                         \
		char name[4];                                                                      \
		char text[(sizeof(json) + 3) & ~(size_t)3];                                        \
	} lazy_note_##id = { 4, sizeof(json), 0x407c0c0a, "FDO", json }

#endif
