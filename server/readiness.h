/* Whether this server can serve, asked at most once a second whoever asks. */
#ifndef SERVER_READINESS_H
#define SERVER_READINESS_H

#include "api/http.h"
#include "server/dbpool.h"

struct readiness;
void readiness_free(struct readiness *r);
DEFINE_AUTO(readiness)
struct readiness *readiness_new(struct dbpool *pool) NEVER_NULL FREED_BY(readiness_free);

/* Fits struct http_env's ready. RC_OK; RC_RETRY: the database is away; RC_CONFLICT: its schema is not
 * this binary's. Logs each change of the answer once. */
MUST_CHECK enum rc readiness_check(void *readiness, struct err *err);
/* Fits struct http_env's base_identity: as it was at the last look that found the database. */
void readiness_identity(void *readiness, struct http_identity *ret);

#endif
