/* Stores the status of a connection. The row is locked before the facts are read, so that of two transactions that change them at
 * once the later one sees what the earlier one did. Never decides anything itself: status_rule_judge() does. */
#include "db/connection_status.h"
#include "base/mem.h"
#include "base/permission.h"
#include "db/events.h"
#include "db/status_rule.h"

enum { DENIALS_MAX = 48 };

static const struct stmt LOCK = {
	"connection_status_lock",
	"SELECT status_state, status_code, status_text, status_remedy FROM connection"
	" WHERE org_id = $1 AND connection_id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
	2, .by_index = true
};

/* The newest sync is the active one when there is one: sync_one_active sees to that. */
static const struct stmt FACTS = {
	"connection_status_facts",
	"SELECT c.paused, c.verify_state, c.verify_code, c.verify_text, c.last_sync_state,"
	" c.last_complete_at IS NOT NULL AS complete_once, c.pinned_partition,"
	" c.aws_organization_id IS NOT NULL AS whole,"
	" coalesce(n.state IN ('queued', 'running'), false) AS sync_active,"
	" n.reason_code, n.reason, EXISTS (SELECT FROM coverage v JOIN connection_permission p"
	"  ON p.org_id = v.org_id AND p.connection_id = v.connection_id"
	"  AND p.account_id = v.account_id AND p.action = v.action"
	"  WHERE v.org_id = $1 AND v.connection_id = $2 AND v.action <> '' AND p.state = 'granted'"
	"  AND p.checked_at > v.attempted_at) AS granted_since"
	" FROM connection c LEFT JOIN LATERAL (SELECT y.state, y.reason_code, y.reason FROM sync y"
	"  WHERE y.org_id = $1 AND y.connection_id = $2 ORDER BY y.sync_id DESC LIMIT 1) n ON true"
	" WHERE c.org_id = $1 AND c.connection_id = $2",
	2, .by_index = true
};

/* What the last syncs were denied, unless a check has seen since that it is granted; and what the last check found denied. Who
 * cannot be let in at all (sts:AssumeRole) is the verdict's matter. */
static const struct stmt DENIALS = {
	"connection_status_denials",
	"SELECT d.action, min(d.cause) AS cause, bool_or(d.needed) AS needed,"
	" bool_or(d.asked) AS asked, string_agg(DISTINCT d.what, ', ') AS what FROM ("
	" SELECT v.action, v.deny_cause AS cause, v.state <> 'skipped_by_config' AS asked,"
	"  false AS needed, v.scope || '/' || v.part AS what FROM coverage v"
	"  WHERE v.org_id = $1 AND v.connection_id = $2 AND v.action NOT IN ('', 'sts:AssumeRole')"
	"  AND v.state <> 'ok' AND NOT EXISTS (SELECT FROM connection_permission p"
	"   WHERE p.org_id = $1 AND p.connection_id = $2 AND p.account_id = v.account_id"
	"   AND p.action = v.action AND p.state = 'granted' AND p.checked_at > v.attempted_at)"
	" UNION ALL SELECT p.action, p.cause, false, true, p.capability FROM"
	"  connection_permission p WHERE p.org_id = $1 AND p.connection_id = $2"
	"  AND p.state = 'denied' AND p.required"
	") d GROUP BY d.action ORDER BY d.action LIMIT $3",
	3, .by_index = true
};

static const struct stmt STORE = {
	"connection_status_store",
	"UPDATE connection SET status_since = CASE WHEN status_state = $3 AND status_code = $4"
	"  THEN status_since ELSE now() END,"
	" status_state = $3, status_code = $4, status_text = $5, status_remedy = $6"
	" WHERE org_id = $1 AND connection_id = $2",
	6, .by_index = true
};

/* Whether a sync that misses this action misses what the connection is for. */
static bool is_needed(struct str action, bool whole)
{
	const struct permission_action *row = permission_find(action);

	if (!row)
		return false;
	switch (row->capability->need) {
	case PERMISSION_REQUIRED:
	case PERMISSION_IDENTITY_CENTER: return true; /* it is asked only where there is one */
	case PERMISSION_ORGANIZATION: return whole;
	case PERMISSION_OPTIONAL: break;
	}
	return false;
}

static size_t read_denials(const struct db_rows *rows, bool whole, struct status_denial *out)
{
	size_t n = (size_t)db_rows_count(rows);

	for (size_t i = 0; i < n; i++) {
		struct str action = db_rows_text(rows, (int)i, "action");
		bool asked = db_rows_bool(rows, (int)i, "asked");

		out[i] = (struct status_denial){
			.action = action,
			.cause = db_rows_text(rows, (int)i, "cause"),
			.what = db_rows_text(rows, (int)i, "what"),
			.needed = db_rows_bool(rows, (int)i, "needed") ||
				  (asked && is_needed(action, whole)),
		};
	}
	return n;
}

static struct status_facts facts_of(const struct db_rows *rows)
{
	return (struct status_facts){
		.paused = db_rows_bool(rows, 0, "paused"),
		.sync_active = db_rows_bool(rows, 0, "sync_active"),
		.complete_once = db_rows_bool(rows, 0, "complete_once"),
		.granted_since = db_rows_bool(rows, 0, "granted_since"),
		.verify_state = db_rows_text(rows, 0, "verify_state"),
		.verify_code = db_rows_text(rows, 0, "verify_code"),
		.verify_text = db_rows_text(rows, 0, "verify_text"),
		.last_sync_state = db_rows_text(rows, 0, "last_sync_state"),
		.reason_code = db_rows_text(rows, 0, "reason_code"),
		.reason = db_rows_text(rows, 0, "reason"),
		.partition = db_rows_text(rows, 0, "pinned_partition"),
	};
}

struct settling {
	struct id org_id, connection_id;
	const struct db_rows *old;
};

static bool is(const struct settling *s, const char *column, const char *want)
{
	return str_eq(db_rows_text(s->old, 0, column), str_c(want));
}

static enum rc tell(struct db *db, const struct settling *s, const struct status_rule *now,
		    struct err *err)
{
	AUTO_JSON json_t *data = json_object();

	json_set_text(data, "state", str_c(now->state));
	json_set_text(data, "code", str_c(now->code));
	json_set_text(data, "text", str_c(now->text));
	json_set_text(data, "previous_state", db_rows_text(s->old, 0, "status_state"));
	json_set_text(data, "previous_code", db_rows_text(s->old, 0, "status_code"));
	return events_add(db, s->org_id, "connection.status_changed", s->connection_id, data, err);
}

static enum rc store(struct db *db, const struct settling *s, const struct status_rule *now,
		     struct err *err)
{
	const struct arg args[] = {
		arg_id(s->org_id), arg_id(s->connection_id), arg_c(now->state),
		arg_c(now->code),  arg_c(now->text),         arg_c(now->remedy)
	};
	enum rc rc;

	if (is(s, "status_state", now->state) && is(s, "status_code", now->code) &&
	    is(s, "status_text", now->text) && is(s, "status_remedy", now->remedy))
		return RC_OK;
	rc = db_run(db, NULL, &STORE, args, NULL, err);
	if (rc != RC_OK || (is(s, "status_state", now->state) && is(s, "status_code", now->code)))
		return rc;
	return tell(db, s, now, err);
}

enum rc connection_status_settle(struct db *db, struct id org_id, struct id connection_id,
				 struct err *err)
{
	AUTO(db_rows) struct db_rows *old = NULL, *rows = NULL, *denied = NULL;
	AUTO_TEXT char *memory = NULL;
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id), arg_i64(DENIALS_MAX) };
	struct settling s = { .org_id = org_id, .connection_id = connection_id };
	struct status_denial denials[DENIALS_MAX];
	struct status_facts facts;
	struct status_rule *now;
	enum rc rc = db_run(db, NULL, &LOCK, args, &old, err);

	if (rc != RC_OK || db_rows_count(old) == 0)
		return rc;
	rc = db_run(db, NULL, &FACTS, args, &rows, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &DENIALS, args, &denied, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	facts = facts_of(rows);
	facts.denials = denials;
	facts.n = read_denials(denied, db_rows_bool(rows, 0, "whole"), denials);
	memory = mem_alloc(sizeof(*now));
	now = (struct status_rule *)(void *)memory;
	status_rule_judge(&facts, now);
	s.old = old;
	return store(db, &s, now, err);
}
