/* The name of a client's bucket, from his address.
 * Never reads a header: whoever writes one could be anybody. */
#include "server/peer.h"

#include <netinet/in.h>

enum { PREFIX_BYTES = 8 };

static struct id name(const char *family, const void *bytes, size_t n)
{
	const struct str parts[] = { S("peer"), str_c(family), str_n(bytes, n) };

	return id_hash(parts, COUNT_OF(parts));
}

struct id peer_of(const struct sockaddr *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (address && address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return name("4", &v4.sin_addr, sizeof(v4.sin_addr));
	}
	if (!address || address->sa_family != AF_INET6)
		return (struct id){ { 0 } };
	memcpy(&v6, address, sizeof(v6));
	if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return name("4", &v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
	return name("6", &v6.sin6_addr, PREFIX_BYTES);
}
