/* Getting our own credentials from the source that has them. */
#ifndef WORKERS_AWS_FETCH_H
#define WORKERS_AWS_FETCH_H

#include "aws/aws.h"
#include "workers/aws/source.h"

/* Calls what the source says, nested sources first; on the client's inner client, so that it may happen in the middle of a
 * run. Never hands out credentials that have ended. fault.class: AWS_CREDS_INVALID (not there, or the operator must mend
 * it; code no_base_credentials when no source has any), AWS_TRANSIENT, or what STS said. */
MUST_CHECK enum rc fetch_creds(const struct source *s, struct aws_env *env, struct aws_client *c,
			       struct creds **ret, struct aws_fault *fault, struct err *err);

#endif
