/* The end of old sealing keys: withdrawn first, so that nothing is stored under them any more, then dropped when nothing is left
 * under them. */
#ifndef SERVER_RETIREMENT_H
#define SERVER_RETIREMENT_H

#include "server/keyset.h"

/* After a rotation that found nothing under an old key. */
MUST_CHECK enum rc retirement_run(struct keyset *k, struct err *err);
/* Goes on with one that ended while it dropped the old keys (keyset_has_retired()). */
MUST_CHECK enum rc retirement_resume(struct keyset *k, struct err *err);

#endif
