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

/* A user made after the report, or made again, is not in it with this date of birth. The report may be hours old, so the owner
 * of a key that we hold is asked whatever it says, and everybody once a day: each user has a moment of the day, and is asked
 * by the first sync after it. */
static const struct stmt KEY_USERS = {
	"stage_read_key_users",
	"WITH held AS ("
	"  SELECT src_id FROM edge WHERE org_id = $1 AND account_id = $3 AND region = 'global' AND "
	"scope = 'iam'"
	"   AND part = 'access_keys' AND kind = 'has_credential' AND deleted_at IS NULL"
	" ), looked AS ("
	"  SELECT extract(epoch FROM now()) / 86400 AS today, extract(epoch FROM coalesce(CASE "
	"WHEN "
	"c.state = 'ok'"
	"   THEN s.started_at END, c.last_complete_at - interval '1 hour')) / 86400 AS before"
	"  FROM coverage c LEFT JOIN sync s ON s.org_id = c.org_id AND s.sync_id = c.sync_id"
	"  WHERE c.org_id = $1 AND c.connection_id = $2 AND c.account_id = $3 AND c.region = "
	"'global'"
	"   AND c.scope = 'iam' AND c.part = 'access_keys'"
	" ), users AS ("
	"  SELECT *, ('x' || left(entity_id::text, 4))::bit(16)::integer / 65536.0 AS moment FROM "
	"stage_user"
	" )"
	" SELECT u.entity_id, u.arn, u.name, coalesce(r.key1_created, '') AS key1_created, "
	"coalesce(r.key1_at, '') AS key1_at,"
	" coalesce(r.key1_region, '') AS key1_region, coalesce(r.key1_service, '') AS key1_service,"
	" coalesce(r.key2_created, '') AS key2_created, coalesce(r.key2_at, '') AS key2_at,"
	" coalesce(r.key2_region, '') AS key2_region, coalesce(r.key2_service, '') AS key2_service"
	" FROM users u LEFT JOIN stage_report r ON r.arn = u.arn AND r.born = u.born"
	" WHERE (NOT $4::boolean OR r.arn IS NULL OR r.key1_created <> '' OR r.key2_created <> ''"
	"  OR u.entity_id IN (SELECT src_id FROM held)"
	"  OR EXISTS (SELECT FROM looked l WHERE floor(l.today - u.moment) > floor(l.before - "
	"u.moment)))"
	" AND u.entity_id > coalesce($5::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY "
	"u.entity_id LIMIT $6::bigint",
	6
};

enum rc stage_read_key_users(struct db *db, const struct stage_scope *of, bool has_report,
			     struct id after, struct db_rows **ret, struct err *err)
{
	const struct db_who who = { .org_id = of->org_id };
	const struct arg args[] = { arg_id(of->org_id),    arg_id(of->connection_id),
				    arg_c(of->account_id), arg_bool(has_report),
				    arg_id(after),         arg_i64(STAGE_READ_BATCH) };

	return db_run(db, &who, &KEY_USERS, args, ret, err);
}

/* Whoever owns a device that we hold and that was not shown yet is asked before it can be taken for gone. */
static const struct stmt MFA_USERS = {
	"stage_read_mfa_users",
	"WITH missing AS ("
	"  SELECT src_id FROM edge e WHERE org_id = $1 AND account_id = $2 AND region = 'global' "
	"AND scope = 'iam'"
	"   AND part = 'mfa' AND kind = 'has_credential' AND deleted_at IS NULL"
	"   AND edge_id NOT IN (SELECT edge_id FROM stage_edge WHERE part = 'mfa')"
	" ), users AS ("
	"  SELECT u.*, NOT $3::boolean OR r.arn IS NULL OR r.mfa_active AS active,"
	"   u.entity_id IN (SELECT src_id FROM stage_edge WHERE kind = 'has_credential' AND part = "
	"'mfa') AS shown,"
	"   u.entity_id IN (SELECT src_id FROM missing) AS short"
	"  FROM stage_user u LEFT JOIN stage_report r ON r.arn = u.arn AND r.born = u.born"
	" )"
	" SELECT entity_id, arn, name, CASE WHEN short OR (active AND NOT shown) THEN 0 WHEN "
	"active THEN 1 ELSE 2 END AS turn"
	" FROM users WHERE entity_id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')"
	" ORDER BY entity_id LIMIT $5::bigint",
	5
};

enum rc stage_read_mfa_users(struct db *db, const struct stage_scope *of, bool has_report,
			     struct id after, struct db_rows **ret, struct err *err)
{
	const struct db_who who = { .org_id = of->org_id };
	const struct arg args[] = { arg_id(of->org_id), arg_c(of->account_id), arg_bool(has_report),
				    arg_id(after), arg_i64(STAGE_READ_BATCH) };

	return db_run(db, &who, &MFA_USERS, args, ret, err);
}

/* AWS counts what is assigned; a virtual device without an owner is not. No listing shows the root user's hardware. */
static const struct stmt MFA_COUNT = {
	"stage_read_mfa_count",
	"SELECT count(DISTINCT dst_id) + CASE WHEN count(*) FILTER (WHERE src_id = $1) = 0 AND "
	"EXISTS (SELECT FROM"
	" stage_report WHERE arn = $2 AND mfa_active) THEN 1 ELSE 0 END AS n"
	" FROM stage_edge WHERE kind = 'has_credential' AND part = 'mfa'",
	2
};

enum rc stage_read_mfa_count(struct db *db, struct id root, const char *root_arn, int64_t *ret_n,
			     struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(root), arg_c(root_arn) };
	enum rc rc = db_run(db, NULL, &MFA_COUNT, args, &rows, err);

	if (rc == RC_OK)
		*ret_n = db_rows_i64(rows, 0, "n");
	return rc;
}

static const struct stmt REGIONS = {
	"stage_read_regions",
	"SELECT attrs->'regions' AS regions FROM entity WHERE org_id = $1 AND entity_id = $2", 2
};

enum rc stage_read_regions(struct db *db, struct id org_id, struct id account, json_t **ret,
			   struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(account) };
	enum rc rc = db_run(db, &who, &REGIONS, args, &rows, err);

	if (rc == RC_OK)
		*ret = db_rows_count(rows) > 0 ? db_rows_json(rows, 0, "regions") : NULL;
	return rc;
}
