/* Sockets to listen on. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "base/err.h"

#include <stdbool.h>

/* host: an IPv4 or IPv6 address. RC_INVALID, RC_CONFLICT (in use): says what to do. *ret_port: the
 * port that was bound, for port 0. */
MUST_CHECK enum rc listen_tcp(const char *host, int port, int *ret_fd, int *ret_port,
			      struct err *err);
/* Which file a Unix socket is: another process may put its own under the same name. The file is held
 * open, so that its number cannot become another's. */
struct listen_mark {
	bool made;
	int fd;
};
/* A Unix socket that only its owner may use (0600). A socket that nobody listens on any more is
 * replaced, nothing else ever is. RC_CONFLICT: somebody listens there. RC_INVALID: it is no socket. */
MUST_CHECK enum rc listen_unix(const char *path, int *ret_fd, struct listen_mark *ret_mark,
			       struct err *err);
/* Removes the name if it still is the socket that was made here; once. */
void listen_remove(const char *path, struct listen_mark *mark);

#endif
