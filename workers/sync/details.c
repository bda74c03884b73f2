/* Users, groups, roles and customer policies: account details in three passes, with what they leave out taken from ListUsers
 * and ListRoles. Denied details hand over to fallback.c. Each page goes to the stage as it comes. */
#include "aws/iam.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/principal.h"

#include <stdio.h>

static enum rc each_item(struct sync *s, json_t *reply, const char *member, enum part_id part,
			 enum rc (*item)(struct sync *, const json_t *, struct err *),
			 struct err *err)
{
	json_t *list = json_object_get(reply, member), *one;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, one) {
		if (rc != RC_OK || json_str(one, "Arn").n == 0)
			continue;
		sync_part(s, part)->items++;
		rc = item(s, one, err);
	}
	return rc;
}

static enum rc extra(struct sync *s, const json_t *item, const char *kind, enum part_id part,
		     const char *name_member, json_t *attrs, struct err *err)
{
	char born[EMIT_TIME_MAX];
	const struct emit_entity e = { .kind = kind,
				       .part = part_name(part),
				       .key = json_str(item, "Arn"),
				       .name = json_str(item, name_member),
				       .born = emit_time_text(json_str(item, "CreateDate"), born),
				       .rank = STAGE_EXTRA };

	return emit_entity(&s->emit, &e, attrs, err);
}

static enum rc user_extra(struct sync *s, const json_t *item, struct err *err)
{
	json_t *attrs = json_object();

	emit_time(attrs, "password_last_used", json_str(item, "PasswordLastUsed"));
	return extra(s, item, "aws.iam_user", PART_USER_DETAILS, "UserName", attrs, err);
}

static enum rc role_extra(struct sync *s, const json_t *item, struct err *err)
{
	json_t *attrs = json_object();

	json_set_text(attrs, "description", json_str(item, "Description"));
	emit_int(attrs, "max_session_duration", json_str(item, "MaxSessionDuration"));
	return extra(s, item, "aws.iam_role", PART_ROLE_DETAILS, "RoleName", attrs, err);
}

static enum rc users_page(void *arg, json_t *reply, struct err *err)
{
	return each_item(arg, reply, "Users", PART_USER_DETAILS, user_extra, err);
}

static enum rc roles_page(void *arg, json_t *reply, struct err *err)
{
	return each_item(arg, reply, "Roles", PART_ROLE_DETAILS, role_extra, err);
}

static enum rc details_page(void *arg, json_t *reply, struct err *err)
{
	struct sync *s = arg;
	enum rc rc = each_item(s, reply, "UserDetailList", PART_USERS, principal_user, err);

	if (rc == RC_OK)
		rc = each_item(s, reply, "GroupDetailList", PART_GROUPS, principal_group, err);
	if (rc == RC_OK)
		rc = each_item(s, reply, "RoleDetailList", PART_ROLES, principal_role, err);
	if (rc == RC_OK)
		rc = each_item(s, reply, "Policies", PART_POLICIES, principal_policy, err);
	return rc;
}

/* One pass decides up to two parts: users and groups come in one listing and share its fate. */
struct pass {
	enum part_id part, also;
	const char *filters[2];
};
static const struct pass PASSES[] = {
	{ PART_USERS, PART_GROUPS, { "User", "Group" } },
	{ PART_ROLES, PART_ROLES, { "Role", NULL } },
	{ PART_POLICIES, PART_POLICIES, { "LocalManagedPolicy", NULL } },
};

static enum rc run_pass(struct sync *s, const struct pass *pass, struct aws_fault *ret_fault,
			struct err *err)
{
	AUTO_JSON json_t *params = json_object();
	json_t *filters = json_array();
	enum rc rc;

	json_object_set_new(params, "Filter", filters);
	for (size_t i = 0; i < COUNT_OF(pass->filters) && pass->filters[i]; i++)
		json_array_append_new(filters, json_string(pass->filters[i]));
	rc = sync_pages(s, pass->part, &IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS, params, details_page,
			ret_fault, err);
	if (rc == RC_OK && ret_fault->class != AWS_OK && pass->also != pass->part)
		part_fault(sync_part(s, pass->also), pass->also, ret_fault);
	return rc;
}

static enum rc passes(struct sync *s, bool *ret_denied, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < COUNT_OF(PASSES) && !*ret_denied; i++) {
		struct aws_fault fault = { .class = AWS_OK };

		rc = run_pass(s, &PASSES[i], &fault, err);
		/* Only a denial of the first page of the first pass means that the action is missing as such. */
		*ret_denied = rc == RC_OK && i == 0 && fault.class == AWS_DENIED &&
			      sync_part(s, PART_USERS)->items == 0 &&
			      sync_part(s, PART_GROUPS)->items == 0;
	}
	return rc;
}

static enum rc resolve_link(struct sync *s, const struct db_rows *rows, int i, struct err *err)
{
	AUTO_JSON json_t *attrs = db_rows_json(rows, i, "attrs");
	struct id known = db_rows_id(rows, i, "known_id"), other = db_rows_id(rows, i, "found_id");
	struct str key = db_rows_text(rows, i, "otherwise");
	bool src = db_rows_bool(rows, i, "known_is_src");
	struct edge_names {
		char part[32], kind[32];
	} names;
	enum rc rc = RC_OK;

	if (db_rows_is_null(rows, i, "found_id")) {
		/* A name that no listing explains proves nothing: what was known stays. */
		if (key.n == 0)
			part_say(sync_part(s, PART_USERS), PART_USERS, PART_PARTIAL,
				 "group_not_listed", "A user is in a group that AWS did not list");
		if (key.n == 0 || sync_part(s, PART_ROLES)->fault.class != AWS_OK)
			return RC_OK;
		rc = emit_stub(&s->emit, "aws.principal_unresolved", key, key,
			       str_c(s->emit.account), &other, err);
	}
	snprintf(names.part, sizeof(names.part), "%.*s", STR_FMT(db_rows_text(rows, i, "part")));
	snprintf(names.kind, sizeof(names.kind), "%.*s", STR_FMT(db_rows_text(rows, i, "kind")));
	if (rc != RC_OK)
		return rc;
	return emit_edge(&s->emit, names.part, names.kind, src ? known : other, src ? other : known,
			 db_rows_text(rows, i, "qualifier"), attrs, err);
}

static enum rc resolve_links(struct sync *s, struct err *err)
{
	int64_t after = 0;
	enum rc rc = stage_flush(s->stage, err);
	int n = 1;

	while (rc == RC_OK && n > 0) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = stage_read_links(s->run->db, after, &rows, err);
		n = db_rows_count(rows);
		for (int i = 0; rc == RC_OK && i < n; i++) {
			after = db_rows_i64(rows, i, "ord");
			rc = resolve_link(s, rows, i, err);
		}
	}
	return rc;
}

enum rc details_collect(struct sync *s, struct err *err)
{
	bool denied = false;
	enum rc rc = sync_pages(s, PART_USER_DETAILS, &IAM_LIST_USERS, NULL, users_page, NULL, err);

	if (rc == RC_OK)
		rc = sync_pages(s, PART_ROLE_DETAILS, &IAM_LIST_ROLES, NULL, roles_page, NULL, err);
	if (rc == RC_OK)
		rc = passes(s, &denied, err);
	if (rc == RC_OK && denied)
		rc = fallback_collect(s, err);
	return rc == RC_OK ? resolve_links(s, err) : rc;
}
