/* Task kind "purge": what a deleted connection left behind goes in bounded steps, so that no transaction grows with the
 * account. Never calls AWS. */
#include "workers/purge.h"
#include "db/connection_purge.h"

enum { PURGE_BATCH = 5000, PURGE_BUSY_RETRY_S = 2 };

enum rc purge_run(struct task_run *run, struct err *err)
{
	bool left = true;

	while (left) {
		enum rc rc = connection_purge_step(run->db, run->task, PURGE_BATCH, &left, err);

		if (rc == RC_RETRY)
			run->retry_in_s = PURGE_BUSY_RETRY_S;
		if (rc != RC_OK)
			return rc;
		if (left && run->stop(run->stop_arg))
			return err_set(err, RC_RETRY, "stopped",
				       "the purge was stopped and goes on later");
	}
	run->finished = true;
	return RC_OK;
}
