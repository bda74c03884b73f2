/* From a connection to an AWS session: role or access key, external ID, session name, session policy. */
#ifndef WORKERS_SYNC_SESSION_H
#define WORKERS_SYNC_SESSION_H

#include "db/connection_state.h"
#include "workers/kinds.h"

enum { SESSION_NAME_MAX = 65, SESSION_DURATION_S = 3600, SESSION_POLICY_MAX = 2048 };

/* What every session of a sync may do at most: the Tier 1 reads. Everything else is denied, in words, too. */
extern const char *const SESSION_POLICY;

/* "connectord-0b1c2d3e-4f5a6b7c": what the customer sees in CloudTrail. second may be zero. */
void session_name(struct id connection_id, struct id second, char out[SESSION_NAME_MAX]);

/* The session that a sync uses. Nothing is called yet. RC_RETRY with a code and a remedy when it cannot be made here and now:
 * base_identity_missing, sealing_key_missing, sealing_key_unknown, secret_damaged. */
MUST_CHECK enum rc session_open(const struct task_run *run, const struct connection_state *c,
				struct aws_session **ret, struct err *err);

/* A role session as session_open makes it, but with this external ID (NULL = none) and without a policy: the probes. */
MUST_CHECK enum rc session_probe(const struct task_run *run, const struct connection_state *c,
				 const char *external_id, struct aws_session **ret,
				 struct err *err);

/* Whose credentials these are. RC_OK: *account and *partition are set. Else *fault says why. */
struct session_identity {
	char account[16];
	char partition[24];
};
MUST_CHECK enum rc session_identify(const struct task_run *run, const struct connection_state *c,
				    struct aws_session *session, struct session_identity *ret,
				    struct aws_fault *fault, struct aws_tally *tally,
				    struct err *err);

#endif
