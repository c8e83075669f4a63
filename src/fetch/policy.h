/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a download may connect to. Pure. Private to this folder. */
#ifndef FETCH_POLICY_H
#define FETCH_POLICY_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * NULL when it may, else what the address is and the option that decides it. Link-local addresses
 * and those where clouds keep the secrets of a machine are refused unless allow_metadata; with
 * deny_private also loopback, private and shared ones. An IPv4 address in IPv6 clothes counts as
 * itself. Sources: RFC 6890, RFC 4193, RFC 6052; the clouds' documentation of their metadata.
 */
const char *policy_obstacle(const struct sockaddr *address, bool allow_metadata, bool deny_private);

#endif
