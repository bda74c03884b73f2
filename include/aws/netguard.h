/* Addresses that an AWS endpoint never has: private, loopback, link-local and their IPv6 disguises.
 * Asked after name resolution, for each socket, so that a name cannot lie. */
#ifndef AWS_NETGUARD_H
#define AWS_NETGUARD_H

#include <stdbool.h>
#include <sys/socket.h>

bool netguard_allows(const struct sockaddr *address, socklen_t n);

/* The only exceptions, for the operator's own credentials and nothing else: the agents that hand them out on this host. */
enum netguard_door {
	NETGUARD_CONTAINER, /* loopback, 169.254.170.2 (ECS), 169.254.170.23 and fd00:ec2::23 (EKS) */
	NETGUARD_INSTANCE, /* loopback, 169.254.169.254, fd00:ec2::254 (EC2) */
};
bool netguard_opens(enum netguard_door door, const struct sockaddr *address, socklen_t n);

#endif
