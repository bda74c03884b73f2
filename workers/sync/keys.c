/* Access keys of the users that may have some or had some when we last looked, and when each was last used: from the credential report wherever a key's
 * creation time tells which of the report's two columns is this key's, from a call for the key itself elsewhere. */
#include "aws/iam.h"
#include "base/mem.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/work.h"

enum slot_column { CREATED, USED_AT, REGION, SERVICE };

static const char *const SLOT_COLUMNS[WORK_SLOTS][4] = {
	{ "key1_created", "key1_at", "key1_region", "key1_service" },
	{ "key2_created", "key2_at", "key2_region", "key2_service" },
};

static bool has_report(struct sync *s)
{
	return sync_part(s, PART_REPORT)->state == PART_OK;
}

static enum rc load_users(struct sync *s, struct work *w, struct err *err)
{
	const struct stage_scope of = { .org_id = s->run->task->org_id,
					.connection_id = s->run->task->connection_id,
					.account_id = s->who.account };
	struct id last = { { 0 } };
	enum rc rc = RC_OK;
	int n = STAGE_READ_BATCH;

	while (rc == RC_OK && n == STAGE_READ_BATCH) {
		AUTO(db_rows) struct db_rows *rows = NULL;
		size_t first = w->n;

		rc = stage_read_key_users(s->run->db, &of, has_report(s), last, &rows, err);
		n = db_rows_count(rows);
		if (rc == RC_OK)
			rc = work_add_rows(w, rows, "arn", part_name(PART_ACCESS_KEYS), &last, err);
		for (int i = 0; rc == RC_OK && i < n; i++) {
			for (size_t k = 0; k < WORK_SLOTS; k++) {
				for (size_t c = 0; c < 4; c++)
					w->items[first + (size_t)i].slots[k][c] =
						str_dup(db_rows_text(rows, i, SLOT_COLUMNS[k][c]));
			}
		}
	}
	return rc;
}

/* The report's column that is this key's: the only one with its creation time. -1 = none or two. */
static int slot_of(const struct work_item *item, const char *created)
{
	int found = -1;

	for (int k = 0; k < WORK_SLOTS; k++) {
		const char *at = item->slots[k][CREATED];

		if (!at || created[0] == '\0' || strcmp(at, created) != 0)
			continue;
		if (found >= 0)
			return -1;
		found = k;
	}
	return found;
}

static void put_last_used(json_t *attrs, struct str at, struct str region, struct str service)
{
	json_t *used;

	if (at.n == 0)
		return;
	used = json_object();
	emit_time(used, "date", at);
	if (!str_eq(region, S("N/A")))
		json_set_text(used, "region", region);
	if (!str_eq(service, S("N/A")))
		json_set_text(used, "service", service);
	json_object_set_new(attrs, "last_used", used);
}

static char *key_of(const struct sync *s, struct str id)
{
	return mem_text("aws:access-key:%s:%s:%.*s", s->emit.partition, s->emit.account,
			STR_FMT(id));
}

static enum rc put_key(struct sync *s, const struct work_item *user, struct str id, json_t *attrs,
		       enum stage_rank rank, struct err *err)
{
	AUTO_TEXT char *key = key_of(s, id);
	const struct emit_entity e = { .kind = "aws.access_key",
				       .part = part_name(PART_ACCESS_KEYS),
				       .key = str_c(key),
				       .name = id,
				       .incarnation = id,
				       .rank = rank,
				       .loose = true };
	struct id owner;
	enum rc rc = emit_entity(&s->emit, &e, attrs, err);

	if (rc != RC_OK || rank != STAGE_FOUND)
		return rc;
	rc = emit_arn_stub(&s->emit, str_c(user->arn), &owner, err);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	return emit_edge(&s->emit, e.part, "has_credential", owner,
			 emit_id(&s->emit, e.kind, e.key), S(""), NULL, err);
}

static enum rc one_key(struct sync *s, const struct work_item *user, const json_t *item,
		       struct work *unknown, struct err *err)
{
	char created[EMIT_TIME_MAX];
	struct str id = json_str(item, "AccessKeyId");
	json_t *attrs = json_object();
	int slot;
	enum rc rc;

	emit_time_text(json_str(item, "CreateDate"), created);
	json_set_text(attrs, "user_name", str_c(user->name));
	json_set_text(attrs, "status", json_str(item, "Status"));
	json_set_text(attrs, "created", str_c(created));
	slot = slot_of(user, created);
	if (slot >= 0)
		put_last_used(attrs, str_c(user->slots[slot][USED_AT]),
			      str_c(user->slots[slot][REGION]), str_c(user->slots[slot][SERVICE]));
	rc = put_key(s, user, id, attrs, STAGE_FOUND, err);
	if (rc != RC_OK || slot >= 0)
		return rc;
	return work_add(unknown, user->id, str_c(user->arn), str_c(user->name), id,
			part_name(PART_ACCESS_KEYS), err);
}

static enum rc keys_found(struct sync *s, struct work_item *user, json_t *reply, void *arg,
			  struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "AccessKeyMetadata"), i, item) {
		if (rc != RC_OK || json_str(item, "AccessKeyId").n == 0)
			continue;
		sync_part(s, PART_ACCESS_KEYS)->items++;
		rc = one_key(s, user, item, arg, err);
	}
	return rc;
}

static enum rc use_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			 struct err *err)
{
	const json_t *used = json_object_get(reply, "AccessKeyLastUsed");
	json_t *attrs = json_object();

	(void)arg;
	sync_part(s, PART_KEY_LAST_USED)->items++;
	put_last_used(attrs, json_str(used, "LastUsedDate"), json_str(used, "Region"),
		      json_str(used, "ServiceName"));
	return put_key(s, item, str_c(item->name), attrs, STAGE_EXTRA, err);
}

/* GetAccessKeyLastUsed takes the key's id as its only name. */
static void name_by_key(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		mem_free(w->items[i].name);
		w->items[i].name = TAKE(w->items[i].extra);
	}
}

/* Without a full list of users there is no full list of keys. */
static void need_users(struct sync *s)
{
	struct part *part = sync_part(s, PART_ACCESS_KEYS);
	const struct part *users = sync_part(s, PART_USERS),
			  *names = sync_part(s, PART_USER_DETAILS);

	if (users->state == PART_OK || names->state == PART_OK)
		return;
	part_say(part, PART_ACCESS_KEYS, PART_PARTIAL, "users_incomplete",
		 "The users could not be listed to the end");
	part_say(sync_part(s, PART_MFA), PART_MFA, PART_PARTIAL, "users_incomplete",
		 "The users could not be listed to the end");
}

enum rc keys_collect(struct sync *s, struct err *err)
{
	AUTO(work) struct work users = { .n = 0 };
	AUTO(work) struct work unknown = { .n = 0 };
	const struct work_op list = { .part = PART_ACCESS_KEYS,
				      .op = &IAM_LIST_ACCESS_KEYS,
				      .name_param = "UserName",
				      .must_exist = true,
				      .found = keys_found,
				      .arg = &unknown };
	const struct work_op use = { .part = PART_KEY_LAST_USED,
				     .op = &IAM_GET_ACCESS_KEY_LAST_USED,
				     .name_param = "AccessKeyId",
				     .found = use_found };
	enum rc rc = load_users(s, &users, err);

	need_users(s);
	if (rc == RC_OK)
		rc = work_run(s, &users, &list, err);
	name_by_key(&unknown);
	return rc == RC_OK ? work_run(s, &unknown, &use, err) : rc;
}
