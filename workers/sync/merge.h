/* The two transactions of a run: what was staged, the coverage of its parts, and the sync's counters, together. */
#ifndef WORKERS_SYNC_MERGE_H
#define WORKERS_SYNC_MERGE_H

#include "workers/sync/sync.h"

/* Takes over what is staged of the parts [from, to). last: the task ends in the same transaction. */
MUST_CHECK enum rc merge_parts(struct sync *s, enum part_id from, enum part_id to, bool last,
			       struct err *err);
/* No session, no listing: every part's coverage says why, and nothing else changes. */
MUST_CHECK enum rc merge_nothing(struct sync *s, const char *account, struct err *err);

#endif
