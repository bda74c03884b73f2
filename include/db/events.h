/* Events: what webhook endpoints are told. Written in the transaction that makes them true, so none is
 * told that did not happen and none that happened is lost. */
#ifndef DB_EVENTS_H
#define DB_EVENTS_H

#include "db/db.h"

enum { EVENTS_ENDPOINTS_MAX = 20, EVENTS_DATA_MAX = 12 * 1024 };

/* What an endpoint may ask for. */
#define EVENTS_TYPES "connection.status_changed|sync.finished|coverage.lost|entity.changed"

/* Whether a live endpoint of the organization wants the type: asked first where the data is costly. */
MUST_CHECK enum rc events_wanted(struct db *db, struct id org_id, const char *type, bool *ret,
				 struct err *err);

/* Inside the caller's transaction, as its organization: stores the event if a live endpoint wants it,
 * with one delivery for each and a task that delivers; otherwise nothing. connection_id zero = about
 * none. data (an object, borrowed; NULL = {}) is thin: names and counts, never a secret; connection_id
 * and, unless it has one, link (the path to read more) are added. RC_LIMIT: longer than
 * EVENTS_DATA_MAX as text. */
MUST_CHECK enum rc events_add(struct db *db, struct id org_id, const char *type,
			      struct id connection_id, const json_t *data, struct err *err);

#endif
