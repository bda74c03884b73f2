/* MFA devices: all virtual ones in one listing; hardware keys and passkeys only by asking for a user. Who is asked follows
 * from the credential report and from the devices that we hold; AWS's count of devices says when that was not enough.
 * Never lets a device go whose owner was not asked. */
#include "aws/iam.h"
#include "base/mem.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/work.h"

enum { MFA_REST_MAX = 1000 }; /* calls for users whom nothing suspects */

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

/* Users in the order in which they are asked: those who must be, those whom the report knows with MFA, the others. */
enum turn { TURN_MUST, TURN_ACTIVE, TURN_REST, TURNS };

struct turns {
	struct work of[TURNS];
	bool cut; /* more of the rest than may be asked */
};

static void turns_done(struct turns *t)
{
	for (int i = 0; i < TURNS; i++)
		work_done(&t->of[i]);
}
DEFINE_AUTO_VALUE(turns, turns_done)

static enum rc add_rows(struct turns *t, const struct db_rows *rows, struct id *last,
			struct err *err)
{
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
		int64_t turn = db_rows_i64(rows, i, "turn");

		*last = db_rows_id(rows, i, "entity_id");
		if (turn == TURN_REST && t->of[turn].n == MFA_REST_MAX)
			t->cut = true;
		else
			rc = work_add(&t->of[turn], *last, db_rows_text(rows, i, "arn"),
				      db_rows_text(rows, i, "name"), S(""), part_name(PART_MFA),
				      err);
	}
	return rc;
}

static enum rc load_turns(struct sync *s, struct turns *t, struct err *err)
{
	const struct stage_scope of = { .org_id = s->run->task->org_id,
					.connection_id = s->run->task->connection_id,
					.account_id = s->who.account };
	bool report = sync_part(s, PART_REPORT)->state == PART_OK;
	struct id last = { { 0 } };
	enum rc rc = stage_flush(s->stage, err);
	int n = STAGE_READ_BATCH;

	while (rc == RC_OK && n == STAGE_READ_BATCH) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = stage_read_mfa_users(s->run->db, &of, report, last, &rows, err);
		n = db_rows_count(rows);
		if (rc == RC_OK)
			rc = add_rows(t, rows, &last, err);
	}
	return rc;
}

static enum rc count_devices(struct sync *s, int64_t *ret_n, struct err *err)
{
	AUTO_TEXT char *arn = mem_text("arn:%s:iam::%s:root", s->emit.partition, s->emit.account);
	enum rc rc = stage_flush(s->stage, err);

	return rc == RC_OK ? stage_read_mfa_count(s->run->db,
						  emit_id(&s->emit, "aws.iam_user", str_c(arn)),
						  arn, ret_n, err)
			   : rc;
}

/* A user with a virtual device may hold a passkey as well, and the report may be older than a device: only AWS's count
 * tells that one is missing. Without that count, those whom the report knows with MFA are asked. */
static enum rc ask_users(struct sync *s, struct turns *t, struct err *err)
{
	const struct work_op list = { .part = PART_MFA,
				      .op = &IAM_LIST_MFA_DEVICES,
				      .name_param = "UserName",
				      .must_exist = true,
				      .found = devices_found };
	bool known = s->mfa_in_use >= 0;
	int64_t found = 0;
	enum rc rc = work_run(s, &t->of[TURN_MUST], &list, err);

	for (int turn = TURN_ACTIVE; rc == RC_OK && turn <= (known ? TURN_REST : TURN_ACTIVE);
	     turn++) {
		rc = count_devices(s, &found, err);
		if (rc != RC_OK || (known && found >= s->mfa_in_use))
			return rc;
		rc = work_run(s, &t->of[turn], &list, err);
	}
	if (rc == RC_OK && known && t->cut)
		rc = count_devices(s, &found, err);
	if (rc == RC_OK && known && t->cut && found < s->mfa_in_use)
		part_say(sync_part(s, PART_MFA), PART_MFA, PART_PARTIAL, "count_mismatch",
			 "AWS counts more MFA devices than were found, and too many users are "
			 "left to ask each of them");
	return rc;
}

enum rc mfa_collect(struct sync *s, struct err *err)
{
	AUTO(turns) struct turns t = { .cut = false };
	enum rc rc = sync_pages(s, PART_MFA, &IAM_LIST_VIRTUAL_MFA_DEVICES, NULL, virtual_page,
				NULL, err);

	if (rc == RC_OK)
		rc = load_turns(s, &t, err);
	return rc == RC_OK ? ask_users(s, &t, err) : rc;
}
