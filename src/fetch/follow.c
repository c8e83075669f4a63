/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests a file that grows. Runs in the launcher as root, or in `fetch` as anyone; the one other
 * thread there is. It shares with the first only what the lock is for; the bytes are hostile and
 * only hashed.
 */
#include "fetch/follow.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"

#define BLOCK_BYTES (256 << 10)
#define STEP_BYTES (1 << 20) /* it is not woken up for less */
#define WAIT_NS 100000000
#define THREAD_BYTES (4 << 20) /* a file that is smaller is digested at its end */

static bool is_abandoned(struct follower *follower)
{
	bool abandon;

	pthread_mutex_lock(&follower->lock);
	abandon = follower->abandon;
	pthread_mutex_unlock(&follower->lock);
	return abandon;
}

static int digest_until(struct follower *follower, uint64_t bytes, int interrupt_fd,
			struct error *err)
{
	char block[BLOCK_BYTES];

	while (follower->digested_bytes < bytes && !is_abandoned(follower)) {
		uint64_t left = bytes - follower->digested_bytes;
		ssize_t n = pread(follower->fd, block, left < sizeof(block) ? left : sizeof(block),
				  (off_t)follower->digested_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(err, STAGE_FETCH, n ? errno : EIO,
					 "read what was downloaded at byte %llu",
					 (unsigned long long)follower->digested_bytes);
		if (digest_update(&follower->digest, block, (size_t)n, STAGE_FETCH, err))
			return -1;
		follower->digested_bytes += (size_t)n;
		if (interrupted(interrupt_fd, 0, STAGE_FETCH, err))
			return -1;
	}
	return 0;
}

/* Waits until there is more than `done`, or no more will be said; how much there is. */
static uint64_t wait_for_more(struct follower *follower, uint64_t done, bool *stop)
{
	uint64_t available;

	pthread_mutex_lock(&follower->lock);
	while (!follower->stop && follower->available_bytes < done + STEP_BYTES)
		pthread_cond_wait(&follower->more, &follower->lock);
	available = follower->available_bytes;
	*stop = follower->stop;
	pthread_mutex_unlock(&follower->lock);
	return available;
}

static void *follow(void *context)
{
	struct follower *follower = context;
	bool stop = false;

	while (!stop) {
		uint64_t available = wait_for_more(follower, follower->digested_bytes, &stop);

		if (digest_until(follower, available, -1, &follower->error)) {
			follower->failed = true;
			return NULL;
		}
	}
	return NULL;
}

/* Without a thread the rest is done at the end: nothing is lost but time. */
static void start(struct follower *follower)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	follower->stop = follower->abandon = false;
	follower->started = pthread_create(&follower->thread, NULL, follow, follower) == 0;
}

/* Tells the thread that nothing more will come, or that nobody waits for it any more. */
static void tell(struct follower *follower, bool abandon)
{
	pthread_mutex_lock(&follower->lock);
	follower->stop = true;
	follower->abandon = abandon;
	pthread_cond_signal(&follower->more);
	pthread_mutex_unlock(&follower->lock);
}

/* Waits for the end of the thread, and looks for signals meanwhile. */
static int join(struct follower *follower, int interrupt_fd, struct error *err)
{
	int bad = 0;

	while (follower->started) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAIT_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		follower->started = pthread_timedjoin_np(follower->thread, NULL, &until) != 0;
		if (!bad && interrupted(interrupt_fd, 0, STAGE_FETCH, err)) {
			bad = -1;
			tell(follower, true);
		}
	}
	return bad;
}

int follower_begin(struct follower *follower, int fd, const char *type, struct error *err)
{
	follower_release(follower);
	follower->fd = fd;
	follower->digested_bytes = follower->available_bytes = 0;
	follower->failed = false;
	return digest_begin(&follower->digest, type, STAGE_FETCH, err);
}

void follower_advance(struct follower *follower, uint64_t bytes)
{
	if (!follower->digest.context)
		return;
	if (!follower->started && bytes >= THREAD_BYTES)
		start(follower);
	if (!follower->started || bytes < follower->available_bytes + STEP_BYTES)
		return;
	pthread_mutex_lock(&follower->lock);
	follower->available_bytes = bytes;
	pthread_cond_signal(&follower->more);
	pthread_mutex_unlock(&follower->lock);
}

int follower_end(struct follower *follower, uint64_t bytes, int interrupt_fd,
		 struct checksum *checksum, struct error *err)
{
	*checksum = (struct checksum){ 0 };
	tell(follower, false);
	if (join(follower, interrupt_fd, err))
		return -1;
	if (!follower->digest.context)
		return 0;
	if (follower->failed) {
		*err = follower->error;
		return -1;
	}
	if (digest_until(follower, bytes, interrupt_fd, err))
		return -1;
	return digest_end(&follower->digest, checksum, STAGE_FETCH, err);
}

void follower_release(struct follower *follower)
{
	struct error ignored;

	tell(follower, true);
	join(follower, -1, &ignored);
	follower->abandon = false;
	digest_release(&follower->digest);
}
