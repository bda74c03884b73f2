/* Reads of the stage. Each is a page of bounded size in order of an id, so that a run may look again after any call.
 * Never reads another organization: the stage is this connection's own, and the inventory is asked with the org_id. */
#include "db/stage_read.h"

static const struct stmt NAMES = {
	"stage_read_names",
	"SELECT DISTINCT ON (entity_id) entity_id, key, name FROM stage_entity"
	" WHERE kind = $1 AND part = $2 AND rank < 2 AND entity_id > coalesce($3::uuid, "
	"'00000000-0000-0000-0000-000000000000')"
	" ORDER BY entity_id LIMIT $4::bigint",
	4
};

enum rc stage_read_names(struct db *db, const char *kind, const char *part, struct id after,
			 struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_c(kind), arg_c(part), arg_id(after),
				    arg_i64(STAGE_READ_BATCH) };

	return db_run(db, NULL, &NAMES, args, ret, err);
}

static const struct stmt LINKS = {
	"stage_read_links",
	"SELECT l.ord, l.known_id, l.known_is_src, l.part, l.kind, l.qualifier, l.attrs, "
	"l.otherwise, s.entity_id AS found_id"
	" FROM (SELECT * FROM stage_link WHERE ord > $1 ORDER BY ord LIMIT $2::bigint) l LEFT JOIN"
	" (SELECT DISTINCT ON (kind, lower(name)) kind, lower(name) AS name, entity_id FROM "
	"stage_entity WHERE rank = 0) s"
	" ON s.kind = l.want_kind AND s.name = lower(l.want_name) ORDER BY l.ord",
	2
};

enum rc stage_read_links(struct db *db, int64_t after, struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_i64(after), arg_i64(STAGE_READ_BATCH) };

	return db_run(db, NULL, &LINKS, args, ret, err);
}

static const struct stmt HELD_DOCUMENTS = {
	"stage_read_held_documents",
	"INSERT INTO stage_entity (entity_id, kind, key, name, account_id, region, part, "
	"incarnation, born, rank, attrs)"
	" SELECT DISTINCT ON (s.entity_id) s.entity_id, s.kind, s.key, s.name, s.account_id, "
	"s.region, s.part,"
	"  s.incarnation, '', 1, jsonb_build_object('document', e.attrs->'document', "
	"'document_state',"
	"  e.attrs->'document_state', 'document_version', e.attrs->'document_version')"
	" FROM stage_entity s JOIN entity e ON e.org_id = $1 AND e.entity_id = s.entity_id"
	" WHERE s.kind = 'aws.iam_policy' AND s.account_id = 'aws' AND s.rank = 0 AND e.deleted_at "
	"IS NULL"
	" AND e.attrs->>'document_version' = s.attrs->>'default_version_id'"
	" AND EXISTS (SELECT FROM document d WHERE d.org_id = $1 AND d.sha256 = "
	"decode(e.attrs->>'document', 'hex'))",
	1
};

static const struct stmt MISSING_DOCUMENTS = {
	"stage_read_missing_documents",
	"SELECT DISTINCT ON (s.entity_id) s.entity_id, s.key, s.attrs->>'default_version_id' AS "
	"version FROM stage_entity s"
	" WHERE s.kind = 'aws.iam_policy' AND s.account_id = 'aws' AND s.rank = 0 AND NOT EXISTS"
	" (SELECT FROM stage_entity h WHERE h.entity_id = s.entity_id AND h.attrs ? 'document') "
	"ORDER BY s.entity_id",
	0
};

enum rc stage_read_missing_documents(struct db *db, struct id org_id, struct db_rows **ret,
				     struct err *err)
{
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id) };
	enum rc rc = db_run(db, &who, &HELD_DOCUMENTS, args, NULL, err);

	return rc == RC_OK ? db_run(db, NULL, &MISSING_DOCUMENTS, NULL, ret, err) : rc;
}

static const struct stmt UNLISTED = { "stage_read_unlisted_policies",
				      "SELECT DISTINCT s.key FROM stage_entity s WHERE s.kind = "
				      "'aws.iam_policy' AND s.rank = 2 AND s.key LIKE $1"
				      " AND NOT EXISTS (SELECT FROM stage_entity f WHERE "
				      "f.entity_id = s.entity_id AND f.rank = 0)",
				      1 };

enum rc stage_read_unlisted_policies(struct db *db, const char *key_like, struct db_rows **ret,
				     struct err *err)
{
	const struct arg args[] = { arg_c(key_like) };

	return db_run(db, NULL, &UNLISTED, args, ret, err);
}

static const struct stmt COUNTS = { "stage_read_counts",
				    "SELECT part, count(DISTINCT entity_id) AS n FROM stage_entity"
				    " WHERE rank = 0 AND kind <> 'aws.inline_policy' GROUP BY part",
				    0 };

enum rc stage_read_counts(struct db *db, struct db_rows **ret, struct err *err)
{
	return db_run(db, NULL, &COUNTS, NULL, ret, err);
}

static const struct stmt KEEP_USERS = {
	"stage_read_keep_users",
	"INSERT INTO stage_user (entity_id, arn, name, born)"
	" SELECT DISTINCT ON (entity_id) entity_id, key, name, born FROM stage_entity"
	" WHERE kind = 'aws.iam_user' AND part IN ('users', 'user_details') AND rank < 2 ORDER BY "
	"entity_id, rank",
	0
};

static const struct stmt CLEAR = { "stage_read_clear",
				   "TRUNCATE stage_entity, stage_edge, stage_link, stage_document, "
				   "stage_diff, stage_edge_diff, stage_gone",
				   0 };

enum rc stage_read_keep_users(struct db *db, struct err *err)
{
	return db_run(db, NULL, &KEEP_USERS, NULL, NULL, err);
}

enum rc stage_read_clear(struct db *db, struct err *err)
{
	return db_run(db, NULL, &CLEAR, NULL, NULL, err);
}

/* A user made after the report, or made again, is not in it with this date of birth. */
static const struct stmt KEY_USERS = {
	"stage_read_key_users",
	"SELECT u.entity_id, u.arn, u.name, coalesce(r.key1_created, '') AS key1_created, "
	"coalesce(r.key1_at, '') AS key1_at,"
	" coalesce(r.key1_region, '') AS key1_region, coalesce(r.key1_service, '') AS key1_service,"
	" coalesce(r.key2_created, '') AS key2_created, coalesce(r.key2_at, '') AS key2_at,"
	" coalesce(r.key2_region, '') AS key2_region, coalesce(r.key2_service, '') AS key2_service"
	" FROM stage_user u LEFT JOIN stage_report r ON r.arn = u.arn AND r.born = u.born"
	" WHERE (NOT $1::boolean OR r.arn IS NULL OR r.key1_created <> '' OR r.key2_created <> '')"
	" AND u.entity_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY "
	"u.entity_id LIMIT $3::bigint",
	3
};

enum rc stage_read_key_users(struct db *db, bool has_report, struct id after, struct db_rows **ret,
			     struct err *err)
{
	const struct arg args[] = { arg_bool(has_report), arg_id(after),
				    arg_i64(STAGE_READ_BATCH) };

	return db_run(db, NULL, &KEY_USERS, args, ret, err);
}

static const struct stmt MFA_USERS = {
	"stage_read_mfa_users",
	"SELECT u.entity_id, u.arn, u.name FROM stage_user u LEFT JOIN stage_report r ON r.arn = "
	"u.arn AND r.born = u.born"
	" WHERE (NOT $1::boolean OR r.arn IS NULL OR r.mfa_active)"
	" AND $2::boolean = EXISTS (SELECT FROM stage_edge e WHERE e.kind = 'has_credential' AND "
	"e.part = 'mfa'"
	"  AND e.src_id = u.entity_id)"
	" AND u.entity_id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY "
	"u.entity_id LIMIT $4::bigint",
	4
};

enum rc stage_read_mfa_users(struct db *db, bool has_report, bool with_virtual, struct id after,
			     struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_bool(has_report), arg_bool(with_virtual), arg_id(after),
				    arg_i64(STAGE_READ_BATCH) };

	return db_run(db, NULL, &MFA_USERS, args, ret, err);
}

static const struct stmt MFA_COUNT = { "stage_read_mfa_count",
				       "SELECT count(DISTINCT entity_id) AS n FROM stage_entity "
				       "WHERE kind = 'aws.mfa_device' AND rank = 0",
				       0 };

enum rc stage_read_mfa_count(struct db *db, int64_t *ret_n, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &MFA_COUNT, NULL, &rows, err);

	if (rc == RC_OK)
		*ret_n = db_rows_i64(rows, 0, "n");
	return rc;
}
