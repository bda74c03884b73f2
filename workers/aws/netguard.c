/* Address rules. Facts: IANA special-purpose registries. */
#include "aws/netguard.h"
#include "base/cdefs.h"
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const struct {
	uint32_t net;
	int bits;
} REFUSED4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carrier NAT */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local: instance metadata */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocol assignments */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarking */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
};

static bool allows4(uint32_t address)
{
	for (size_t i = 0; i < COUNT_OF(REFUSED4); i++)
		if (address >> (32 - REFUSED4[i].bits) ==
		    REFUSED4[i].net >> (32 - REFUSED4[i].bits))
			return false;
	return true;
}

/* Only global unicast (2000::/3) is anybody's public address; within it 6to4 (2002::/16) and
 * Teredo (2001::/32) carry an IPv4 address, documentation (2001:db8::/32) nobody's. */
static bool allows6(const unsigned char *b)
{
	static const unsigned char teredo[4] = { 0x20, 0x01, 0, 0 };
	static const unsigned char documentation[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	if ((b[0] & 0xe0) != 0x20)
		return false;
	if (b[0] == 0x20 && b[1] == 0x02)
		return false;
	return memcmp(b, teredo, 4) != 0 && memcmp(b, documentation, 4) != 0;
}

bool netguard_allows(const struct sockaddr *address, socklen_t n)
{
	if (address->sa_family == AF_INET && n >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return allows4(ntohl(in.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6 && n >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;

		memcpy(&in, address, sizeof(in));
		return allows6(in.sin6_addr.s6_addr);
	}
	return false;
}

static const struct {
	enum netguard_door door;
	uint32_t v4;
	unsigned char v6_last[2]; /* of fd00:ec2::; 0 = none */
} AGENTS[] = {
	{ NETGUARD_CONTAINER, 0xa9feaa02, { 0, 0 } },
	{ NETGUARD_CONTAINER, 0xa9feaa17, { 0x00, 0x23 } },
	{ NETGUARD_INSTANCE, 0xa9fea9fe, { 0x02, 0x54 } },
};

static bool opens4(enum netguard_door door, uint32_t address)
{
	if (address >> 24 == 127)
		return true;
	for (size_t i = 0; i < COUNT_OF(AGENTS); i++)
		if (AGENTS[i].door == door && AGENTS[i].v4 == address)
			return true;
	return false;
}

static bool opens6(enum netguard_door door, const unsigned char *b)
{
	static const unsigned char loopback[16] = { [15] = 1 };
	static const unsigned char agents[14] = { 0xfd, 0x00, 0x0e, 0xc2 };

	if (memcmp(b, loopback, sizeof(loopback)) == 0)
		return true;
	if (memcmp(b, agents, sizeof(agents)) != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(AGENTS); i++)
		if (AGENTS[i].door == door && AGENTS[i].v6_last[1] != 0 &&
		    memcmp(AGENTS[i].v6_last, b + 14, 2) == 0)
			return true;
	return false;
}

bool netguard_opens(enum netguard_door door, const struct sockaddr *address, socklen_t n)
{
	if (address->sa_family == AF_INET && n >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return opens4(door, ntohl(in.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6 && n >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;

		memcpy(&in, address, sizeof(in));
		return opens6(door, in.sin6_addr.s6_addr);
	}
	return false;
}
