/* Whether this process has an AWS identity of its own: looked at when it starts and every minute after, which also keeps its
 * credentials fresh. What it finds goes into the log when it changes, and into the database for /readyz. */
#ifndef WORKERS_IDENTITY_WATCH_H
#define WORKERS_IDENTITY_WATCH_H

#include "db/vendor.h"
#include "workers/kinds.h"

struct identity_watch;
/* Ends its thread; says in the database that this process is gone. */
void identity_watch_free(struct identity_watch *w);
DEFINE_AUTO(identity_watch)
/* All borrowed. vendor_account: "" = the base identity's own, which AWS is asked for. */
struct identity_watch *identity_watch_new(const struct worker_env *env, const char *database_url,
					  const char *vendor_account) NEVER_NULL;
/* The first look, in the caller's thread; stop ends it early. A failure is logged and looked at again later. */
void identity_watch_look(struct identity_watch *w, bool (*stop)(void *arg), void *arg);
bool identity_watch_found(const struct identity_watch *w);          /* at the first look */
const char *identity_watch_account(const struct identity_watch *w); /* "" = not known then */
/* After the first look: keeps looking, in a thread of its own. */
MUST_CHECK enum rc identity_watch_start(struct identity_watch *w, struct err *err);

#endif
