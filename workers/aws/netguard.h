/* Addresses that an AWS endpoint never has: private, loopback, link-local and their IPv6 disguises.
 * Asked after name resolution, for each socket, so that a name cannot lie. */
#ifndef WORKERS_AWS_NETGUARD_H
#define WORKERS_AWS_NETGUARD_H

#include <stdbool.h>
#include <sys/socket.h>

bool netguard_allows(const struct sockaddr *address, socklen_t n);

#endif
