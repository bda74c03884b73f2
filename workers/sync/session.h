/* From a connection to an AWS session: role or access key, external ID, session name, session policy. */
#ifndef WORKERS_SYNC_SESSION_H
#define WORKERS_SYNC_SESSION_H

#include "db/connection_state.h"
#include "workers/kinds.h"

enum {
	SESSION_NAME_MAX = 65,
	SESSION_DURATION_S = 3600,
	SESSION_PROBE_S = 900, /* the shortest that AWS gives */
	SESSION_POLICY_MAX = 2048,
	SESSION_ARN_MAX = 640
};

/* What every session of a sync may do at most: the Tier 1 reads. Everything else is denied, in words, too. */
extern const char *const SESSION_POLICY;
/* The same for a check: also what tells whether tier 2 and the rest would work. */
extern const char *const SESSION_CHECK_POLICY;

/* "connectord-0b1c2d3e-4f5a6b7c": what the customer sees in CloudTrail. second may be zero. */
void session_name(struct id connection_id, struct id second, char out[SESSION_NAME_MAX]);

/* True: the role lies in an account of the operator's own, as far as those are known. */
bool session_is_own_account(const struct task_run *run, const struct connection_state *c);

/* The session that a sync uses; it calls AWS when it is first used. RC_DENIED with a code and a remedy when somebody has to act
 * before it can be made: base_identity_missing, base_identity_refused, own_account, sealing_key_missing, sealing_key_unknown,
 * secret_damaged. RC_RETRY: vendor_account_unknown (no role is assumed before that is known). */
MUST_CHECK enum rc session_open(const struct task_run *run, const struct connection_state *c,
				struct aws_session **ret, struct err *err);

/* The same for a check. */
MUST_CHECK enum rc session_open_check(const struct task_run *run, const struct connection_state *c,
				      struct aws_session **ret, struct err *err);

/* A role session as session_open makes it, but with this external ID (NULL = none), short, and allowed nothing. */
MUST_CHECK enum rc session_probe(const struct task_run *run, const struct connection_state *c,
				 const char *external_id, struct aws_session **ret,
				 struct err *err);

/* For a look at the role itself: with our external ID, as short, and allowed nothing but iam:GetRole on it. */
MUST_CHECK enum rc session_look(const struct task_run *run, const struct connection_state *c,
				struct aws_session **ret, struct err *err);

/* Whose credentials these are. RC_OK: *account and *partition are set. Else *fault says why. */
struct session_identity {
	char account[16];
	char partition[24];
	char arn[SESSION_ARN_MAX]; /* "" = longer */
};
MUST_CHECK enum rc session_identify(const struct task_run *run, const struct connection_state *c,
				    struct aws_session *session, struct session_identity *ret,
				    struct aws_fault *fault, struct aws_tally *tally,
				    struct err *err);

#endif
