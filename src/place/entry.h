/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names and links an archive may have. Private to this folder. Pure. A problem is a phrase
 * that completes "entry NAME: …"; NULL: there is none.
 */
#ifndef PLACE_ENTRY_H
#define PLACE_ENTRY_H

#include <stddef.h>
#include <sys/types.h>

#define ENTRY_NAME_BYTES 4097 /* PATH_MAX and its NUL */
#define ENTRY_PART_BYTES 256  /* NAME_MAX and its NUL */

/* Beginning of the names of what is ours in a destination. */
#define OUR_PREFIX ".nomad-exec-"

/*
 * Why nothing may get this name: it could leave the tree, here or on another system, or deceive who
 * reads it. Directories may end with a slash.
 */
const char *entry_name_problem(const char *name, unsigned int depth_max);

/* Why nothing of this kind, S_IFMT of a mode, is made. */
const char *entry_kind_problem(mode_t kind);

/*
 * The name without empty and "." parts and without its first strip parts, into clean, which has
 * ENTRY_NAME_BYTES; "" when nothing is left. The name must have no problem.
 */
void entry_name_clean(const char *name, unsigned int strip, char *clean);

/*
 * Why the link of this clean name may not have this target. `..` may only lead it: after a name its
 * meaning would depend on what that name is.
 */
const char *entry_link_problem(const char *clean, const char *target);

#endif
