/* Sockets to listen on. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "base/err.h"

/* host: an IPv4 or IPv6 address. RC_INVALID, RC_CONFLICT (in use): says what to do. *ret_port: the
 * port that was bound, for port 0. */
MUST_CHECK enum rc listen_tcp(const char *host, int port, int *ret_fd, int *ret_port,
			      struct err *err);
/* A Unix socket that only its owner may use (0600). One that nobody listens on any more is replaced;
 * RC_CONFLICT when somebody does. */
MUST_CHECK enum rc listen_unix(const char *path, int *ret_fd, struct err *err);

#endif
