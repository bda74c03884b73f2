/* The identities of an account that denies account details: the plain listings, then a few calls a principal. The same
 * functions make the same graph from it. Slow (4 to 6 calls a principal), and so used for nothing else. */
#include "aws/iam.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/principal.h"
#include "workers/sync/work.h"

enum { FALLBACK_POLICIES = 100 }; /* policies whose versions are in memory at once */

/* Which calls a kind of principal takes. */
struct kind {
	enum part_id part;
	const char *name_param;
	const struct aws_op *attached, *inline_names, *inline_get;
};
static const struct kind USERS = { PART_USERS, "UserName", &IAM_LIST_ATTACHED_USER_POLICIES,
				   &IAM_LIST_USER_POLICIES, &IAM_GET_USER_POLICY };
static const struct kind GROUPS = { PART_GROUPS, "GroupName", &IAM_LIST_ATTACHED_GROUP_POLICIES,
				    &IAM_LIST_GROUP_POLICIES, &IAM_GET_GROUP_POLICY };
static const struct kind ROLES = { PART_ROLES, "RoleName", &IAM_LIST_ATTACHED_ROLE_POLICIES,
				   &IAM_LIST_ROLE_POLICIES, &IAM_GET_ROLE_POLICY };

static struct principal principal_of(const struct work_item *item)
{
	return (struct principal){ .id = item->id, .part = item->part, .arn = str_c(item->arn) };
}

static enum rc attached_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			      struct err *err)
{
	const struct principal p = principal_of(item);

	(void)arg;
	return principal_attached(s, &p, json_object_get(reply, "AttachedPolicies"), err);
}

static enum rc names_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			   struct err *err)
{
	json_t *name;
	size_t i;
	enum rc rc = RC_OK;

	(void)s;
	json_array_foreach (json_object_get(reply, "PolicyNames"), i, name) {
		if (rc == RC_OK && json_is_string(name))
			rc = work_add(arg, item->id, str_c(item->arn), str_c(item->name),
				      str_c(json_string_value(name)), item->part, err);
	}
	return rc;
}

static enum rc inline_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			    struct err *err)
{
	const struct principal p = principal_of(item);

	(void)arg;
	return principal_inline(s, &p, reply, err);
}

/* Attached and inline policies of every principal in w. */
static enum rc policies_of(struct sync *s, struct work *w, const struct kind *kind, struct err *err)
{
	AUTO(work) struct work inlines = { .n = 0 };
	struct work_op op = { .part = kind->part,
			      .op = kind->attached,
			      .name_param = kind->name_param,
			      .found = attached_found };
	enum rc rc = work_run(s, w, &op, err);

	op.op = kind->inline_names;
	op.found = names_found;
	op.arg = &inlines;
	if (rc == RC_OK)
		rc = work_run(s, w, &op, err);
	op.op = kind->inline_get;
	op.extra_param = "PolicyName";
	op.found = inline_found;
	op.arg = NULL;
	return rc == RC_OK ? work_run(s, &inlines, &op, err) : rc;
}

static enum rc staged_names(struct sync *s, struct work *w, const char *kind, enum part_id listed,
			    enum part_id part, struct err *err)
{
	struct id last = { { 0 } };
	enum rc rc = stage_flush(s->stage, err);
	int n = STAGE_READ_BATCH;

	while (rc == RC_OK && n == STAGE_READ_BATCH) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = stage_read_names(s->run->db, kind, part_name(listed), last, &rows, err);
		n = db_rows_count(rows);
		if (rc == RC_OK)
			rc = work_add_rows(w, rows, "key", part_name(part), &last, err);
	}
	return rc;
}

/* The part begins anew: the denial of account details is not its fault any more, but an incomplete listing of names is. */
static void restart(struct sync *s, enum part_id part, enum part_id listed)
{
	struct part *p = sync_part(s, part);
	struct aws_tally tally = p->tally;

	*p = (struct part){ .via = "fallback", .tally = tally };
	if (sync_part(s, listed)->fault.class != AWS_OK)
		part_fault(p, part, &sync_part(s, listed)->fault);
}

/* An answer that does not say whom it is about counts as none. */
static bool is_nobody(struct sync *s, enum part_id part, const struct aws_op *op,
		      const json_t *item)
{
	const struct aws_fault fault = { .class = AWS_TRANSIENT,
					 .code = "reply_without_arn",
					 .message = "the answer names no ARN",
					 .op = op };

	if (json_str(item, "Arn").n > 0)
		return false;
	part_object_fault(sync_part(s, part), &fault);
	return true;
}

static enum rc user_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			  struct err *err)
{
	const json_t *user = json_object_get(reply, "User");

	(void)item;
	(void)arg;
	if (is_nobody(s, PART_USERS, &IAM_GET_USER, user))
		return RC_OK;
	sync_part(s, PART_USERS)->items++;
	return principal_user(s, user, err);
}

static enum rc role_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			  struct err *err)
{
	const json_t *role = json_object_get(reply, "Role");

	(void)item;
	(void)arg;
	if (is_nobody(s, PART_ROLES, &IAM_GET_ROLE, role))
		return RC_OK;
	sync_part(s, PART_ROLES)->items++;
	return principal_role(s, role, err);
}

static enum rc members_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			     struct err *err)
{
	json_t *user;
	size_t i;
	enum rc rc = RC_OK;

	(void)arg;
	json_array_foreach (json_object_get(reply, "Users"), i, user) {
		struct id id = { { 0 } };

		if (rc != RC_OK || is_nobody(s, PART_USERS, &IAM_GET_GROUP, user))
			continue;
		rc = emit_arn_stub(&s->emit, json_str(user, "Arn"), &id, err);
		if (rc == RC_OK)
			rc = principal_member(s, id, item->id, part_name(PART_USERS), err);
		if (rc == RC_NOT_FOUND)
			rc = RC_OK;
	}
	return rc;
}

static enum rc users(struct sync *s, struct err *err)
{
	AUTO(work) struct work w = { .n = 0 };
	const struct work_op get = { .part = PART_USERS,
				     .op = &IAM_GET_USER,
				     .name_param = "UserName",
				     .found = user_found };
	enum rc rc;

	restart(s, PART_USERS, PART_USER_DETAILS);
	rc = staged_names(s, &w, "aws.iam_user", PART_USER_DETAILS, PART_USERS, err);
	if (rc == RC_OK)
		rc = work_run(s, &w, &get, err);
	return rc == RC_OK ? policies_of(s, &w, &USERS, err) : rc;
}

static enum rc roles(struct sync *s, struct err *err)
{
	AUTO(work) struct work w = { .n = 0 };
	const struct work_op get = { .part = PART_ROLES,
				     .op = &IAM_GET_ROLE,
				     .name_param = "RoleName",
				     .found = role_found };
	enum rc rc;

	restart(s, PART_ROLES, PART_ROLE_DETAILS);
	rc = staged_names(s, &w, "aws.iam_role", PART_ROLE_DETAILS, PART_ROLES, err);
	if (rc == RC_OK)
		rc = work_run(s, &w, &get, err);
	return rc == RC_OK ? policies_of(s, &w, &ROLES, err) : rc;
}

static enum rc groups_page(void *arg, json_t *reply, struct err *err)
{
	struct sync *s = arg;
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "Groups"), i, item) {
		if (rc != RC_OK || json_str(item, "Arn").n == 0)
			continue;
		sync_part(s, PART_GROUPS)->items++;
		rc = principal_group(s, item, err);
	}
	return rc;
}

static enum rc groups(struct sync *s, struct err *err)
{
	AUTO(work) struct work w = { .n = 0 };
	const struct work_op members = { .part = PART_USERS,
					 .op = &IAM_GET_GROUP,
					 .name_param = "GroupName",
					 .found = members_found };
	struct aws_fault fault = { .class = AWS_OK };
	enum rc rc;

	restart(s, PART_GROUPS, PART_GROUPS);
	rc = sync_pages(s, PART_GROUPS, &IAM_LIST_GROUPS, NULL, groups_page, &fault, err);
	if (rc == RC_OK && fault.class != AWS_OK)
		part_object_fault(sync_part(s, PART_USERS),
				  &fault); /* their memberships are unknown */
	if (rc == RC_OK)
		rc = staged_names(s, &w, "aws.iam_group", PART_GROUPS, PART_GROUPS, err);
	if (rc == RC_OK)
		rc = work_run(s, &w, &members, err);
	return rc == RC_OK ? policies_of(s, &w, &GROUPS, err) : rc;
}

/* A batch of customer policies: items by position, their versions gathered until all are there. */
struct batch {
	json_t *items[FALLBACK_POLICIES];
	size_t n;
};

static void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->items[i]);
	b->n = 0;
}
DEFINE_AUTO_VALUE(batch, batch_done)

static json_t *batch_find(const struct batch *b, const char *arn)
{
	for (size_t i = 0; i < b->n; i++) {
		if (str_eq(json_str(b->items[i], "Arn"), str_c(arn)))
			return b->items[i];
	}
	return NULL;
}

/* How many versions AWS listed, noted in the item itself. */
static const char EXPECTED[] = "connectord:versions";

struct gathering {
	struct batch *batch;
	struct work *versions;
};

static enum rc versions_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			      struct err *err)
{
	struct gathering *g = arg;
	json_t *policy = batch_find(g->batch, item->arn), *version;
	size_t i;
	enum rc rc = RC_OK;

	(void)s;
	json_array_foreach (json_object_get(reply, "Versions"), i, version) {
		if (rc == RC_OK)
			rc = work_add(g->versions, item->id, str_c(item->arn), str_c(item->name),
				      json_str(version, "VersionId"), item->part, err);
		if (policy)
			json_object_set_new(policy, EXPECTED,
					    json_integer(json_i64(policy, EXPECTED, 0) + 1));
	}
	return rc;
}

static enum rc version_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			     struct err *err)
{
	struct gathering *g = arg;
	json_t *policy = batch_find(g->batch, item->arn), *list, *version;

	(void)s;
	(void)err;
	version = json_object_get(reply, "PolicyVersion");
	if (!policy || !version)
		return RC_OK;
	list = json_object_get(policy, "PolicyVersionList");
	if (!list) {
		list = json_array();
		json_object_set_new(policy, "PolicyVersionList", list);
	}
	json_array_append(list, version);
	return RC_OK;
}

/* A list that lacks a version would say that the version does not exist. */
static void drop_if_short(json_t *policy)
{
	const json_t *list = json_object_get(policy, "PolicyVersionList");

	if (list && (json_int_t)json_array_size(list) != json_i64(policy, EXPECTED, 0))
		json_object_del(policy, "PolicyVersionList");
}

static enum rc emit_batch(struct sync *s, struct batch *b, struct err *err)
{
	AUTO(work) struct work policies = { .n = 0 };
	AUTO(work) struct work versions = { .n = 0 };
	struct gathering g = { .batch = b, .versions = &versions };
	struct work_op op = { .part = PART_POLICIES,
			      .op = &IAM_LIST_POLICY_VERSIONS,
			      .name_param = "PolicyArn",
			      .by_arn = true,
			      .found = versions_found,
			      .arg = &g };
	const struct id none = { { 0 } };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		rc = work_add(&policies, none, json_str(b->items[i], "Arn"), S(""), S(""),
			      "policies", err);
	if (rc == RC_OK)
		rc = work_run(s, &policies, &op, err);
	op.op = &IAM_GET_POLICY_VERSION;
	op.extra_param = "VersionId";
	op.must_exist = true; /* a short list of versions is not the list */
	op.found = version_found;
	if (rc == RC_OK)
		rc = work_run(s, &versions, &op, err);
	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		drop_if_short(b->items[i]);
		rc = principal_policy(s, b->items[i], err);
	}
	return rc;
}

/* A page's items are kept until the listing is over: calls inside a page would hold the listing's token too long. */
struct policy_list {
	struct sync *s;
	json_t *items;
};

static enum rc policies_page(void *arg, json_t *reply, struct err *err)
{
	struct policy_list *l = arg;

	(void)err;
	json_array_extend(l->items, json_object_get(reply, "Policies"));
	return RC_OK;
}

static enum rc policies(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *params = json_pack("{s:s}", "Scope", "Local");
	AUTO_JSON json_t *items = json_array();
	struct policy_list l = { .s = s, .items = items };
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	restart(s, PART_POLICIES, PART_POLICIES);
	if (s->dead) {
		part_fault(sync_part(s, PART_POLICIES), PART_POLICIES, &s->dead_fault);
		return RC_OK;
	}
	rc = aws_pages(s->run->client, &s->target, &IAM_LIST_POLICIES, params, policies_page, &l,
		       &fault, &tally, &own);
	rc = sync_after(s, PART_POLICIES, rc, &tally, &fault, &own, err);
	if (rc == RC_OK && fault.class != AWS_OK)
		part_fault(sync_part(s, PART_POLICIES), PART_POLICIES, &fault);
	sync_part(s, PART_POLICIES)->items = (int64_t)json_array_size(items);
	for (size_t i = 0; rc == RC_OK && i < json_array_size(items); i += FALLBACK_POLICIES) {
		AUTO(batch) struct batch b = { .n = 0 };

		while (b.n < FALLBACK_POLICIES && i + b.n < json_array_size(items)) {
			b.items[b.n] = json_incref(json_array_get(items, i + b.n));
			b.n++;
		}
		rc = emit_batch(s, &b, err);
	}
	return rc;
}

enum rc fallback_collect(struct sync *s, struct err *err)
{
	enum rc rc = users(s, err);

	if (rc == RC_OK)
		rc = groups(s, err);
	if (rc == RC_OK)
		rc = roles(s, err);
	return rc == RC_OK ? policies(s, err) : rc;
}
