/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a gzip file (RFC 1952), one after the other, each with its checksum and length,
 * and nothing between or behind them. Runs in the confined child; the bytes are hostile.
 */
#include "place/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lazy.h"

#define GZIP_ONLY (15 + 16) /* window bits: as zlib.h of inflateInit2 */

static const struct lazy_symbol symbols[] = {
	LAZY_SYMBOL(struct zlib_api, init, inflateInit2_),
	LAZY_SYMBOL(struct zlib_api, reset, inflateReset),
	LAZY_SYMBOL(struct zlib_api, inflate, inflate),
	LAZY_SYMBOL(struct zlib_api, end, inflateEnd),
};

static const struct lazy_library zlib = {
	.purpose = "gzip",
	.package = "zlib1g",
	.sonames = { "libz.so.1" },
	.symbols = symbols,
	.symbols_n = sizeof(symbols) / sizeof(symbols[0]),
};

LAZY_NOTE(zlib, "[{\"soname\":[\"libz.so.1\"],\"feature\":\"unpack\","
		"\"description\":\"files compressed with gzip\",\"priority\":\"recommended\"}]");

int zlib_api_open(struct zlib_api *api, struct error *err)
{
	return lazy_open(&zlib, api, STAGE_CHROOT, err);
}

struct gunzip *gunzip_open(const struct zlib_api *api, int fd)
{
	struct gunzip *gunzip = malloc(sizeof(*gunzip));

	if (!gunzip)
		return NULL;
	gunzip->api = api;
	gunzip->fd = fd;
	gunzip->between = true;
	gunzip->state = (z_stream){ .next_in = gunzip->in };
	if (api->init(&gunzip->state, GZIP_ONLY, ZLIB_VERSION, (int)sizeof(z_stream)) == Z_OK)
		return gunzip;
	free(gunzip);
	return NULL;
}

void gunzip_release(struct gunzip *gunzip)
{
	if (!gunzip)
		return;
	gunzip->api->end(&gunzip->state);
	free(gunzip);
}

/* False at the end of the file. */
static int more_input(struct gunzip *gunzip, bool *more, struct error *err)
{
	ssize_t n;

	do
		n = read(gunzip->fd, gunzip->in, sizeof(gunzip->in));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(err, STAGE_CHROOT, errno, "read it");
	gunzip->state.next_in = gunzip->in;
	gunzip->state.avail_in = (unsigned int)n;
	*more = n > 0;
	return 0;
}

static int inflate_some(struct gunzip *gunzip, struct error *err)
{
	int got = gunzip->api->inflate(&gunzip->state, Z_NO_FLUSH);

	gunzip->between = got == Z_STREAM_END;
	if (gunzip->between)
		gunzip->api->reset(&gunzip->state);
	if (got == Z_OK || got == Z_STREAM_END || got == Z_BUF_ERROR)
		return 0;
	return error_set(err, STAGE_CHROOT, 0, "it is damaged: %s",
			 gunzip->state.msg ? gunzip->state.msg : "gzip does not go on");
}

int gunzip_read(struct gunzip *gunzip, const void **data, size_t *size, struct error *err)
{
	z_stream *state = &gunzip->state;
	bool more = true;

	state->next_out = gunzip->out;
	state->avail_out = sizeof(gunzip->out);
	while (state->avail_out) {
		if (!state->avail_in && more_input(gunzip, &more, err))
			return -1;
		if (!more)
			break;
		if (inflate_some(gunzip, err))
			return -1;
	}
	*data = gunzip->out;
	*size = sizeof(gunzip->out) - state->avail_out;
	if (!*size && !gunzip->between)
		return error_set(err, STAGE_CHROOT, 0, "it is damaged: it is cut");
	return 0;
}
