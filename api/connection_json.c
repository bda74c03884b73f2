/* A connection's row as the API shows it.
 * Never shows a secret: the rows do not hold one. Never judges: the status is stored. */
#include "api/connection_json.h"
#include "api/reply.h"
#include "api/schedule_fields.h"

json_t *connection_json_status(const struct db_rows *rows, int row)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o}", "state", reply_text(rows, row, "status_state"), "code",
		reply_text(rows, row, "status_code"), "text", reply_text(rows, row, "status_text"),
		"remedy", reply_text(rows, row, "status_remedy"), "since",
		reply_time(rows, row, "status_since"));
}

static json_t *auth(const struct db_rows *rows, int row)
{
	if (str_eq(db_rows_text(rows, row, "auth_method"), S("assume_role")))
		return json_pack("{s:s, s:o}", "method", "assume_role", "role_arn",
				 reply_text(rows, row, "role_arn"));
	return json_pack("{s:s, s:o}", "method", "access_key", "access_key_id",
			 reply_text(rows, row, "access_key_id"));
}

static json_t *last_sync(const struct db_rows *rows, int row)
{
	if (db_rows_is_null(rows, row, "newest_id"))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 reply_id(db_rows_id(rows, row, "newest_id"), "sync_"), "state",
			 reply_text(rows, row, "newest_state"), "cause",
			 reply_text(rows, row, "newest_cause"), "started_at",
			 reply_time(rows, row, "newest_started_at"), "finished_at",
			 reply_time(rows, row, "newest_finished_at"), "reason_code",
			 reply_text(rows, row, "newest_reason_code"), "reason",
			 reply_text(rows, row, "newest_reason"));
}

static void set(json_t *to, const char *key, json_t *value)
{
	(void)json_object_set_new(to, key, value);
}

static void set_target(json_t *to, const struct db_rows *rows, int row)
{
	static const char *const NAMES[] = { "aws_account_id", "aws_organization_id" };

	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		if (!db_rows_is_null(rows, row, NAMES[i]))
			set(to, NAMES[i], reply_text(rows, row, NAMES[i]));
}

static void set_verification(json_t *to, const struct db_rows *rows, int row)
{
	set(to, "verification",
	    json_pack("{s:o, s:o, s:o, s:o}", "state", reply_text(rows, row, "verify_state"),
		      "code", reply_text(rows, row, "verify_code"), "text",
		      reply_text(rows, row, "verify_text"), "aws",
		      reply_tree(rows, row, "verify_aws")));
	set(to, "verified_at", reply_time(rows, row, "verified_at"));
	set(to, "external_id_enforced", reply_bool(rows, row, "external_id_enforced"));
}

json_t *connection_json(const struct db_rows *rows, int row, struct id org_id)
{
	json_t *c = json_object();

	set(c, "id", reply_id(db_rows_id(rows, row, "connection_id"), "conn_"));
	set(c, "name", reply_text(rows, row, "name"));
	set(c, "authoritative_status", reply_text(rows, row, "authoritative_status"));
	set_target(c, rows, row);
	set(c, "region", reply_text(rows, row, "region"));
	set(c, "auth", auth(rows, row));
	set(c, "cloudtrail",
	    json_pack("{s:o, s:o, s:o}", "bucket", reply_text(rows, row, "cloudtrail_bucket"),
		      "days", reply_i64(rows, row, "cloudtrail_days"), "digest_prefix",
		      reply_text(rows, row, "cloudtrail_digest_prefix")));
	set(c, "schedule", schedule_fields_json(rows, row));
	set(c, "paused", reply_bool(rows, row, "paused"));
	set(c, "status", connection_json_status(rows, row));
	set(c, "external_id", reply_id(org_id, ""));
	set_verification(c, rows, row);
	set(c, "last_sync", last_sync(rows, row));
	set(c, "last_complete_at", reply_time(rows, row, "last_complete_at"));
	set(c, "version", reply_i64(rows, row, "version"));
	set(c, "created_at", reply_time(rows, row, "created_at"));
	set(c, "updated_at", reply_time(rows, row, "updated_at"));
	return c;
}
