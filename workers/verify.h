/* Task kind "verify": is the connection ours to use? Credentials, account pin, and the external ID's two-sided check. */
#ifndef WORKERS_VERIFY_H
#define WORKERS_VERIFY_H

#include "db/connection_state.h"
#include "workers/kinds.h"

MUST_CHECK enum rc verify_run(struct task_run *run, struct err *err);

/* One check of a loaded connection: calls AWS and writes the verdict (fenced by the task). RC_OK: verified. RC_DENIED:
 * refused, err has code and sentence. RC_RETRY: no verdict yet; run->retry_in_s is set. *ret_identity is set with RC_OK. */
struct session_identity;
MUST_CHECK enum rc verify_connection(struct task_run *run, const struct connection_state *c,
				     struct session_identity *ret_identity, struct err *err);

/* The two halves of it for who has tried the connection out already: writes the verdict, fenced by the task (RC_RETRY
 * connection_changed: a person was faster); starts the first sync of a verified connection, unless there was one or a person
 * paused it. */
struct probe;
MUST_CHECK enum rc verify_verdict(struct probe *p, struct err *err);
MUST_CHECK enum rc verify_first_sync(const struct task_run *run, const struct connection_state *c,
				     struct err *err);

#endif
