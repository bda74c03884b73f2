/* MFA devices: all virtual ones in one listing; hardware keys and passkeys only by asking for a user. Who is asked follows
 * from the credential report, and AWS's count of devices says when that was not enough. */
#include "aws/iam.h"
#include "base/mem.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/work.h"

static const char *type_of(struct str serial)
{
	if (str_has(serial, S(":u2f/")))
		return "u2f";
	if (str_has(serial, S(":mfa/")) || str_has(serial, S(":sms-mfa/")))
		return "virtual";
	return "hardware";
}

static char *key_of(const struct sync *s, struct str serial, struct str user)
{
	if (str_starts(serial, S("arn:")))
		return str_dup(serial);
	return mem_text("aws:mfa:%s:%s:%.*s:%.*s", s->emit.partition, s->emit.account,
			STR_FMT(user), STR_FMT(serial));
}

/* owner "" = assigned to nobody */
static enum rc put_device(struct sync *s, struct str serial, struct str enabled, struct str user,
			  struct str owner, struct err *err)
{
	AUTO_TEXT char *key = key_of(s, serial, user);
	json_t *attrs = json_object();
	struct emit_entity e = { .kind = "aws.mfa_device",
				 .part = part_name(PART_MFA),
				 .key = str_c(key),
				 .name = serial,
				 .loose = true };
	struct id id;
	enum rc rc;

	json_set_text(attrs, "type", str_c(type_of(serial)));
	json_set_text(attrs, "serial", serial);
	json_set_text(attrs, "user_name", user);
	emit_time(attrs, "enabled_at", enabled);
	sync_part(s, PART_MFA)->items++;
	rc = emit_entity(&s->emit, &e, attrs, err);
	if (rc != RC_OK || owner.n == 0)
		return rc;
	if (str_ends(owner, S(":root"))) {
		id = emit_id(&s->emit, "aws.iam_user", owner);
		rc = emit_stub(&s->emit, "aws.iam_user", owner, S("<root_account>"),
			       str_c(s->emit.account), &id, err);
	} else {
		rc = emit_arn_stub(&s->emit, owner, &id, err);
	}
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	return emit_edge(&s->emit, e.part, "has_credential", id, emit_id(&s->emit, e.kind, e.key),
			 S(""), NULL, err);
}

static enum rc virtual_page(void *arg, json_t *reply, struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "VirtualMFADevices"), i, item) {
		const json_t *user = json_object_get(item, "User");
		struct str serial = json_str(item, "SerialNumber"), arn = json_str(user, "Arn");
		struct str name =
			str_ends(arn, S(":root")) ? S("<root_account>") : emit_last(arn, '/');

		if (rc == RC_OK && serial.n > 0)
			rc = put_device(arg, serial, json_str(item, "EnableDate"), name, arn, err);
	}
	return rc;
}

static enum rc devices_found(struct sync *s, struct work_item *user, json_t *reply, void *arg,
			     struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	(void)arg;
	json_array_foreach (json_object_get(reply, "MFADevices"), i, item) {
		struct str serial = json_str(item, "SerialNumber");

		if (rc == RC_OK && serial.n > 0)
			rc = put_device(s, serial, json_str(item, "EnableDate"), str_c(user->name),
					str_c(user->arn), err);
	}
	return rc;
}

static enum rc ask_users(struct sync *s, bool with_virtual, struct err *err)
{
	AUTO(work) struct work users = { .n = 0 };
	const struct work_op list = { .part = PART_MFA,
				      .op = &IAM_LIST_MFA_DEVICES,
				      .name_param = "UserName",
				      .found = devices_found };
	bool report = sync_part(s, PART_REPORT)->state == PART_OK;
	struct id last = { { 0 } };
	enum rc rc = stage_flush(s->stage, err);
	int n = STAGE_READ_BATCH;

	while (rc == RC_OK && n == STAGE_READ_BATCH) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = stage_read_mfa_users(s->run->db, report, with_virtual, last, &rows, err);
		n = db_rows_count(rows);
		if (rc == RC_OK)
			rc = work_add_rows(&users, rows, "arn", part_name(PART_MFA), &last, err);
	}
	return rc == RC_OK ? work_run(s, &users, &list, err) : rc;
}

/* A user with a virtual device may hold a passkey as well; only AWS's count tells that one is missing. */
static enum rc ask_the_others(struct sync *s, struct err *err)
{
	int64_t found = 0;
	enum rc rc = stage_flush(s->stage, err);

	if (rc == RC_OK)
		rc = stage_read_mfa_count(s->run->db, &found, err);
	if (rc != RC_OK || (s->mfa_in_use >= 0 && found >= s->mfa_in_use))
		return rc;
	return ask_users(s, true, err);
}

enum rc mfa_collect(struct sync *s, struct err *err)
{
	enum rc rc = sync_pages(s, PART_MFA, &IAM_LIST_VIRTUAL_MFA_DEVICES, NULL, virtual_page,
				NULL, err);

	if (rc == RC_OK)
		rc = ask_users(s, false, err);
	return rc == RC_OK ? ask_the_others(s, err) : rc;
}
