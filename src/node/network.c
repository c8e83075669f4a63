/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address that others reach this host by: the one of the interface its default route leaves by.
 *
 * Sources: /proc/net/route, /proc/net/ipv6_route, getifaddrs(3), which asks the kernel. Nothing is
 * sent.
 */
#include <arpa/inet.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "node/survey.h"

#define ROUTES_BYTES ((size_t)4 << 20)

struct route {
	char interface[IFNAMSIZ];
	unsigned int flags, metric;
	bool is_default;
};

/*
 * "eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0": interface, destination, gateway, flags, two
 * counters, metric, mask, and more; addresses and flags are hexadecimal.
 */
static bool parse_route4(const char *line, struct route *route)
{
	unsigned int destination, mask;

	if (sscanf(line, "%15s %x %*x %x %*u %*u %u %x", route->interface, &destination,
		   &route->flags, &route->metric, &mask) != 5)
		return false;
	route->is_default = destination == 0 && mask == 0;
	return true;
}

/*
 * Destination, its length, source, its length, next hop, metric, two counters, flags, all of them
 * hexadecimal, and interface.
 */
static bool parse_route6(const char *line, struct route *route)
{
	char destination[33];
	unsigned int length;

	if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %x %15s", destination, &length,
		   &route->metric, &route->flags, route->interface) != 5)
		return false;
	route->is_default = length == 0 && strspn(destination, "0") == 32;
	return true;
}

static int best_route(char *text, bool (*parse)(const char *, struct route *), char name[IFNAMSIZ])
{
	unsigned int best = 0;
	bool found = false;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct route route;

		if (!parse(line, &route) || !route.is_default || !(route.flags & RTF_UP) ||
		    (route.flags & RTF_REJECT) || (found && route.metric >= best))
			continue;
		found = true;
		best = route.metric;
		strcpy(name, route.interface);
	}
	return found ? 0 : -1;
}

int default_interface(struct survey *survey, char name[IFNAMSIZ])
{
	if (best_route(read_text(survey, "proc/net/route", ROUTES_BYTES), parse_route4, name) == 0)
		return 0;
	return best_route(read_text(survey, "proc/net/ipv6_route", ROUTES_BYTES), parse_route6,
			  name);
}

/* How fit an address is to be named; 0: it is none. */
static int rank_address(const struct sockaddr *address)
{
	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		return (ntohl(v4->sin_addr.s_addr) & 0xffff0000) == 0xa9fe0000 ? 2 : 4;
	}
	if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? 1 : 3;
	}
	return 0;
}

void survey_address(struct survey *survey, const struct ifaddrs *list, const char *interface)
{
	const struct sockaddr *best = NULL;
	const struct sockaddr_in *v4;
	const struct sockaddr_in6 *v6;
	char text[INET6_ADDRSTRLEN];
	const void *bytes;

	for (; list; list = list->ifa_next)
		if (strcmp(list->ifa_name, interface) == 0 &&
		    rank_address(list->ifa_addr) > rank_address(best))
			best = list->ifa_addr;
	if (!best)
		return;
	v4 = (const void *)best;
	v6 = (const void *)best;
	bytes = best->sa_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr;
	if (inet_ntop(best->sa_family, bytes, text, sizeof(text)))
		survey_add(survey, "unique.network.ip-address", "%s", text);
}

void survey_network(struct survey *survey)
{
	char interface[IFNAMSIZ];
	struct ifaddrs *list;

	if (default_interface(survey, interface) || getifaddrs(&list))
		return;
	survey_address(survey, list, interface);
	freeifaddrs(list);
}
