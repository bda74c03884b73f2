/* Task kind "purge". */
#ifndef WORKERS_PURGE_H
#define WORKERS_PURGE_H

#include "workers/kinds.h"

MUST_CHECK enum rc purge_run(struct task_run *run, struct err *err);

#endif
