/* Reads of entities and their history.
 * Never writes inventory: db/inventory.c does. */
#include "db/entities.h"

#define COLUMNS                                                                                    \
	"entity_id, connection_id, account_id, region, scope, kind, key, name, attrs, stub,"       \
	" first_seen, changed_at, deleted_at"

/* Two statements: with "is deleted" as a parameter no partial index could be used, and asking for the
 * few tombstones would read all that is there. */
#define LIST(which)                                                                                \
	"SELECT " COLUMNS " FROM entity WHERE org_id = $1"                                         \
	" AND entity_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')"              \
	" AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR account_id = $4)"           \
	" AND ($5::uuid IS NULL OR connection_id = $5)"                                            \
	" AND ($6::text IS NULL OR starts_with(name, $6))"                                         \
	" AND deleted_at " which " ORDER BY entity_id LIMIT $7"

static const struct stmt LIST_LIVE = { "entities_list_live", LIST("IS NULL"), 7 };
static const struct stmt LIST_GONE = { "entities_list_gone", LIST("IS NOT NULL"), 7 };

enum rc entities_list(struct db *db, const struct db_who *who, const struct entity_filter *f,
		      struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id),      arg_id(f->after),
				    arg_opt(f->kind),         arg_opt(f->account_id),
				    arg_id(f->connection_id), arg_opt(f->name_prefix),
				    arg_i64(f->limit) };

	return db_run(db, who, f->deleted ? &LIST_GONE : &LIST_LIVE, args, ret, err);
}

static const struct stmt GET = {
	"entities_get", "SELECT " COLUMNS " FROM entity WHERE org_id = $1 AND entity_id = $2", 2
};

enum rc entities_get(struct db *db, const struct db_who *who, struct id entity_id,
		     struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(who->org_id), arg_id(entity_id) };
	enum rc rc = db_run(db, who, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such entity");
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt HISTORY = {
	"entities_history",
	"SELECT change_id, at, (extract(epoch FROM at) * 1000000)::bigint AS at_us, op, kind,"
	" connection_id, sync_id, before, after FROM change"
	" WHERE org_id = $1 AND subject_id = $2 AND subject = 'entity'"
	" AND ($3::bigint = 0 OR (at, change_id) <"
	"  (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::bigint))"
	" ORDER BY at DESC, change_id DESC LIMIT $5",
	5
};

enum rc entities_history(struct db *db, const struct db_who *who, struct id entity_id,
			 int64_t before_us, int64_t before_id, int limit, struct db_rows **ret,
			 struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_id(entity_id), arg_i64(before_us),
				    arg_i64(before_id), arg_i64(limit) };

	return db_run(db, who, &HISTORY, args, ret, err);
}
