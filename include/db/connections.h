/* Connections: rows, their schedules and the tasks that a change of them causes. */
#ifndef DB_CONNECTIONS_H
#define DB_CONNECTIONS_H

#include "db/db.h"
#include "db/schedule_plan.h"

struct connection_values { /* what a person sets; views */
	struct str name, authoritative_status;
	struct str aws_account_id, aws_organization_id; /* one is "" */
	struct str region, auth_method;
	struct str role_arn, access_key_id; /* "" = none */
	struct str sealed;            /* envelope of the secret; "" = none, or keep (update) */
	struct str cloudtrail_bucket; /* "" = none */
	int64_t cloudtrail_days;
	struct str cloudtrail_digest_prefix;
	struct schedule_values schedule; /* of syncs; its pause is this one */
	bool paused;
};

struct connection_write {
	struct id org_id, connection_id;
	const struct connection_values *values;
	int64_t version; /* update: what was read */
	bool reverify;   /* update: the credentials changed */
	bool reschedule; /* update: when it syncs changed, or its pause */
	bool forgive; /* update: a person changed schedule or credentials, which ends the backing off */
	int verify_every_s, first_in_s;
	const char *actor, *request_id;
	const json_t *detail; /* for the audit: names of changed fields */
};

/* Row, schedules, a verify task and the audit row, in one transaction; *ret is the row as that
 * transaction left it, as connections_get() has it. RC_CONFLICT too_many_connections. RC_RETRY
 * sealing_key_withdrawn (also of an update): db/sealed.h. */
enum { CONNECTIONS_PER_ORGANIZATION_MAX = 1000 };
MUST_CHECK enum rc connections_insert(struct db *db, const struct connection_write *in,
				      struct db_rows **ret, struct err *err);
/* The same for a change. RC_CONFLICT version_changed: somebody else was faster, or it is gone. */
MUST_CHECK enum rc connections_update(struct db *db, const struct connection_write *in,
				      struct db_rows **ret, struct err *err);

/* One live connection, or RC_NOT_FOUND. Every column of the table but the sealed secret, plus
 * those of its sync schedule (db/schedule_rows.h), and active_sync_id/-_state, newest_* of its newest sync. */
MUST_CHECK enum rc connections_get(struct db *db, const struct db_who *who, struct id connection_id,
				   struct db_rows **ret, struct err *err);
struct connection_filter { /* "" = any */
	struct str status, aws_account_id, authoritative_status, name_prefix;
	struct id after;
	int limit;
};
/* The same rows in order of creation, after the given one. */
MUST_CHECK enum rc connections_list(struct db *db, const struct db_who *who,
				    const struct connection_filter *f, struct db_rows **ret,
				    struct err *err);

/* For imports, inside their transaction: one at a time in an organization, and whether a live connection
 * enters the same account or AWS Organization in the same way (zero = none). */
MUST_CHECK enum rc connections_lock_import(struct db *db, struct id org_id, struct err *err);
MUST_CHECK enum rc connections_find_same(struct db *db, struct id org_id,
					 const struct connection_values *v, struct id *ret,
					 struct err *err);

/* Marks it deleted, erases the secret, ends its tasks and schedules, queues the purge.
 * version 0: whatever it is, else RC_CONFLICT version_changed. *ret_again: it was deleted before.
 * RC_NOT_FOUND. */
struct connection_delete {
	struct id org_id, connection_id;
	int64_t version;
	const char *actor, *request_id;
};
MUST_CHECK enum rc connections_delete(struct db *db, const struct connection_delete *in,
				      bool *ret_again, struct err *err);

#endif
