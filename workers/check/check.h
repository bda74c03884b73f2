/* Task kind "check": what works of a connection, and what would mend the rest. */
#ifndef WORKERS_CHECK_CHECK_H
#define WORKERS_CHECK_CHECK_H

#include "workers/kinds.h"

MUST_CHECK enum rc check_run(struct task_run *run, struct err *err);

#endif
