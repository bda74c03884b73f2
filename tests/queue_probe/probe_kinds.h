/* Task kinds that leave a trace in tables of the test's own and misbehave on demand. */
#ifndef QUEUE_PROBE_PROBE_KINDS_H
#define QUEUE_PROBE_PROBE_KINDS_H

#include "workers/kinds.h"

extern const struct task_kind PROBE_KINDS[];

#endif
