/* Networks that the operator opened for webhooks, over the rules of netguard.c. A disguised address
 * (v4-mapped, NAT64) is another one than the plain: it must be listed itself. */
#include "workers/notify/allow.h"
#include "aws/netguard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, (size_t)whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* No bit is set behind the first ones. */
static bool is_network(const unsigned char *net, int bits, int size)
{
	for (int i = bits; i < size; i++)
		if (net[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

static bool parse_one(struct str text, struct allow *a)
{
	struct str rest = text;
	struct str address = str_cut(&rest, '/');
	char z[INET6_ADDRSTRLEN];
	unsigned char net[16] = { 0 };
	int64_t bits = 0;
	int family = AF_INET, size = 32;

	if (address.n == text.n || address.n >= sizeof(z) || !str_to_i64(rest, &bits))
		return false;
	(void)snprintf(z, sizeof(z), "%.*s", STR_FMT(address));
	if (str_has(address, S(":"))) {
		family = AF_INET6;
		size = 128;
	}
	if (inet_pton(family, z, net) != 1 || bits < 0 || bits > size ||
	    !is_network(net, (int)bits, size))
		return false;
	a->nets[a->n].family = family;
	a->nets[a->n].bits = (int)bits;
	memcpy(a->nets[a->n].net, net, sizeof(net));
	a->n++;
	return true;
}

enum rc allow_parse(struct str list, struct allow *ret, struct err *err)
{
	struct str rest = str_trim(list);

	*ret = (struct allow){ .n = 0 };
	while (rest.n > 0) {
		struct str one = str_trim(str_cut(&rest, ','));

		if (ret->n == ALLOW_MAX)
			return err_set(err, RC_INVALID, "invalid_setting",
				       "webhook_allow_private lists more than %d networks",
				       ALLOW_MAX);
		if (!parse_one(one, ret))
			return err_set(err, RC_INVALID, "invalid_setting",
				       "webhook_allow_private: entry %zu is not a network such as "
				       "10.0.0.0/8 or fd00::/8",
				       ret->n + 1);
	}
	return RC_OK;
}

bool allow_address(const struct allow *a, const struct sockaddr *address, socklen_t n)
{
	unsigned char bytes[16] = { 0 };
	int family = address->sa_family;

	if (netguard_allows(address, n))
		return true;
	if (family == AF_INET && n >= sizeof(struct sockaddr_in))
		memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	else if (family == AF_INET6 && n >= sizeof(struct sockaddr_in6))
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	else
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->nets[i].family == family &&
		    same_bits(a->nets[i].net, bytes, a->nets[i].bits))
			return true;
	return false;
}
