/* A connection's row as the API shows it.
 * Never shows a secret: the rows do not hold one. Never judges: the status is stored. */
#include "api/connection_json.h"
#include "api/row_out.h"
#include "api/schedule_fields.h"

static void put_status(struct json_out *o, const struct db_rows *rows, int row)
{
	json_out_begin(o, "status", '{');
	row_out_text(o, "state", rows, row, "status_state");
	row_out_text(o, "code", rows, row, "status_code");
	row_out_text(o, "text", rows, row, "status_text");
	row_out_text(o, "remedy", rows, row, "status_remedy");
	row_out_time(o, "since", rows, row, "status_since");
	json_out_end(o, '{');
}

static void put_target(struct json_out *o, const struct db_rows *rows, int row)
{
	static const char *const NAMES[] = { "aws_account_id", "aws_organization_id" };

	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		if (!db_rows_is_null(rows, row, NAMES[i]))
			row_out_text(o, NAMES[i], rows, row, NAMES[i]);
}

static void put_auth(struct json_out *o, const struct db_rows *rows, int row)
{
	bool role = str_eq(db_rows_text(rows, row, "auth_method"), S("assume_role"));
	const char *what = role ? "role_arn" : "access_key_id";

	json_out_begin(o, "auth", '{');
	json_out_text(o, "method", role ? S("assume_role") : S("access_key"));
	row_out_text(o, what, rows, row, what);
	json_out_end(o, '{');
}

static void put_cloudtrail(struct json_out *o, const struct db_rows *rows, int row)
{
	json_out_begin(o, "cloudtrail", '{');
	row_out_text(o, "bucket", rows, row, "cloudtrail_bucket");
	row_out_raw(o, "days", rows, row, "cloudtrail_days");
	row_out_text(o, "digest_prefix", rows, row, "cloudtrail_digest_prefix");
	json_out_end(o, '{');
}

static void put_verification(struct json_out *o, const struct db_rows *rows, int row)
{
	json_out_begin(o, "verification", '{');
	row_out_text(o, "state", rows, row, "verify_state");
	row_out_text(o, "code", rows, row, "verify_code");
	row_out_text(o, "text", rows, row, "verify_text");
	row_out_raw(o, "aws", rows, row, "verify_aws");
	json_out_end(o, '{');
	row_out_time(o, "verified_at", rows, row, "verified_at");
	row_out_bool(o, "external_id_enforced", rows, row, "external_id_enforced");
}

static void put_last_sync(struct json_out *o, const struct db_rows *rows, int row)
{
	if (db_rows_is_null(rows, row, "newest_id")) {
		json_out_raw(o, "last_sync", S("null"));
		return;
	}
	json_out_begin(o, "last_sync", '{');
	row_out_id(o, "id", rows, row, "newest_id", "sync_");
	row_out_text(o, "state", rows, row, "newest_state");
	row_out_text(o, "cause", rows, row, "newest_cause");
	row_out_time(o, "started_at", rows, row, "newest_started_at");
	row_out_time(o, "finished_at", rows, row, "newest_finished_at");
	row_out_text(o, "reason_code", rows, row, "newest_reason_code");
	row_out_text(o, "reason", rows, row, "newest_reason");
	json_out_end(o, '{');
}

void connection_json(struct json_out *o, const struct db_rows *rows, int row, struct id org_id)
{
	char external_id[ID_UUID_TEXT];

	id_uuid(org_id, external_id);
	json_out_begin(o, NULL, '{');
	row_out_id(o, "id", rows, row, "connection_id", "conn_");
	row_out_text(o, "name", rows, row, "name");
	row_out_text(o, "authoritative_status", rows, row, "authoritative_status");
	put_target(o, rows, row);
	row_out_text(o, "region", rows, row, "region");
	put_auth(o, rows, row);
	put_cloudtrail(o, rows, row);
	row_out_bool(o, "paused", rows, row, "paused");
	put_verification(o, rows, row);
	row_out_time(o, "last_complete_at", rows, row, "last_complete_at");
	put_status(o, rows, row);
	json_out_text(o, "external_id", str_c(external_id));
	row_out_raw(o, "version", rows, row, "version");
	row_out_time(o, "created_at", rows, row, "created_at");
	row_out_time(o, "updated_at", rows, row, "updated_at");
	json_out_begin(o, "schedule", '{');
	schedule_fields_put(o, rows, row);
	json_out_end(o, '{');
	put_last_sync(o, rows, row);
	json_out_end(o, '{');
}
