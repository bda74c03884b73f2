/* A connection as a worker needs it: how to get in, what was found out about it, and the verdicts it writes back. */
#ifndef DB_CONNECTION_STATE_H
#define DB_CONNECTION_STATE_H

#include "db/db.h"

struct connection_state {
	struct id org_id, connection_id;
	char *name, *aws_account_id, *aws_organization_id, *region, *auth_method, *role_arn,
		*access_key_id;
	char *sealed; /* envelope, sealed_n bytes; NULL = none */
	size_t sealed_n;
	char *verify_state, *verify_code, *pinned_account_id, *pinned_partition;
	char *cloudtrail_bucket, *cloudtrail_digest_prefix; /* "" = none */
	bool paused, deleted;
	bool synced; /* a sync was ever started */
	int64_t version;
	int64_t age_s; /* since it was created or a person last changed it */
};
void connection_state_free(struct connection_state *c);
DEFINE_AUTO(connection_state)

/* A connection that was never saved, from the fields that a check of it was asked with; id stands for its own. The sealed bytes
 * are copied. */
struct connection_state *connection_state_draft(struct id org_id, struct id id, const json_t *draft,
						struct str sealed) NEVER_NULL;
/* RC_NOT_FOUND: purged meanwhile. */
MUST_CHECK enum rc connection_state_load(struct db *db, struct id org_id, struct id connection_id,
					 struct connection_state **ret, struct err *err);

struct connection_verdict {
	const char *
		state; /* "pending", "verified", "refused"; NULL = leave it, note only the reason */
	const char *code, *text;
	const json_t *aws;               /* AWS's own code, message, request id; NULL = none */
	int external_id_enforced;        /* 1, 0, -1 = not known by this check */
	const char *account, *partition; /* to pin when nothing is pinned; NULL = none */
};
/* Writes what a check found, if the connection is still at `version`. Without a state nothing was checked, and verified_at
 * stays. Joins the caller's transaction. RC_RETRY connection_changed: a person changed it during the check, so that the verdict is about
 * the past. */
MUST_CHECK enum rc connection_state_judge(struct db *db, const struct connection_state *c,
					  const struct connection_verdict *v, struct err *err);
/* In the caller's transaction: whether a verify task other than `except` waits or runs. */
MUST_CHECK enum rc connection_state_verify_queued(struct db *db, const struct connection_state *c,
						  struct id except, bool *ret_queued,
						  struct err *err);

#endif
