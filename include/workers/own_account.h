/* Our own side of assuming roles: an identity that AWS accepts, and the account that it is of, in which no role is ever
 * assumed. What is wrong with it is for the operator; customers read fixed sentences that tell nothing of our files or keys. */
#ifndef WORKERS_OWN_ACCOUNT_H
#define WORKERS_OWN_ACCOUNT_H

#include "db/vendor.h"
#include "workers/kinds.h"

/* Asks AWS whose the base identity is (env->base must be there), keeps it for all threads of this process and tells the
 * server. *fault is AWS's when that failed; err is for our log. */
MUST_CHECK enum rc own_account_learn(const struct worker_env *env, struct aws_client *client,
				     struct db *db, const char *region,
				     char ret_account[VENDOR_ACCOUNT_MAX], struct aws_fault *fault,
				     struct err *err);

/* AWS itself called the credentials invalid or ended, rather than there being none to sign with. */
bool own_account_is_refusal(const struct aws_fault *fault);

/* Before a role is assumed. RC_OK: there is an identity, and its account is known (learned now, if need be). RC_DENIED:
 * base_identity_missing, base_identity_refused: the operator has to act. RC_RETRY: base_identity_unavailable,
 * vendor_account_unknown. */
MUST_CHECK enum rc own_account_ready(const struct task_run *run, const char *region,
				     struct err *err);

/* Whose fault it is that a role could not be assumed. RC_OK: not ours. RC_DENIED: base_identity_refused, base_identity_missing,
 * base_identity_denied (a policy on our side forbids it), session_policy_too_large, session_policy_malformed. */
MUST_CHECK enum rc own_account_blame(const struct aws_fault *fault, struct err *err);

#endif
