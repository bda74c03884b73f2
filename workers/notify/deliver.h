/* Task kind "deliver": sends what is due to the webhook endpoints of one organization. */
#ifndef WORKERS_NOTIFY_DELIVER_H
#define WORKERS_NOTIFY_DELIVER_H

#include "workers/kinds.h"

task_fn deliver_run;

#endif
