/* The private PostgreSQL cluster of `connectord up`: made once, kept, recovered, started, asked to
 * end. Reached through its Unix socket only; who may connect as which role is decided by the user id
 * of the peer. */
#ifndef SERVER_CLUSTER_H
#define SERVER_CLUSTER_H

#include "server/child.h"
#include "server/places.h"

struct cluster {
	const struct places *places;
	const struct identities *ids;
	char *bin;     /* folder of its programs */
	char *program; /* the postmaster's */
};
void cluster_done(struct cluster *c);

/* Finds the programs, makes the cluster unless it exists, and ends what a killed run left behind.
 * RC_INVALID: no PostgreSQL, or another version than the data's. RC_BROKEN: initdb failed. */
MUST_CHECK enum rc cluster_prepare(struct cluster *c, const char *bin_setting, struct err *err);
/* What a killed postmaster left: processes are ended, a lock file of a foreign pid is removed. Also
 * called before each restart. */
void cluster_recover(const struct cluster *c);
/* Fills the child that runs the postmaster. */
MUST_CHECK enum rc cluster_child(const struct cluster *c, struct child *child, struct err *err);
/* True once the postmaster with this pid accepts connections. */
bool cluster_is_ready(const struct cluster *c, pid_t postmaster);
/* libpq's connection string of a role: "connectord_app". mem_free(). */
char *cluster_conninfo(const struct cluster *c, const char *role) NEVER_NULL;

#endif
