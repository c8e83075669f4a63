/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy on addresses. Pure. A hostile server, or whoever answers for its name, chooses the
 * address, so it is judged as it is about to be connected to, after the name was resolved.
 */
#include "fetch/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct network {
	uint8_t address[16];
	unsigned int bits;
};

/* IPv4 networks are written as they are mapped into IPv6. */
#define IPV4(a, b, c, d, length)                                                                   \
	{                                                                                          \
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d }, 96 + (length)            \
	}

static const struct network metadata[] = {
	IPV4(169, 254, 0, 0, 16),     /* link-local; the metadata of most clouds */
	IPV4(100, 100, 100, 200, 32), /* Alibaba */
	IPV4(192, 0, 0, 192, 32),     /* Oracle */
	IPV4(168, 63, 129, 16, 32),   /* Azure's host */
	{ { 0xfe, 0x80 }, 10 },
	{ { 0xfd, 0x00, 0x0e, 0xc2 }, 32 },                         /* AWS */
	{ { 0xfd, 0x20, 0x00, 0xce }, 64 },                         /* Google */
	{ { 0xfd, 0x00, 0x00, 0xc1, 0x00, 0xa9, 0x02, 0x54 }, 64 }, /* Oracle */
};

static const struct network private_ones[] = {
	IPV4(0, 0, 0, 0, 8),      IPV4(10, 0, 0, 0, 8),    IPV4(100, 64, 0, 0, 10),
	IPV4(127, 0, 0, 0, 8),    IPV4(172, 16, 0, 0, 12), IPV4(192, 0, 0, 0, 24),
	IPV4(192, 168, 0, 0, 16), IPV4(198, 18, 0, 0, 15), IPV4(240, 0, 0, 0, 4),
	{ { [15] = 0 }, 127 }, /* :: and ::1 */
	{ { 0xfc }, 7 },          { { 0xfe, 0xc0 }, 10 },
};

static bool is_in(const uint8_t *address, const struct network *network)
{
	unsigned int whole = network->bits / 8, rest = network->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address, network->address, whole) == 0 &&
	       (!rest || ((address[whole] ^ network->address[whole]) & mask) == 0);
}

static bool is_in_any(const uint8_t *address, const struct network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(address, &networks[i]))
			return true;
	return false;
}

/* The address as IPv6; an IPv4 one that is embedded in a translated or a 6to4 one, as itself. */
static bool normalize(const struct sockaddr *from, uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t translated[12] = { 0, 0x64, 0xff, 0x9b };

	memcpy(address, mapped, sizeof(mapped));
	if (from->sa_family == AF_INET) {
		memcpy(address + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	memcpy(address, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	if (memcmp(address, translated, sizeof(translated)) == 0) {
		memcpy(address, mapped, sizeof(mapped));
	} else if (address[0] == 0x20 && address[1] == 0x02) {
		memmove(address + 12, address + 2, 4);
		memcpy(address, mapped, sizeof(mapped));
	}
	return true;
}

const char *policy_obstacle(const struct sockaddr *address, bool allow_metadata, bool deny_private)
{
	uint8_t bytes[16];

	if (!normalize(address, bytes))
		return "it is not an internet address";
	if (!allow_metadata && is_in_any(bytes, metadata, sizeof(metadata) / sizeof(metadata[0])))
		return "it is link-local, or where a cloud keeps the machine's secrets; see --allow-metadata";
	if (deny_private &&
	    is_in_any(bytes, private_ones, sizeof(private_ones) / sizeof(private_ones[0])))
		return "it is private, and --deny-private was given";
	return NULL;
}
