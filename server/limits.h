/* Deadlines of open connections. The library's own timeout counts idleness only: a client that sends
 * a byte a second would stay for ever. Here each phase has an end, whatever trickles in. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "base/err.h"

enum {
	LIMITS_HEAD_S = 10,    /* from accept to the end of the first head */
	LIMITS_IDLE_S = 60,    /* between requests, the next head included */
	LIMITS_REQUEST_S = 30, /* from the end of the head to the end of the answer */
};

struct limits;
struct limits_entry; /* one connection */
void limits_free(struct limits *l);
DEFINE_AUTO(limits)
struct limits *limits_new(void) NEVER_NULL FREED_BY(limits_free);

struct limits_entry *limits_open(struct limits *l, int fd);
void limits_close(struct limits *l, struct limits_entry *e); /* before the socket is closed */
void limits_request_begins(struct limits *l, struct limits_entry *e);
void limits_request_ends(struct limits *l, struct limits_entry *e);
/* Shuts down every socket past its deadline; the library then sees the end and cleans up. */
void limits_sweep(struct limits *l);
/* Requests under way. */
int limits_active(struct limits *l);

#endif
