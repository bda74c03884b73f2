/* Asks IAM what it would answer, where we may. */
#ifndef WORKERS_CHECK_SIMULATE_H
#define WORKERS_CHECK_SIMULATE_H

#include "workers/check/answers.h"

enum { SIMULATE_BATCH = 50, SIMULATE_CALLS_MAX = 40 };

/* Simulates everything that is wanted for the user or role `principal_arn`. Until the first refusal: *ret_fault then says why there
 * is no simulation (class AWS_OK: there was one, to its end). RC_OK, or a failure of our own. */
struct simulate_target {
	struct aws_client *client;
	const struct aws_target *aws;
	const char *principal_arn, *account;
	struct aws_tally *tally;
};
MUST_CHECK enum rc simulate_all(const struct simulate_target *t, struct answers *a,
				struct aws_fault *ret_fault, struct err *err);

/* An ARN of a policy as one of a thing: stars become the account, the region or a name. */
void simulate_resource(const char *pattern, const char *account, const char *region,
		       char out[ANSWERS_PLACE_MAX]);

#endif
