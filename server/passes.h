/* Passes over all sealed values, until nothing is left under an old key. */
#ifndef SERVER_PASSES_H
#define SERVER_PASSES_H

#include "server/keyset.h"

/* Until a pass that began after everybody could know the newest key finds nothing; prints how far it is. RC_RETRY still_sealing:
 * some server never takes the new key. RC_CONFLICT stuck: values do not open, which are printed; so the old keys stay in `path`. */
MUST_CHECK enum rc passes_run(const struct keyset *k, const char *path, struct err *err);

#endif
