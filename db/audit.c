/* Appends to the audit trail, and reads it.
 * Never updates or deletes: neither role may. Never computes a hash: the database does, in order. */
#include "db/audit.h"
#include "base/mem.h"

static const struct stmt INSERT = { "audit_insert",
				    "INSERT INTO audit (org_id, audit_id, actor, action, "
				    "target_kind, target_id, request_id, detail)"
				    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				    8 };

enum rc audit_insert(struct db *db, const struct db_who *who, const struct audit_entry *entry,
		     struct err *err)
{
	AUTO_TEXT char *detail = entry->detail ? json_text(entry->detail) : mem_copy("{}");
	const struct arg args[] = { arg_id(entry->org_id),     arg_id(id_new()),
				    arg_c(entry->actor),       arg_c(entry->action),
				    arg_c(entry->target_kind), arg_c(entry->target_id),
				    arg_c(entry->request_id),  arg_c(detail) };

	return db_run(db, who, &INSERT, args, NULL, err);
}

static const struct stmt LIST = {
	"audit_list",
	"SELECT seq, audit_id, at, actor, action, target_kind, target_id, request_id, detail,"
	" encode(hash, 'hex') AS hash FROM audit WHERE org_id = $1 AND ($2::bigint = 0 OR seq < $2)"
	" ORDER BY seq DESC LIMIT $3",
	3
};

enum rc audit_list(struct db *db, const struct db_who *who, int64_t before, int limit,
		   struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_i64(before), arg_i64(limit) };

	return db_run(db, who, &LIST, args, ret, err);
}

static const struct stmt EXPORT = {
	"audit_export",
	"SELECT seq, audit_line(a) AS line, encode(hash, 'hex') AS hash FROM audit a"
	" WHERE org_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
	3
};

enum rc audit_export(struct db *db, const struct db_who *who, int64_t after, int limit,
		     struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_i64(after), arg_i64(limit) };

	return db_run(db, who, &EXPORT, args, ret, err);
}

static const struct stmt END = {
	"audit_end",
	"SELECT coalesce(h.seq, 0) AS seq, coalesce(encode(h.hash, 'hex'), repeat('0', 64)) AS "
	"hash,"
	" h.at FROM (SELECT $1::uuid AS org_id) o LEFT JOIN audit_head h ON h.org_id = o.org_id",
	1
};

enum rc audit_end(struct db *db, const struct db_who *who, struct db_rows **ret, struct err *err)
{
	return db_run(db, who, &END, (const struct arg[]){ arg_id(who->org_id) }, ret, err);
}
