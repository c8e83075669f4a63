/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one loop that digests a descriptor. Runs in the launcher as root, and in `nomad-exec verify`
 * as anyone. The bytes are hostile and may have no end, but are only hashed.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "verify/verify.h"

/* A block stays in the cache of a processor between read and digest; from 64 KiB on size is no
 * matter. */
#define BLOCK_BYTES (256 << 10)

struct digests {
	struct digest v[HASH_TYPES_MAX];
	size_t n;
};

static void release(struct digests *digests)
{
	for (size_t i = 0; i < digests->n; i++)
		digest_release(&digests->v[i]);
}

static int begin(struct digests *digests, const struct checksum *checksums, size_t n,
		 struct error *err)
{
	for (; digests->n < n; digests->n++)
		if (digest_begin(&digests->v[digests->n], checksums[digests->n].type, STAGE_VERIFY,
				 err))
			return -1;
	return 0;
}

static int update(struct digests *digests, const void *data, size_t size, struct error *err)
{
	for (size_t i = 0; i < digests->n; i++)
		if (digest_update(&digests->v[i], data, size, STAGE_VERIFY, err))
			return -1;
	return 0;
}

int hash_fd(int fd, const char *what, struct checksum *checksums, size_t n, uint64_t *bytes,
	    int interrupt_fd, struct error *err)
{
	__attribute__((cleanup(release))) struct digests digests = { 0 };
	char block[BLOCK_BYTES];
	ssize_t got;

	if (begin(&digests, checksums, n, err))
		return -1;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a pipe has no use for it */
	for (*bytes = 0; (got = read(fd, block, sizeof(block))) != 0;) {
		if (interrupted(interrupt_fd, 0, STAGE_VERIFY, err))
			return -1;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, STAGE_VERIFY, errno, "read %s at byte %llu", what,
					 (unsigned long long)*bytes);
		if (update(&digests, block, (size_t)got, err))
			return -1;
		*bytes += (size_t)got;
	}
	for (size_t i = 0; i < n; i++)
		if (digest_end(&digests.v[i], &checksums[i], STAGE_VERIFY, err))
			return -1;
	return 0;
}
