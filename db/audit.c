/* Appends to the audit trails, an organization's and the operator's, and reads them.
 * Never updates or deletes: neither role may. Never computes a hash: the database does, in order. */
#include "db/audit.h"
#include "base/mem.h"

#define ENTRY "audit_id, actor, action, target_kind, target_id, request_id, detail"
/* clang-format off */
/* whose: a condition on $1, the organization. */
#define LIST(table, whose) \
	{ table "_list", \
	  "SELECT seq, at, encode(hash, 'hex') AS hash, " ENTRY " FROM " table \
	  " WHERE " whose " AND ($2::bigint = 0 OR seq < $2) ORDER BY seq DESC LIMIT $3", 3 }
#define EXPORT(table, whose) \
	{ table "_export", \
	  "SELECT seq, audit_line(a) AS line, encode(hash, 'hex') AS hash FROM " table " a" \
	  " WHERE " whose " AND seq > $2 ORDER BY seq LIMIT $3", 3 }
#define END(table, whose) \
	{ table "_end", \
	  "SELECT coalesce(seq, 0) AS seq, coalesce(encode(hash, 'hex'), repeat('0', 64)) AS hash," \
	  " at FROM (VALUES (1)) AS one LEFT JOIN " table "_head ON " whose, 1 }
/* clang-format on */

struct chain {
	struct stmt insert, list, export, end;
};

static const struct chain ORGANIZATION = { { "audit_insert",
					     "INSERT INTO audit (" ENTRY
					     ", org_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
					     8, .by_index = true },
					   LIST("audit", "org_id = $1"),
					   EXPORT("audit", "org_id = $1"),
					   END("audit", "org_id = $1") };
/* Row security shows it to nobody but him. */
static const struct chain OPERATOR = { { "operator_audit_insert",
					 "INSERT INTO operator_audit (" ENTRY
					 ") VALUES ($1, $2, $3, $4, $5, $6, $7)",
					 7, .by_index = true },
				       LIST("operator_audit", "$1::uuid IS NULL"),
				       EXPORT("operator_audit", "$1::uuid IS NULL"),
				       END("operator_audit", "$1::uuid IS NULL") };

static const struct chain *chain_of(struct id org_id)
{
	return id_eq(org_id, (struct id){ { 0 } }) ? &OPERATOR : &ORGANIZATION;
}

enum rc audit_insert(struct db *db, const struct db_who *who, const struct audit_entry *entry,
		     struct err *err)
{
	AUTO_TEXT char *detail = entry->detail ? json_text(entry->detail) : mem_copy("{}");
	const struct arg args[] = { arg_id(id_new()),        arg_c(entry->actor),
				    arg_c(entry->action),    arg_c(entry->target_kind),
				    arg_c(entry->target_id), arg_c(entry->request_id),
				    arg_c(detail),           arg_id(entry->org_id) };
	const struct stmt *insert = &chain_of(entry->org_id)->insert;

	return who ? db_run(db, who, insert, args, NULL, err)
		   : db_later(db, insert, args, NULL, err);
}

enum rc audit_list(struct db *db, const struct db_who *who, int64_t before, int limit,
		   struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_i64(before), arg_i64(limit) };

	return db_run(db, who, &chain_of(who->org_id)->list, args, ret, err);
}

enum rc audit_export(struct db *db, const struct db_who *who, int64_t after, int limit,
		     struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_i64(after), arg_i64(limit) };

	return db_run(db, who, &chain_of(who->org_id)->export, args, ret, err);
}

enum rc audit_end(struct db *db, const struct db_who *who, struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id) };

	return db_run(db, who, &chain_of(who->org_id)->end, args, ret, err);
}
