/* Webhook endpoints of an organization. Never reads a sealed secret: the lane of the workers does. */
#ifndef DB_WEBHOOKS_H
#define DB_WEBHOOKS_H

#include "db/db.h"

enum { WEBHOOKS_ROTATION_S = 86400 }; /* the old secret signs along for so long */

struct webhook_write {
	struct id org_id, webhook_id;
	struct str url, description; /* update: has_... says whether it changes */
	struct str events;           /* an array's text: "{sync.finished}" */
	bool has_url, has_description, has_events, has_enabled, enabled;
	struct str sealed;    /* insert, rotate: envelope of the secret */
	int64_t version;      /* update, delete: 0 = whatever it is at */
	const json_t *detail; /* for the audit: names of changed fields; NULL = none */
	const char *actor, *request_id;
};

/* All rows: webhook_id, url, description, events (json), state, state_reason, state_at,
 * previous_until (NULL unless an old secret signs along), version, created_at, updated_at. */
/* RC_CONFLICT too_many_webhooks (EVENTS_ENDPOINTS_MAX), organization_deleting. RC_RETRY sealing_key_withdrawn (also of a
 * rotation): db/sealed.h. */
MUST_CHECK enum rc webhooks_insert(struct db *db, const struct webhook_write *in,
				   struct db_rows **ret, struct err *err);
MUST_CHECK enum rc webhooks_get(struct db *db, struct id org_id, struct id webhook_id,
				struct db_rows **ret, struct err *err);
MUST_CHECK enum rc webhooks_list(struct db *db, struct id org_id, struct id after, int limit,
				 struct db_rows **ret, struct err *err);
/* RC_NOT_FOUND, RC_CONFLICT version_changed. Enabling it forgets why it was disabled and sends what
 * waits. */
MUST_CHECK enum rc webhooks_update(struct db *db, const struct webhook_write *in,
				   struct db_rows **ret, struct err *err);
/* The secret before signs along for WEBHOOKS_ROTATION_S. RC_NOT_FOUND. */
MUST_CHECK enum rc webhooks_rotate(struct db *db, const struct webhook_write *in,
				   struct db_rows **ret, struct err *err);
/* Erases the secrets at once; deliveries and the row go with the next turn of the lane.
 * RC_NOT_FOUND, RC_CONFLICT version_changed. */
MUST_CHECK enum rc webhooks_delete(struct db *db, const struct webhook_write *in, struct err *err);

#endif
