/* The credential report: asked for first, collected last, read row by row. It has no key ids; keys.c finds those.
 * Never waits longer than REPORT_WAIT_S, and never without looking whether the run was stopped. */
#include "workers/sync/report.h"
#include "aws/iam.h"
#include "base/clock.h"
#include "base/text.h"
#include "workers/sync/collect.h"

enum {
	REPORT_WAIT_S = 300,
	REPORT_POLL_MS = 2000,
	REPORT_SLICE_MS = 100,
	REPORT_BYTES_MAX = 64 * 1024 * 1024,
};

static const char *const COLUMNS[REPORT_COLUMNS] = {
	[REPORT_USER] = "user",
	[REPORT_ARN] = "arn",
	[REPORT_CREATED] = "user_creation_time",
	[REPORT_PASSWORD_ENABLED] = "password_enabled",
	[REPORT_PASSWORD_USED] = "password_last_used",
	[REPORT_PASSWORD_CHANGED] = "password_last_changed",
	[REPORT_PASSWORD_ROTATION] = "password_next_rotation",
	[REPORT_MFA] = "mfa_active",
	[REPORT_KEY1_ACTIVE] = "access_key_1_active",
	[REPORT_KEY1_ROTATED] = "access_key_1_last_rotated",
	[REPORT_KEY1_USED] = "access_key_1_last_used_date",
	[REPORT_KEY1_REGION] = "access_key_1_last_used_region",
	[REPORT_KEY1_SERVICE] = "access_key_1_last_used_service",
	[REPORT_KEY2_ACTIVE] = "access_key_2_active",
	[REPORT_KEY2_ROTATED] = "access_key_2_last_rotated",
	[REPORT_KEY2_USED] = "access_key_2_last_used_date",
	[REPORT_KEY2_REGION] = "access_key_2_last_used_region",
	[REPORT_KEY2_SERVICE] = "access_key_2_last_used_service",
	[REPORT_CERT1_ACTIVE] = "cert_1_active",
	[REPORT_CERT2_ACTIVE] = "cert_2_active",
};

enum rc report_header(const struct csv *row, struct report_header *ret)
{
	ret->n = row->n;
	for (int c = 0; c < REPORT_COLUMNS; c++) {
		ret->at[c] = -1;
		for (size_t i = 0; i < row->n; i++) {
			if (str_eq(row->fields[i], str_c(COLUMNS[c])))
				ret->at[c] = (int)i;
		}
	}
	if (ret->at[REPORT_USER] < 0 || ret->at[REPORT_ARN] < 0 || ret->at[REPORT_CREATED] < 0)
		return RC_INVALID;
	return RC_OK;
}

static struct str raw(const struct report_header *h, const struct csv *row, enum report_column c)
{
	if (h->at[c] < 0 || (size_t)h->at[c] >= row->n)
		return S("");
	return row->fields[h->at[c]];
}

struct str report_value(const struct report_header *h, const struct csv *row, enum report_column c)
{
	struct str v = raw(h, row, c);

	if (str_eq(v, S("N/A")) || str_eq(v, S("no_information")) || str_eq(v, S("not_supported")))
		return S("");
	return v;
}

bool report_is_whole(const struct report_header *h, const struct csv *row)
{
	return row->n == h->n && raw(h, row, REPORT_USER).n > 0 &&
	       report_value(h, row, REPORT_ARN).n > 0;
}

bool report_is_root(const struct report_header *h, const struct csv *row)
{
	return str_eq(raw(h, row, REPORT_USER), S("<root_account>"));
}

json_t *report_attrs(const struct report_header *h, const struct csv *row, bool with_sign_in)
{
	json_t *attrs = json_object();

	emit_flag(attrs, "password_enabled", report_value(h, row, REPORT_PASSWORD_ENABLED));
	emit_time(attrs, "password_last_changed", report_value(h, row, REPORT_PASSWORD_CHANGED));
	emit_time(attrs, "password_next_rotation", report_value(h, row, REPORT_PASSWORD_ROTATION));
	emit_flag(attrs, "mfa_active", report_value(h, row, REPORT_MFA));
	emit_flag(attrs, "cert_1_active", report_value(h, row, REPORT_CERT1_ACTIVE));
	emit_flag(attrs, "cert_2_active", report_value(h, row, REPORT_CERT2_ACTIVE));
	if (with_sign_in)
		emit_time(attrs, "password_last_used", report_value(h, row, REPORT_PASSWORD_USED));
	if (!report_is_root(h, row))
		return attrs;
	json_object_set_new(attrs, "is_root", json_true());
	emit_time(attrs, "created", report_value(h, row, REPORT_CREATED));
	emit_flag(attrs, "access_key_1_active", report_value(h, row, REPORT_KEY1_ACTIVE));
	emit_flag(attrs, "access_key_2_active", report_value(h, row, REPORT_KEY2_ACTIVE));
	return attrs;
}

struct key_times {
	char created[EMIT_TIME_MAX], used[EMIT_TIME_MAX];
};

static void key_slot(const struct report_header *h, const struct csv *row, int first,
		     struct key_times *times, struct stage_report_key *out)
{
	out->created =
		emit_time_text(report_value(h, row, (enum report_column)first), times->created);
	out->used_at =
		emit_time_text(report_value(h, row, (enum report_column)(first + 1)), times->used);
	out->used_region = report_value(h, row, (enum report_column)(first + 2));
	out->used_service = report_value(h, row, (enum report_column)(first + 3));
}

static enum rc stage_row(struct sync *s, const struct report_header *h, const struct csv *row,
			 struct err *err)
{
	char born[EMIT_TIME_MAX];
	struct key_times times[STAGE_KEY_SLOTS];
	struct stage_report r = {
		.arn = report_value(h, row, REPORT_ARN),
		.born = emit_time_text(report_value(h, row, REPORT_CREATED), born),
		.mfa_active = str_eq_nocase(report_value(h, row, REPORT_MFA), S("true"))
	};

	key_slot(h, row, REPORT_KEY1_ROTATED, &times[0], &r.keys[0]);
	key_slot(h, row, REPORT_KEY2_ROTATED, &times[1], &r.keys[1]);
	return stage_put_report(s->stage, &r, err);
}

static enum rc put_row(struct sync *s, const struct report_header *h, const struct csv *row,
		       struct err *err)
{
	bool root = report_is_root(h, row);
	bool listed = sync_part(s, PART_USER_DETAILS)->fault.class == AWS_OK;
	char born[EMIT_TIME_MAX];
	const struct emit_entity e = { .kind = "aws.iam_user",
				       .part = part_name(PART_REPORT),
				       .key = report_value(h, row, REPORT_ARN),
				       .name = raw(h, row, REPORT_USER),
				       .born = emit_time_text(report_value(h, row, REPORT_CREATED),
							      born),
				       .rank = root ? STAGE_FOUND : STAGE_EXTRA };
	enum rc rc;

	sync_part(s, PART_REPORT)->items++;
	rc = emit_entity(&s->emit, &e, report_attrs(h, row, root || !listed), err);
	return rc == RC_OK ? stage_row(s, h, row, err) : rc;
}

static void unreadable(struct sync *s, enum part_state state, const char *what)
{
	part_say(sync_part(s, PART_REPORT), PART_REPORT, state, "report_unreadable", what);
}

static enum rc read_rows(struct sync *s, struct str content, struct err *err)
{
	AUTO(csv) struct csv csv;
	struct report_header header;
	bool root = false;
	enum rc rc;

	csv_init(&csv, content);
	if (csv_next(&csv) != RC_OK || report_header(&csv, &header) != RC_OK) {
		unreadable(s, PART_ERROR, "The credential report has no header that is known");
		return RC_OK;
	}
	while ((rc = csv_next(&csv)) == RC_OK) {
		if (!report_is_whole(&header, &csv)) {
			unreadable(s, PART_PARTIAL,
				   "A row of the credential report does not fit its header");
			return RC_OK;
		}
		root = root || report_is_root(&header, &csv);
		rc = put_row(s, &header, &csv, err);
		if (rc != RC_OK)
			return rc;
	}
	if (rc != RC_NOT_FOUND)
		unreadable(s, PART_PARTIAL, "The credential report ends in the middle of a row");
	else if (!root)
		unreadable(s, PART_PARTIAL, "The credential report has no row for the root user");
	return RC_OK;
}

static bool is_complete(const json_t *reply)
{
	return str_eq(json_str(reply, "State"), S("COMPLETE"));
}

enum rc report_ask(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;

	return sync_call(s, PART_REPORT, &IAM_GENERATE_CREDENTIAL_REPORT, NULL, &reply, NULL, err);
}

static bool pause_ms(const struct sync *s, int ms)
{
	for (int i = 0; i < ms / REPORT_SLICE_MS; i++) {
		if (s->run->stop(s->run->stop_arg))
			return false;
		clock_sleep(REPORT_SLICE_MS * CLOCK_MS);
	}
	return true;
}

/* One look: asks for the report and, when AWS has it, for its content. NULL: not there yet, or a failure that is in the part.
 * A report may expire or be replaced between the two calls; that is no failure, and the next look begins again. */
static enum rc look(struct sync *s, json_t **ret, struct err *err)
{
	AUTO_JSON json_t *state = NULL;
	struct aws_fault fault = { .class = AWS_OK };
	enum rc rc =
		sync_call(s, PART_REPORT, &IAM_GENERATE_CREDENTIAL_REPORT, NULL, &state, NULL, err);

	if (rc != RC_OK || !state || !is_complete(state))
		return rc;
	return sync_call(s, PART_REPORT, &IAM_GET_CREDENTIAL_REPORT, NULL, ret, &fault, err);
}

/* Looks until it is there, fails or takes too long; a failure is in the part. */
static enum rc wait_for_it(struct sync *s, json_t **ret, struct err *err)
{
	int64_t deadline = clock_mono() + REPORT_WAIT_S * CLOCK_S;
	struct part *part = sync_part(s, PART_REPORT);

	while (clock_mono() < deadline) {
		enum rc rc = look(s, ret, err);

		if (rc != RC_OK || *ret || part->fault.class != AWS_OK)
			return rc;
		if (!pause_ms(s, REPORT_POLL_MS))
			return err_set(err, RC_RETRY, "stopped", "the sync was stopped");
	}
	part_say(part, PART_REPORT, PART_ERROR, "report_not_ready",
		 "AWS did not finish the credential report in time");
	return RC_OK;
}

static enum rc decode(struct sync *s, const json_t *reply, struct err *err)
{
	AUTO(buf) struct buf content = BUF_INIT(REPORT_BYTES_MAX);
	AUTO(buf) struct buf clean = BUF_INIT(REPORT_BYTES_MAX);

	if (text_base64_decode(&content, json_str(reply, "Content")) != RC_OK ||
	    text_clean(&clean, buf_str(&content)) != RC_OK) {
		unreadable(s, PART_ERROR,
			   "The credential report is not base64 text of a sane size");
		return RC_OK;
	}
	return read_rows(s, buf_str(&clean), err);
}

enum rc report_collect(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	enum rc rc = RC_OK;

	if (sync_part(s, PART_REPORT)->fault.class == AWS_OK)
		rc = wait_for_it(s, &reply, err);
	return rc == RC_OK && reply ? decode(s, reply, err) : rc;
}
