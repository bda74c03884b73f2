/* Where a webhook may go: every public address, and the private ones that the operator lists. */
#ifndef WORKERS_NOTIFY_ALLOW_H
#define WORKERS_NOTIFY_ALLOW_H

#include "base/err.h"
#include "base/str.h"
#include <stdint.h>
#include <sys/socket.h>

enum { ALLOW_MAX = 32 };

struct allow {
	struct {
		int family; /* AF_INET, AF_INET6 */
		unsigned char net[16];
		int bits;
	} nets[ALLOW_MAX];
	size_t n;
};

/* "10.0.0.0/8, fd00::/8"; a network has no bits behind its length. RC_INVALID says what is wrong. */
MUST_CHECK enum rc allow_parse(struct str list, struct allow *ret, struct err *err);
/* Asked for each socket after name resolution, so that no name can lie. */
bool allow_address(const struct allow *a, const struct sockaddr *address, socklen_t n);

#endif
