/* A second, much smaller way into libmicrohttpd: a listener for a few fixed pages that take no input. */
#ifndef SERVER_HTTP_MHD_PAGE_H
#define SERVER_HTTP_MHD_PAGE_H

#include "base/err.h"
#include "base/str.h"

struct http_mhd_page {
	int status;
	const char *type, *allow; /* static; allow NULL = none */
	char *body;               /* mem_free() */
	size_t n;
};

struct http_mhd_page_settings {
	/* target: raw, at most HTTP_MHD_PAGE_TARGET_MAX bytes of it. Called by any thread. */
	struct http_mhd_page (*page)(void *arg, struct str method, struct str target);
	void *arg;
	int listen_fd; /* bound and listening; becomes the listener's */
	int connections;
};
enum { HTTP_MHD_PAGE_TARGET_MAX = 63 };

struct http_mhd_page_listener;
void http_mhd_page_free(struct http_mhd_page_listener *l); /* ends all connections and threads */
MUST_CHECK enum rc http_mhd_page_start(const struct http_mhd_page_settings *settings,
				       struct http_mhd_page_listener **ret, struct err *err);
/* Call about once a second: ends connections that are past their deadline. */
void http_mhd_page_sweep(struct http_mhd_page_listener *l);

#endif
