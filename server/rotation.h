/* connectord keys rotate: a new key, given to workers, then to servers, then everything sealed anew with it. */
#ifndef SERVER_ROTATION_H
#define SERVER_ROTATION_H

#include "server/keyset.h"

struct rotation_order {
	bool retire, add_only, single_host;
};
/* May be killed at any moment and run again. RC_CONFLICT rotation_runs: one of these files runs already. */
MUST_CHECK enum rc rotation_run(struct keyset *k, const struct rotation_order *order,
				struct err *err);

#endif
