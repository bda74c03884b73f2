/* Which users the parts of `connectord up` run as. An ordinary user stays who he is; root gives
 * PostgreSQL (which refuses root) to one user and the HTTP server (which faces the network) to another,
 * for whoever is PostgreSQL's user can read every row and write every rule of access. */
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

struct identities {
	struct identity server, postgres;
};

/* asked: the setting up_user, "" = connectord if there is such a user, else nobody. PostgreSQL's user
 * is postgres, or the server's when there is no postgres. RC_INVALID: no such user, or it is root. */
MUST_CHECK enum rc identity_find(const char *asked, struct identities *ret, struct err *err);
bool identity_differ(const struct identities *ids);
/* In a child between fork and exec: becomes uid:gid for good. False: it did not work. */
bool identity_become(const struct identity *id);
/* Runs fn(arg) in a child that has become uid:gid; its result (0..255), or -1. */
int identity_call(const struct identity *id, int (*fn)(void *arg), void *arg);

#endif
