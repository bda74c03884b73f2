/* The one table of task kinds: what a worker can do. A kind's own file owns its behaviour; this one only names it. */
#include "workers/kinds.h"
#include "workers/check/check.h"
#include "workers/notify/deliver.h"
#include "workers/purge.h"
#include "workers/sync/sync.h"
#include "workers/verify.h"

const struct task_kind KINDS[] = {
	/* A check waits for whoever can mend what is wrong, so its attempts do not run out. */
	{ .name = "verify", .run = verify_run, .attempts_max = 1000000, .timeout_s = 300 },
	{ .name = "sync_account", .run = sync_account_run, .timeout_s = 6 * 3600 },
	{ .name = "check", .run = check_run, .attempts_max = 3, .timeout_s = 300 },
	/* A purge waits for what still runs, and nobody would ask for it again. */
	{ .name = "purge", .run = purge_run, .attempts_max = 1000000, .timeout_s = 600 },
	/* Attempts are counted per delivery, not here: what waits must not be given up with its task. */
	{ .name = "deliver", .run = deliver_run, .attempts_max = 1000000, .timeout_s = 120 },
	{ .name = NULL },
};
