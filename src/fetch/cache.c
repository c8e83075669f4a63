/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of artifacts. Runs in the launcher as root, or in `fetch` as anyone; works through
 * descriptors of directories that belong to this user alone. The bytes in it are hostile, and only
 * copied.
 */
#include "fetch/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Opens a directory below, and makes it where missing; it must be ours alone. */
static int open_below(int fd, const char *name)
{
	AUTO_FD below = openat(fd, name, OPEN_DIR);
	struct stat st;

	if (below < 0 && errno == ENOENT) {
		if (mkdirat(fd, name, 0755) && errno != EEXIST)
			return -1;
		below = openat(fd, name, OPEN_DIR);
	}
	if (below < 0 || fstat(below, &st))
		return -1;
	if (st.st_uid != geteuid() || st.st_mode & 022) {
		errno = st.st_uid == geteuid() || !geteuid() ? EPERM : EACCES;
		return -1;
	}
	return take_fd(&below);
}

void cache_open(struct cache *cache, const char *directory, const struct checksum *wanted)
{
	AUTO_FD type_fd = -1;
	char prefix[3];

	*cache = (struct cache)CACHE_INIT;
	if (!wanted->type || digest_type_is_weak(wanted->type))
		return;
	digest_hex(wanted->digest, wanted->digest_bytes, cache->name);
	snprintf(prefix, sizeof(prefix), "%.2s", cache->name);
	cache->fd = open_below(AT_FDCWD, directory); /* those above it are not made */
	type_fd = cache->fd < 0 ? -1 : open_below(cache->fd, wanted->type);
	cache->type_fd = type_fd < 0 ? -1 : open_below(type_fd, prefix);
	if (cache->type_fd >= 0)
		return;
	if (errno == EPERM)
		log_warn("the cache %s is not used: others than uid %u can write to it", directory,
			 geteuid());
	else
		log_info("the cache %s is not used: %s", directory, strerror(errno));
	cache_release(cache);
}

/*
 * When a file was verified its time of change was set to 0, its time of access is when it was used
 * last. Whoever writes to it moves the first.
 */
static const struct timespec verified_now[2] = { { .tv_nsec = UTIME_NOW }, { 0 } };
static const struct timespec used_now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };

static bool is_untouched(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & 0222) &&
	       st->st_mtim.tv_sec == 0 && st->st_mtim.tv_nsec == 0;
}

int cache_find(const struct cache *cache, uint64_t *bytes)
{
	AUTO_FD fd = cache->type_fd < 0 ? -1 :
					  openat(cache->type_fd, cache->name,
						 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (!is_untouched(&st)) {
		log_info("the cache: %s was changed since it was verified; fetching it anew",
			 cache->name);
		return -1;
	}
	futimens(fd, used_now);
	*bytes = (uint64_t)st.st_size;
	return take_fd(&fd);
}

int cache_keep(const struct cache *cache, int fd, const char *temporary, struct error *err)
{
	/* Without that, a crash of the machine could leave the name and not the bytes. */
	if (fdatasync(fd) || fchmod(fd, 0444) || futimens(fd, verified_now) ||
	    renameat(cache->type_fd, temporary, cache->type_fd, cache->name))
		return error_set(err, STAGE_FETCH, errno, "keep %s in the cache", cache->name);
	return 0;
}

struct entry {
	struct timespec used;
	uint64_t bytes;
	char path[8 + 4 + 2 * DIGEST_BYTES_MAX + 8]; /* below the cache */
};

struct entries {
	struct entry *v;
	size_t n, capacity;
	uint64_t bytes;
};

/* One that cannot be looked at, or for which there is no memory, is left alone. */
static void add_entry(struct entries *entries, int fd, const char *path)
{
	struct stat st;

	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	if (entries->n == entries->capacity) {
		size_t capacity = entries->capacity ? 2 * entries->capacity : 64;
		struct entry *v = realloc(entries->v, capacity * sizeof(*v));

		if (!v)
			return;
		entries->v = v;
		entries->capacity = capacity;
	}
	entries->v[entries->n] = (struct entry){ st.st_atim, (uint64_t)st.st_size, "" };
	snprintf(entries->v[entries->n++].path, sizeof(entries->v->path), "%s", path);
	entries->bytes += (uint64_t)st.st_size;
}

static void list_directory(struct entries *entries, int fd, const char *path)
{
	AUTO_DIR dir = fdopendir(openat(fd, path, OPEN_DIR));
	char below[sizeof(entries->v->path)];
	const struct dirent *found;

	while (dir && (found = readdir(dir)))
		/* Partial files are somebody's, or somebody's next start. */
		if (found->d_name[0] != '.' && (size_t)snprintf(below, sizeof(below), "%s/%s", path,
								found->d_name) < sizeof(below))
			add_entry(entries, fd, below);
}

static int by_use(const void *left, const void *right)
{
	const struct timespec *a = &((const struct entry *)left)->used,
			      *b = &((const struct entry *)right)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

void cache_trim(const struct cache *cache, uint64_t max_bytes)
{
	struct entries entries = { 0 };
	char path[16];

	for (const struct digest_type *type = digest_types; type->name; type++)
		for (int prefix = 0; prefix < 256 && !digest_type_is_weak(type->name); prefix++) {
			snprintf(path, sizeof(path), "%s/%02x", type->name, prefix);
			list_directory(&entries, cache->fd, path);
		}
	if (entries.bytes > max_bytes)
		qsort(entries.v, entries.n, sizeof(*entries.v), by_use);
	for (size_t i = 0; i < entries.n && entries.bytes > max_bytes; i++)
		if (unlinkat(cache->fd, entries.v[i].path, 0) == 0)
			entries.bytes -= entries.v[i].bytes;
	free(entries.v);
}

void cache_release(struct cache *cache)
{
	drop_fd(&cache->fd);
	drop_fd(&cache->type_fd);
}
