/* AssumeRole: one role's temporary credentials. */
#ifndef WORKERS_AWS_ASSUME_H
#define WORKERS_AWS_ASSUME_H

#include "aws/aws.h"
#include "workers/aws/creds.h"

/* The pieces of struct aws_role, owned. */
struct assume {
	char *role_arn;
	char *external_id; /* NULL: not sent */
	char *session_name;
	char *session_policy; /* NULL: none */
	char *region;
	char *account; /* that signs: the limiter's key */
	int duration_s;
	bool ours; /* a role of our own identity, which may well be in our own account */
};
void assume_free(struct assume *a);
DEFINE_AUTO(assume)
struct assume *assume_new(const struct aws_role *role, const char *signing_account) NEVER_NULL;

/* The credentials in the reply of AssumeRole or AssumeRoleWithWebIdentity, which is wiped. They must be of the role's account. */
MUST_CHECK enum rc assume_read(const char *role_arn, struct aws_env *env, const json_t *reply,
			       struct creds **ret, struct aws_fault *fault, struct err *err);
/* Refuses roles in the operator's own accounts before anything is sent. */
MUST_CHECK enum rc assume_call(const struct assume *a, struct aws_env *env, struct aws_session *via,
			       struct aws_client *client, struct creds **ret,
			       struct aws_fault *fault, struct err *err);

#endif
