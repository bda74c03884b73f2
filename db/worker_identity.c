/* The rows of worker_identity. Knows no organization. */
#include "db/worker_identity.h"

#include <stdio.h>

static const struct stmt STORE = {
	"worker_identity_store",
	"WITH gone AS (DELETE FROM worker_identity WHERE seen_at < now() - interval '1 hour'"
	"  AND worker_id <> $1)"
	" INSERT INTO worker_identity (worker_id, state, code, account_id, source)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (worker_id) DO UPDATE"
	" SET state = excluded.state, code = excluded.code, account_id = excluded.account_id,"
	" source = excluded.source, seen_at = now()",
	5
};

enum rc worker_identity_store(struct db *db, const struct worker_identity *w, struct err *err)
{
	const struct arg args[] = { arg_id(w->worker_id), arg_c(w->state), arg_c(w->code),
				    arg_c(w->account_id), arg_c(w->source) };

	return db_run(db, NULL, &STORE, args, NULL, err);
}

static const struct stmt REMOVE = { "worker_identity_remove",
				    "DELETE FROM worker_identity WHERE worker_id = $1", 1 };

enum rc worker_identity_remove(struct db *db, struct id worker_id, struct err *err)
{
	return db_run(db, NULL, &REMOVE, (const struct arg[]){ arg_id(worker_id) }, NULL, err);
}

/* A worker says it every minute. */
static const struct stmt LOAD = {
	"worker_identity_load",
	"SELECT count(*) AS workers, count(*) FILTER (WHERE state <> 'found') AS without,"
	" coalesce((array_agg(state ORDER BY array_position("
	"  ARRAY['missing', 'refused', 'broken', 'found'], state)))[1], 'unknown') AS state"
	" FROM worker_identity WHERE seen_at > now() - interval '3 minutes'",
	0
};

enum rc worker_identity_load(struct db *db, struct worker_identity_sum *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &LOAD, NULL, &rows, err);

	if (rc != RC_OK)
		return rc;
	snprintf(ret->state, sizeof(ret->state), "%.*s", STR_FMT(db_rows_text(rows, 0, "state")));
	ret->workers = db_rows_i64(rows, 0, "workers");
	ret->without = db_rows_i64(rows, 0, "without");
	return RC_OK;
}
