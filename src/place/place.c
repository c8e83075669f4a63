/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage: what is to become of the file, and then that. Runs in the launcher as root. The bytes
 * are hostile and not looked at here beyond their beginning; names come from the user or from the
 * last segment of a URL that was checked, and are checked again.
 */
#include "place/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "place/entry.h"
#include "place/publish.h"
#include "place/unpack.h"

static const struct place_limits usual_limits = { .bytes = PLACE_BYTES_MAX,
						  .entries = PLACE_ENTRIES_MAX,
						  .depth = PLACE_DEPTH_MAX,
						  .ratio = PLACE_RATIO_MAX,
						  .ratio_free_bytes = PLACE_RATIO_FREE_BYTES };

/* What is to become of the file. */
struct fate {
	const struct format *format; /* NULL: it stays as it is */
	const char *name;            /* of one file; NULL: it becomes a tree */
};

static int choose_format(const struct placing *how, const struct verified *verified,
			 struct fate *fate, size_t *stem_bytes, struct error *err)
{
	const struct format *suffix = format_of_name(verified->name, stem_bytes);

	fate->format = NULL;
	if (!how->format || strcasecmp(how->format, "auto") == 0) {
		fate->format = suffix;
	} else if (strcasecmp(how->format, "no") == 0) {
		*stem_bytes = strlen(verified->name);
	} else {
		fate->format = format_find(how->format);
		if (!fate->format)
			return error_set_kind(err, STAGE_CHROOT, ERROR_USAGE, 0,
					      "%s is no format that can be unpacked", how->format);
	}
	if (how->mode == ARTIFACT_DIR && (!fate->format || !fate->format->container))
		return error_set(err, STAGE_CHROOT, 0,
				 "it is no archive, and a directory is wanted");
	return 0;
}

static int choose_name(const struct placing *how, const struct verified *verified,
		       size_t stem_bytes, struct pool *pool, struct fate *fate, struct error *err)
{
	const bool tree = fate->format && fate->format->container && how->mode != ARTIFACT_FILE;

	fate->name = NULL;
	if (tree)
		return 0;
	fate->name = how->name ? how->name : pool_strndup(pool, verified->name, stem_bytes);
	if (!fate->name)
		return pool_error(err, STAGE_CHROOT);
	if (!*fate->name || strchr(fate->name, '/') || strcmp(fate->name, ".") == 0 ||
	    entry_name_problem(fate->name, 1))
		return error_set_kind(err, STAGE_CHROOT, ERROR_USAGE, 0,
				      "\"%s\" is no name for a file", fate->name);
	return 0;
}

static int place_plain(const struct placing *how, const char *name, int directory_fd,
		       const struct verified *verified, int interrupt_fd, struct placed *placed,
		       struct error *err)
{
	const struct finished file = { .fd = verified->fd,
				       .directory_fd = verified->directory_fd,
				       .temporary = verified->temporary,
				       .how = how };

	if (publish(&file, directory_fd, name, how->no_clobber, interrupt_fd, err))
		return -1;
	*placed = (struct placed){ .name = name, .files = 1, .bytes = verified->bytes };
	return 0;
}

static int publish_unpacked(const struct staging *staging, const char *name, bool no_clobber,
			    int interrupt_fd, struct error *err)
{
	AUTO_FD fd = openat(staging->fd, UNPACKED_FILE, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const struct finished file = { .fd = fd,
				       .directory_fd = staging->fd,
				       .temporary = UNPACKED_FILE };

	if (fd < 0)
		return error_set(err, STAGE_CHROOT, errno, "open what was unpacked");
	return publish(&file, staging->directory_fd, name, no_clobber, interrupt_fd, err);
}

static int place_unpacked(struct unpacking *unpacking, const char *name, int directory_fd,
			  int interrupt_fd, struct placed *placed, struct error *err)
{
	const bool no_clobber = unpacking->how->no_clobber;
	AUTO_STAGING staging = STAGING_INIT;
	struct unpacked unpacked = { 0 };

	if (format_prove(unpacking->format, unpacking->archive_fd, err) ||
	    staging_make(directory_fd, &staging, err) ||
	    unpack(unpacking, &staging, interrupt_fd, &unpacked, err))
		return -1;
	if (name ? publish_unpacked(&staging, name, no_clobber, interrupt_fd, err) :
		   merge(&staging, directory_fd, no_clobber, err))
		return -1;
	*placed = (struct placed){ .name = name, .files = unpacked.files, .bytes = unpacked.bytes };
	return 0;
}

static int try_to_place(const struct place_limits *limits, const struct placing *how,
			int directory_fd, const struct verified *verified, int interrupt_fd,
			struct pool *pool, struct placed *placed, struct error *err)
{
	struct unpacking unpacking = { .how = how, .limits = limits, .archive_fd = verified->fd };
	size_t stem_bytes = 0;
	struct fate fate;
	struct stat st;

	if (choose_format(how, verified, &fate, &stem_bytes, err) ||
	    choose_name(how, verified, stem_bytes, pool, &fate, err))
		return -1;
	if (!fate.format)
		return place_plain(how, fate.name, directory_fd, verified, interrupt_fd, placed,
				   err);
	if (fstat(verified->fd, &st))
		return error_set(err, STAGE_CHROOT, errno, "look at it");
	unpacking.format = fate.format;
	unpacking.single = fate.name;
	unpacking.archive_bytes = (uint64_t)st.st_size;
	return place_unpacked(&unpacking, fate.name, directory_fd, interrupt_fd, placed, err);
}

int place_within(const struct place_limits *limits, const struct placing *how, int directory_fd,
		 struct verified *verified, int interrupt_fd, struct pool *pool,
		 struct placed *placed, struct error *err)
{
	struct placed done = { 0 };

	if (try_to_place(limits, how, directory_fd, verified, interrupt_fd, pool, &done, err))
		return error_prefix(err, "%s %s",
				    place_unpacks(how->format, verified->name) ? "unpack" : "place",
				    verified->name);
	/* An archive that was unpacked has done what it was for. */
	if (place_unpacks(how->format, verified->name) && verified->temporary)
		unlinkat(verified->directory_fd, verified->temporary, 0);
	drop_fd(&verified->fd);
	verified->temporary = NULL;
	*placed = done;
	return 0;
}

int place(const struct placing *how, int directory_fd, struct verified *verified, int interrupt_fd,
	  struct pool *pool, struct placed *placed, struct error *err)
{
	return place_within(&usual_limits, how, directory_fd, verified, interrupt_fd, pool, placed,
			    err);
}
