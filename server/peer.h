/* Whom an unknown client is counted as: his address, by which he is told from others before he is known. */
#ifndef SERVER_PEER_H
#define SERVER_PEER_H

#include "base/id.h"

struct sockaddr;
/* A hash of the IPv4 address, or of the /64 of the IPv6 address, for a household has as many addresses as it
 * likes in that; an IPv4 address in IPv6 is itself. Zero: a Unix socket, or no address. */
struct id peer_of(const struct sockaddr *address);

#endif
