/* The one table of task kinds: what a worker can do. A kind's own file owns its behaviour; this one only names it. */
#include "workers/kinds.h"
#include "workers/purge.h"

const struct task_kind KINDS[] = {
	{ .name = "purge", .run = purge_run, .timeout_s = 600 },
	{ .name = NULL },
};
