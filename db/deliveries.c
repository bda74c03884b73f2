/* Deliveries as people see them: list, test, replay. The workers' side is delivery_lane.c. */
#include "db/deliveries.h"
#include "db/webhooks_inside.h"

#define READ                                                                                       \
	"SELECT d.delivery_id, d.webhook_id, d.event_id, e.type, e.connection_id, d.state,"        \
	" d.attempts, CASE WHEN w.state = 'enabled' THEN d.next_at END AS next_at, d.last_at,"     \
	" d.last_status, d.last_error, d.created_at, d.ended_at FROM delivery d"                   \
	" JOIN event e ON e.org_id = d.org_id AND e.event_id = d.event_id"                         \
	" JOIN webhook w ON w.org_id = d.org_id AND w.webhook_id = d.webhook_id"                   \
	" WHERE d.org_id = $1 AND d.webhook_id = $2"

static const struct stmt LIST = { "deliveries_list",
				  READ " AND ($3::text IS NULL OR d.state = $3)"
				       " AND ($4::uuid IS NULL OR d.delivery_id < $4)"
				       " ORDER BY d.delivery_id DESC LIMIT $5",
				  5 };

enum rc deliveries_list(struct db *db, struct id org_id, struct id webhook_id, const char *state,
			struct id before, int limit, struct db_rows **ret, struct err *err)
{
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(webhook_id), arg_opt(str_c(state)),
				    arg_id(before), arg_i64(limit) };

	return db_run(db, &who, &LIST, args, ret, err);
}

struct writing {
	const struct webhook_write *in;
	struct id delivery_id;
	struct db_rows *row;
};

static const struct stmt GET = { "deliveries_get", READ " AND d.delivery_id = $3", 3 };

/* The row as this transaction leaves it, and the task that sends it. */
static enum rc conclude(struct db *db, struct writing *w, const char *action, struct err *err)
{
	const struct arg args[] = { arg_id(w->in->org_id), arg_id(w->in->webhook_id),
				    arg_id(w->delivery_id) };
	enum rc rc = webhook_wake(db, w->in->org_id, err);

	if (rc == RC_OK)
		rc = webhook_audit(db, w->in, action, err);
	return rc == RC_OK ? db_run(db, NULL, &GET, args, &w->row, err) : rc;
}

#define STATE                                                                                      \
	"SELECT w.state, (SELECT count(*) FROM delivery d JOIN event e ON e.org_id = d.org_id"     \
	"  AND e.event_id = d.event_id WHERE d.org_id = $1 AND d.webhook_id = $2"                  \
	"  AND d.state = 'pending' AND e.type = 'webhook.test') AS tests FROM webhook w"           \
	" WHERE w.org_id = $1 AND w.webhook_id = $2 AND w.deleted_at IS NULL"

/* The lock makes the cap on tests exact. A replay goes without: it locks a delivery, as the workers do
 * before they lock the endpoint. */
static const struct stmt LOOK = { "deliveries_look", STATE, 2 };
static const struct stmt LOCK = { "deliveries_lock", STATE " FOR NO KEY UPDATE OF w", 2 };

static enum rc check(struct db *db, struct writing *w, const struct stmt *stmt, int64_t *ret_tests,
		     struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(w->in->org_id), arg_id(w->in->webhook_id) };
	enum rc rc = db_run(db, NULL, stmt, args, &rows, err);

	db_rows_free(w->row);
	w->row = NULL;
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "webhook_not_found", "no such webhook");
	if (!str_eq(db_rows_text(rows, 0, "state"), S("enabled")))
		return err_set(err, RC_CONFLICT, "webhook_disabled",
			       "The webhook is disabled; set enabled to true first.");
	*ret_tests = db_rows_i64(rows, 0, "tests");
	return RC_OK;
}

static const struct stmt TEST = {
	"deliveries_test",
	"WITH e AS (INSERT INTO event (org_id, event_id, type, data) VALUES ($1, $3, "
	"'webhook.test',"
	" jsonb_build_object('link', '/v1/webhooks/whk_' || replace($2::uuid::text, '-', '')))"
	" RETURNING event_id)"
	" INSERT INTO delivery (org_id, delivery_id, webhook_id, event_id)"
	" SELECT $1, $4, $2, event_id FROM e",
	4
};

static enum rc test_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct arg args[] = { arg_id(w->in->org_id), arg_id(w->in->webhook_id),
				    arg_id(id_new()), arg_id(w->delivery_id) };
	int64_t tests = 0;
	enum rc rc = check(db, w, &LOCK, &tests, err);

	if (rc != RC_OK)
		return rc;
	if (tests >= DELIVERIES_TESTS_MAX)
		return err_set(err, RC_CONFLICT, "too_many_tests",
			       "%d test events of this webhook are still on their way; wait for "
			       "them.",
			       DELIVERIES_TESTS_MAX);
	rc = db_run(db, NULL, &TEST, args, NULL, err);
	return rc == RC_OK ? conclude(db, w, "webhook.tested", err) : rc;
}

static enum rc write_tx(struct db *db, struct writing *w, db_tx_fn *body, struct db_rows **ret,
			struct err *err)
{
	const struct db_who who = { .org_id = w->in->org_id };
	enum rc rc = db_tx(db, &who, body, w, err);

	if (rc == RC_OK)
		*ret = TAKE(w->row);
	db_rows_free(w->row);
	return rc;
}

enum rc deliveries_test(struct db *db, const struct webhook_write *in, struct db_rows **ret,
			struct err *err)
{
	struct writing w = { .in = in, .delivery_id = id_new() };

	return write_tx(db, &w, test_body, ret, err);
}

static const struct stmt REPLAY = {
	"deliveries_replay",
	"UPDATE delivery SET attempts = CASE WHEN state = 'pending' THEN attempts ELSE 0 END,"
	" state = 'pending', next_at = now(), ended_at = NULL"
	" WHERE org_id = $1 AND webhook_id = $2 AND delivery_id = $3 RETURNING delivery_id",
	3
};

static enum rc replay_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(w->in->org_id), arg_id(w->in->webhook_id),
				    arg_id(w->delivery_id) };
	int64_t tests = 0;
	enum rc rc = check(db, w, &LOOK, &tests, err);

	if (rc != RC_OK)
		return rc;
	rc = db_run(db, NULL, &REPLAY, args, &rows, err);
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "delivery_not_found", "no such delivery");
	return conclude(db, w, "webhook.replayed", err);
}

enum rc deliveries_replay(struct db *db, const struct webhook_write *in, struct id delivery_id,
			  struct db_rows **ret, struct err *err)
{
	struct writing w = { .in = in, .delivery_id = delivery_id };

	return write_tx(db, &w, replay_body, ret, err);
}
