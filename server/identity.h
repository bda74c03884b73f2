/* Which user the parts of `connectord up` run as. An ordinary user stays who he is; root gives
 * PostgreSQL (which refuses root) and the HTTP server (which faces the network) to another user. */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

enum { IDENTITY_NAME_MAX = 64 };

struct identity {
	bool drops; /* we are root and become uid:gid */
	uid_t uid;
	gid_t gid;
	char name[IDENTITY_NAME_MAX]; /* of uid */
	char self[IDENTITY_NAME_MAX]; /* of the user who started us */
};

/* asked: the setting up_user, "" = connectord if there is such a user, else postgres.
 * RC_INVALID: no such user, or it is root too. */
MUST_CHECK enum rc identity_find(const char *asked, struct identity *ret, struct err *err);
/* In a child between fork and exec: becomes uid:gid for good. False: it did not work. */
bool identity_become(const struct identity *id);
/* Runs fn(arg) in a child that has become uid:gid; its result (0..255), or -1. */
int identity_call(const struct identity *id, int (*fn)(void *arg), void *arg);

#endif
