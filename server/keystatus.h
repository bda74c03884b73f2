/* connectord keys status: the keys of a folder, and what the database holds under each. */
#ifndef SERVER_KEYSTATUS_H
#define SERVER_KEYSTATUS_H

#include "server/keyset.h"
#include "server/rewrap.h"

/* Prints what there is; *ret_good: every value opens. Changes nothing. */
MUST_CHECK enum rc keystatus_print(const struct keyset *k, bool *ret_good, struct err *err);
/* The values that do not open, by row; nothing when there are none. */
void keystatus_stuck(const struct rewrap_stucks *s);

#endif
