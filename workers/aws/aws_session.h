/* Sessions, as the engine sees them. */
#ifndef WORKERS_AWS_AWS_SESSION_H
#define WORKERS_AWS_AWS_SESSION_H

#include "workers/aws/aws_client.h"
#include "workers/aws/creds.h"

/* A session of credentials at hand, which are its own then and never refreshed. */
struct aws_session *aws_session_of(struct aws_env *env, struct creds *creds) NEVER_NULL;
/* Credentials that last, refreshed when it is time; one refresh at once, whoever asks. refused_id:
 * credentials that AWS has called expired (0 = none): others are fetched. May call AWS on the
 * client's inner client. */
MUST_CHECK enum rc aws_session_creds(struct aws_session *s, struct aws_client *c,
				     uint64_t refused_id, struct creds **ret,
				     struct aws_fault *fault, struct err *err);
/* AWS calls these credentials invalid. True: others are there, because the operator has changed the
 * base identity's source since; calls nobody. */
bool aws_session_reload(struct aws_session *s, uint64_t refused_id);

#endif
