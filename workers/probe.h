/* The way into a connection, tried out: for a role its three probes (our external ID, none, a random one) and whether its trust
 * policy names other IDs, for an access key its use, and whose account it leads to. Shared by verification, which writes the verdict, and by checks, which also tell how it was
 * come by. */
#ifndef WORKERS_PROBE_H
#define WORKERS_PROBE_H

#include "db/connection_state.h"
#include "workers/kinds.h"
#include "workers/sharing.h"
#include "workers/sync/session.h"

enum probe_step { PROBE_OURS, PROBE_NONE, PROBE_RANDOM, PROBE_IDENTITY, PROBE_STEPS };

struct probe_try {
	bool tried;
	struct aws_fault fault; /* class AWS_OK: AWS let it through */
};

struct probe {
	struct task_run *run;
	const struct connection_state *c;
	struct connection_verdict v; /* state NULL = no verdict: nothing was found out */
	char code[ERR_CODE_MAX], text[ERR_TEXT_MAX];
	enum rc rc; /* RC_OK verified, RC_DENIED refused, RC_RETRY no verdict yet */
	struct session_identity identity; /* with RC_OK */
	struct probe_try tries[PROBE_STEPS];
	struct aws_fault
		fault; /* of the last call; class AWS_OK also where AWS's words are not the customer's */
	bool looked; /* the role's own trust policy was read: sharing says what it lets in */
	struct sharing sharing;
	char sharing_text
		[ERR_TEXT_MAX]; /* what is known of it, or why nothing is; "" = not a role */
	struct aws_tally tally;
	int64_t until; /* monotonic */
};
void probe_done(struct probe *p);
DEFINE_AUTO_VALUE(probe, probe_done)

/* Tries everything out within patience_s. RC_OK: *p holds what was found, and run->retry_in_s is set when that is no verdict.
 * RC_RETRY stopped: the task was drained or cancelled, nothing was found. Views in p->v point into *p. */
MUST_CHECK enum rc probe_run(struct task_run *run, const struct connection_state *c, int patience_s,
			     struct probe *p, struct err *err);

/* AWS's own words for the customer: {code, message, request_id, deny_cause}; NULL: there is nothing to quote. New reference. */
json_t *probe_aws(const struct aws_fault *fault);
/* Messages about the way to AWS are ours and name hosts; the customer gets the code alone. */
const char *probe_said(const struct aws_fault *fault);

#endif
