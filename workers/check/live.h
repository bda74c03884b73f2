/* Makes the cheap calls and sees whether AWS lets them through. */
#ifndef WORKERS_CHECK_LIVE_H
#define WORKERS_CHECK_LIVE_H

#include "workers/check/answers.h"

struct live_target {
	struct aws_client *client;
	const struct aws_target *aws;
	const char *partition, *account;
	int64_t until; /* monotonic: no call begins after this */
	struct aws_tally *tally;
};
/* One call for each action that is wanted and cheap to try. RC_OK, also when AWS stopped answering: the rest stays as it was. */
MUST_CHECK enum rc live_all(const struct live_target *t, struct answers *a, struct err *err);

#endif
