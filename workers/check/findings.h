/* What a check found, as JSON: the report that people read, the rows that are kept, the policy patch. Pure. */
#ifndef WORKERS_CHECK_FINDINGS_H
#define WORKERS_CHECK_FINDINGS_H

#include "workers/check/answers.h"
#include "workers/probe.h"

struct findings {
	const struct probe *probe;
	const struct answers *answers;
	const struct aws_fault *simulation; /* NULL: it was not tried */
	int64_t calls;
};
/* {verdict, role_chain, account, external_id, permissions: {summary, simulation, capabilities, actions}, patch, calls}; new
 * reference. */
json_t *findings_report(const struct findings *f) NEVER_NULL;
/* [{capability, action, tier, state, cause, known_by, required, text, aws_request_id}]; new reference. */
json_t *findings_rows(const struct answers *a) NEVER_NULL;
/* What would grant what is denied: {policy, boundary, by_hand: [sentence]}; policies are documents or null. NULL: nothing is
 * denied. New reference. */
json_t *findings_patch(const struct answers *a);

#endif
