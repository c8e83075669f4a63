/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a zip archive has one meaning only. In the child. Private to this folder. */
#ifndef PLACE_ZIP_H
#define PLACE_ZIP_H

#include <stdint.h>

#include "base/error.h"

/*
 * Fails unless the directory at the end of the file is the whole truth: it lies right behind the
 * files, on this disk; each file begins with a header that says the same; no two of them share a
 * byte; nothing is before the first, and there are between one and entries_max. Names are looked at
 * only for what libarchive would not hand on. Reads by position.
 */
int zip_prove(int fd, uint64_t file_bytes, uint64_t entries_max, struct error *err);

#endif
