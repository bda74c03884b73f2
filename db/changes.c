/* The change feed. Rows come in the order of (xid, change_id), and only those of transactions older than
 * every one that still runs: of what is shown nothing can be missing any more, however long somebody's
 * COMMIT took. Never shows a row that may get an older neighbour. */
#include "db/changes.h"

/* looked: what this call looks at, in order. shown: what of it is wanted. The first columns are the same in
 * every row, and there even when nothing is shown. */
static const struct stmt AFTER = {
	"changes_after",
	"WITH looked AS MATERIALIZED (SELECT c.at, c.change_id, c.xid,"
	"  ($4::uuid IS NULL OR c.connection_id = $4) AND ($5 = '' OR c.kind = $5)"
	"  AND ($6 = '' OR c.subject = $6) AS wanted FROM change c WHERE c.org_id = $1"
	"  AND (c.xid, c.change_id) > ($2::text::xid8, $3::bigint)"
	"  AND c.xid < pg_snapshot_xmin(pg_current_snapshot())"
	"  ORDER BY c.xid, c.change_id LIMIT $7::bigint),"
	" shown AS (SELECT * FROM looked WHERE wanted ORDER BY xid, change_id LIMIT $8::bigint)"
	" SELECT n.looked, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,"
	"  l.xid::text::bigint AS last_xid, l.change_id AS last_id,"
	"  c.xid::text::bigint AS xid, c.change_id, c.at, c.op, c.subject, c.subject_id, c.kind,"
	"  c.connection_id, c.sync_id, c.before, c.after"
	" FROM (SELECT count(*) AS looked FROM looked) n"
	" LEFT JOIN (SELECT xid, change_id FROM looked ORDER BY xid DESC, change_id DESC LIMIT 1) l"
	"  ON true"
	" LEFT JOIN (SELECT d.* FROM shown s JOIN change d ON d.org_id = $1 AND d.at = s.at"
	"  AND d.change_id = s.change_id) c ON true ORDER BY c.xid, c.change_id",
	8, .by_index = true
};

static void move(struct change_place *place, int64_t xid, int64_t change_id)
{
	if (xid > place->xid || (xid == place->xid && change_id > place->change_id))
		*place = (struct change_place){ xid, change_id };
}

enum rc changes_after(struct db *db, const struct db_who *who, const struct change_filter *filter,
		      struct change_place *place, struct db_rows **ret, int *ret_n, bool *ret_more,
		      struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct id any = { { 0 } };
	bool all = id_eq(filter->connection_id, any) && !filter->kind.n && !filter->subject.n;
	int look = all ? filter->limit + 1 : CHANGES_LOOK;
	const struct arg args[] = {
		arg_id(who->org_id),
		arg_i64(place->xid),
		arg_i64(place->change_id),
		arg_id(filter->connection_id),
		arg_text(filter->kind),
		arg_text(filter->subject),
		arg_i64(look),
		arg_i64(filter->limit + 1),
	};
	enum rc rc = db_run(db, who, &AFTER, args, &rows, err);
	int n = 0, last = 0;

	if (rc != RC_OK)
		return rc;
	n = db_rows_is_null(rows, 0, "change_id") ? 0 : db_rows_count(rows);
	last = filter->limit - 1;
	*ret_more = n > filter->limit || db_rows_i64(rows, 0, "looked") == look;
	*ret_n = n > filter->limit ? filter->limit : n;
	if (n > filter->limit)
		move(place, db_rows_i64(rows, last, "xid"), db_rows_i64(rows, last, "change_id"));
	else if (*ret_more)
		move(place, db_rows_i64(rows, 0, "last_xid"), db_rows_i64(rows, 0, "last_id"));
	else /* all that is settled was looked at; numbers of rows begin with 1 */
		move(place, db_rows_i64(rows, 0, "horizon"), 0);
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt NOW = {
	"changes_now", "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon", 0
};

enum rc changes_now(struct db *db, const struct db_who *who, struct change_place *ret,
		    struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, who, &NOW, NULL, &rows, err);

	if (rc == RC_OK)
		*ret = (struct change_place){ db_rows_i64(rows, 0, "horizon"), 0 };
	return rc;
}
