/* The data folder of `connectord up`: what lies where, who owns it, and that only one uses it.
 *
 * 	DIR/up.lock           held while `up` runs
 * 	DIR/postgres/         the PostgreSQL cluster     DIR/postgres.log   what it says
 * 	DIR/run/              the operator's Unix socket; the server's folder
 * 	DIR/sql/              PostgreSQL's Unix socket; PostgreSQL's folder, which the server may pass
 * 	DIR/keys/             seal.key, seal.pub, operator.key
 * 	DIR/first-organization  its id, once it was made */
#ifndef SERVER_PLACES_H
#define SERVER_PLACES_H

#include "base/config.h"
#include "server/identity.h"

struct places {
	char *dir, *cluster, *cluster_new, *run, *sql, *keys, *log, *first_org, *admin_socket;
	char *seal_key, *seal_public, *operator_key;
	int lock_fd;
};
void places_free(struct places *p);
DEFINE_AUTO(places)

/* Makes the folders and takes the lock. RC_INVALID: the folder cannot be used, says why and what to
 * do. RC_CONFLICT: another `up` runs here. */
MUST_CHECK enum rc places_open(const struct config *c, const struct identities *ids,
			       struct places **ret, struct err *err);

#endif
