/* A listener: libmicrohttpd on one side, exchanges on the other. Each connection has a thread of its
 * own: a handler waits for the database, and must keep nobody else waiting. */
#ifndef SERVER_HTTP_MHD_H
#define SERVER_HTTP_MHD_H

#include "server/exchange.h"
#include "server/limits.h"
#include "server/tls.h"

struct http_mhd_settings {
	struct exchange_place place; /* copied; what it points to is borrowed */
	int listen_fd;               /* bound and listening; becomes the listener's */
	int connections, per_ip;     /* per_ip 0 = no limit (Unix sockets have no addresses) */
	const struct tls *tls;       /* NULL: plain HTTP; borrowed until start has returned */
};

struct http_mhd;
/* Ends all connections and threads. */
void http_mhd_free(struct http_mhd *h);
DEFINE_AUTO(http_mhd)
MUST_CHECK enum rc http_mhd_start(const struct http_mhd_settings *settings, struct http_mhd **ret,
				  struct err *err);
/* Stops accepting; open connections are told to close with their next answer. */
void http_mhd_quiesce(struct http_mhd *h);
/* Call about once a second: ends connections that are past their deadline. */
void http_mhd_sweep(struct http_mhd *h);
/* Requests under way. */
int http_mhd_active(struct http_mhd *h);

#endif
