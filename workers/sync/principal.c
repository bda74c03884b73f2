/* Items of IAM's listings into entities and edges. Reads members by AWS's own names; a member that is missing is an
 * attribute that is missing. Never calls AWS. */
#include "workers/sync/principal.h"
#include "base/mem.h"
#include "workers/sync/policy.h"
#include "workers/sync/trust.h"

#include <stdlib.h>

enum { PRINCIPAL_VERSIONS_MAX = 32 }; /* IAM keeps five */

/* What every listed thing of IAM has. */
static json_t *common(const json_t *item, const char *id_member)
{
	json_t *attrs = json_object();

	json_set_text(attrs, "path", json_str(item, "Path"));
	json_set_text(attrs, "unique_id", json_str(item, id_member));
	emit_time(attrs, "created", json_str(item, "CreateDate"));
	emit_tags(attrs, json_object_get(item, "Tags"));
	return attrs;
}

static enum rc put(struct sync *s, const char *kind, const char *part, const json_t *item,
		   const char *name_member, const char *id_member, json_t *attrs, struct err *err)
{
	char born[EMIT_TIME_MAX];
	const struct emit_entity e = { .kind = kind,
				       .part = part,
				       .key = json_str(item, "Arn"),
				       .name = json_str(item, name_member),
				       .incarnation = json_str(item, id_member),
				       .born = emit_time_text(json_str(item, "CreateDate"), born) };

	return emit_entity(&s->emit, &e, attrs, err);
}

static enum rc policy_edge(struct sync *s, const struct principal *p, const char *kind,
			   struct str arn, struct err *err)
{
	struct id policy;
	enum rc rc;

	if (arn.n == 0)
		return RC_OK;
	rc = emit_arn_stub(&s->emit, arn, &policy, err);
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	return emit_edge(&s->emit, p->part, kind, p->id, policy, S(""), NULL, err);
}

enum rc principal_attached(struct sync *s, const struct principal *p, const json_t *list,
			   struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, item) {
		if (rc == RC_OK)
			rc = policy_edge(s, p, "has_policy", json_str(item, "PolicyArn"), err);
	}
	return rc;
}

enum rc principal_inline(struct sync *s, const struct principal *p, const json_t *item,
			 struct err *err)
{
	AUTO(policy) struct policy document = { .json = NULL };
	struct str name = json_str(item, "PolicyName");
	AUTO_TEXT char *key = mem_text("%.*s#inline/%.*s", STR_FMT(p->arn), STR_FMT(name));
	json_t *attrs = NULL;
	/* No incarnation: putting a new document under the same name is a change, not another policy. */
	struct emit_entity e = { .kind = "aws.inline_policy",
				 .part = p->part,
				 .key = str_c(key),
				 .name = name,
				 .loose = true };
	enum rc rc = policy_read(s->stage, json_str(item, "PolicyDocument"), &document, err);

	if (rc != RC_OK)
		return rc;
	attrs = json_object();
	policy_attrs(attrs, "document", &document);
	json_set_text(attrs, "principal", p->arn);
	rc = emit_entity(&s->emit, &e, attrs, err);
	if (rc != RC_OK)
		return rc;
	return emit_edge(&s->emit, p->part, "has_inline", p->id, emit_id(&s->emit, e.kind, e.key),
			 name, NULL, err);
}

static enum rc policies(struct sync *s, const struct principal *p, const json_t *item,
			const char *inline_member, struct err *err)
{
	json_t *inline_list = json_object_get(item, inline_member), *one;
	size_t i;
	enum rc rc =
		principal_attached(s, p, json_object_get(item, "AttachedManagedPolicies"), err);

	if (rc == RC_OK)
		rc = policy_edge(s, p, "bounded_by",
				 json_str(json_object_get(item, "PermissionsBoundary"),
					  "PermissionsBoundaryArn"),
				 err);
	json_array_foreach (inline_list, i, one) {
		if (rc == RC_OK)
			rc = principal_inline(s, p, one, err);
	}
	return rc;
}

enum rc principal_member(struct sync *s, struct id user, struct id group, const char *part,
			 struct err *err)
{
	return emit_edge(&s->emit, part, "member_of", user, group, S(""), NULL, err);
}

/* GroupList holds names; the groups' ARNs come from the same listing, maybe on a later page. */
static enum rc memberships(struct sync *s, const struct principal *p, const json_t *names,
			   struct err *err)
{
	json_t *name;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (names, i, name) {
		const struct stage_link link = {
			.known = p->id,
			.known_is_src = true,
			.kind = "member_of",
			.part = p->part,
			.want_kind = "aws.iam_group",
			.want_name = str_n(json_string_value(name), json_string_length(name)),
		};

		if (rc == RC_OK && json_is_string(name))
			rc = stage_put_link(s->stage, &link, err);
	}
	return rc;
}

enum rc principal_user(struct sync *s, const json_t *item, struct err *err)
{
	const struct principal p = { .id = emit_id(&s->emit, "aws.iam_user", json_str(item, "Arn")),
				     .part = part_name(PART_USERS),
				     .arn = json_str(item, "Arn") };
	enum rc rc = put(s, "aws.iam_user", p.part, item, "UserName", "UserId",
			 common(item, "UserId"), err);

	if (rc == RC_OK)
		rc = memberships(s, &p, json_object_get(item, "GroupList"), err);
	return rc == RC_OK ? policies(s, &p, item, "UserPolicyList", err) : rc;
}

enum rc principal_group(struct sync *s, const json_t *item, struct err *err)
{
	const struct principal p = { .id = emit_id(&s->emit, "aws.iam_group",
						   json_str(item, "Arn")),
				     .part = part_name(PART_GROUPS),
				     .arn = json_str(item, "Arn") };
	enum rc rc = put(s, "aws.iam_group", p.part, item, "GroupName", "GroupId",
			 common(item, "GroupId"), err);

	return rc == RC_OK ? policies(s, &p, item, "GroupPolicyList", err) : rc;
}

/* AWSReservedSSO_{permission set}_{16 hex}: the set's name; empty = not such a role. */
static struct str reserved_set(struct str path, struct str name)
{
	enum { SUFFIX = 17 };
	struct str prefix = S("AWSReservedSSO_");

	if (!str_starts(path, S("/aws-reserved/sso.amazonaws.com/")) || !str_starts(name, prefix) ||
	    name.n <= prefix.n + SUFFIX)
		return S("");
	return str_sub(name, prefix.n, name.n - prefix.n - SUFFIX);
}

static json_t *role_attrs(const json_t *item)
{
	json_t *attrs = common(item, "RoleId"), *used = json_object_get(item, "RoleLastUsed");
	struct str path = json_str(item, "Path");

	if (json_str(used, "LastUsedDate").n > 0) {
		json_t *last = json_object();

		emit_time(last, "date", json_str(used, "LastUsedDate"));
		json_set_text(last, "region", json_str(used, "Region"));
		json_object_set_new(attrs, "last_used", last);
	}
	if (str_starts(path, S("/aws-service-role/")))
		json_object_set_new(attrs, "service_linked", json_true());
	json_set_text(attrs, "sso_permission_set", reserved_set(path, json_str(item, "RoleName")));
	return attrs;
}

static enum rc profiles(struct sync *s, const json_t *list, struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, item) {
		if (rc == RC_OK)
			rc = principal_profile(s, item, err);
	}
	return rc;
}

enum rc principal_role(struct sync *s, const json_t *item, struct err *err)
{
	AUTO(policy) struct policy trust = { .json = NULL };
	const struct principal p = { .id = emit_id(&s->emit, "aws.iam_role", json_str(item, "Arn")),
				     .part = part_name(PART_ROLES),
				     .arn = json_str(item, "Arn") };
	json_t *attrs = NULL;
	enum rc rc = policy_read(s->stage, json_str(item, "AssumeRolePolicyDocument"), &trust, err);

	if (rc != RC_OK)
		return rc;
	attrs = role_attrs(item);
	policy_attrs(attrs, "trust_document", &trust);
	rc = put(s, "aws.iam_role", p.part, item, "RoleName", "RoleId", attrs, err);
	if (rc == RC_OK)
		rc = trust_emit(&s->emit, p.id, &trust, err);
	if (rc == RC_OK)
		rc = profiles(s, json_object_get(item, "InstanceProfileList"), err);
	return rc == RC_OK ? policies(s, &p, item, "RolePolicyList", err) : rc;
}

enum rc principal_profile(struct sync *s, const json_t *item, struct err *err)
{
	const char *part = part_name(PART_INSTANCE_PROFILES);
	struct id id = emit_id(&s->emit, "aws.instance_profile", json_str(item, "Arn"));
	json_t *role;
	size_t i;
	enum rc rc = put(s, "aws.instance_profile", part, item, "InstanceProfileName",
			 "InstanceProfileId", common(item, "InstanceProfileId"), err);

	json_array_foreach (json_object_get(item, "Roles"), i, role) {
		struct id to = { { 0 } };

		if (rc == RC_OK)
			rc = emit_arn_stub(&s->emit, json_str(role, "Arn"), &to, err);
		if (rc == RC_OK)
			rc = emit_edge(&s->emit, part, "profile_role", id, to, S(""), NULL, err);
		if (rc == RC_NOT_FOUND)
			rc = RC_OK;
	}
	return rc;
}

/* "v12" before "v3": newest first, whichever call the list came from. */
static int version_order(const void *a, const void *b)
{
	int64_t one = 0, two = 0;
	struct str x = json_str(*(json_t *const *)a, "version_id");
	struct str y = json_str(*(json_t *const *)b, "version_id");

	if (!str_to_i64(str_sub(x, 1, x.n), &one) || !str_to_i64(str_sub(y, 1, y.n), &two))
		return str_cmp(y, x);
	return (one < two) - (one > two);
}

static json_t *newest_first(const json_t *list)
{
	json_t *sort[PRINCIPAL_VERSIONS_MAX], *out = json_array(), *v;
	size_t i, n = 0;

	json_array_foreach (list, i, v) {
		if (n < COUNT_OF(sort))
			sort[n++] = v;
	}
	qsort(sort, n, sizeof(sort[0]), version_order);
	for (i = 0; i < n; i++)
		json_array_append(out, sort[i]);
	return out;
}

static enum rc versions(struct sync *s, const json_t *list, json_t *attrs, struct err *err)
{
	AUTO_JSON json_t *out = json_array();
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, item) {
		AUTO(policy) struct policy document = { .json = NULL };
		json_t *version = NULL;

		if (rc == RC_OK)
			rc = policy_read(s->stage, json_str(item, "Document"), &document, err);
		if (rc != RC_OK)
			continue;
		version = json_object();
		json_set_text(version, "version_id", json_str(item, "VersionId"));
		emit_flag(version, "is_default", json_str(item, "IsDefaultVersion"));
		emit_time(version, "created", json_str(item, "CreateDate"));
		policy_attrs(version, "document", &document);
		json_array_append_new(out, version);
		if (!str_eq_nocase(json_str(item, "IsDefaultVersion"), S("true")))
			continue;
		policy_attrs(attrs, "document", &document);
		json_set_text(attrs, "document_version", json_str(item, "VersionId"));
	}
	json_object_set_new(attrs, "versions", newest_first(out));
	return rc;
}

enum rc principal_policy(struct sync *s, const json_t *item, struct err *err)
{
	AUTO_JSON json_t *attrs = common(item, "PolicyId");
	enum rc rc;

	json_set_text(attrs, "default_version_id", json_str(item, "DefaultVersionId"));
	json_set_text(attrs, "description", json_str(item, "Description"));
	emit_time(attrs, "updated", json_str(item, "UpdateDate"));
	emit_int(attrs, "attachment_count", json_str(item, "AttachmentCount"));
	emit_int(attrs, "boundary_usage_count", json_str(item, "PermissionsBoundaryUsageCount"));
	emit_flag(attrs, "is_attachable", json_str(item, "IsAttachable"));
	/* Without the list the versions are not "none" but unread; the merge keeps what was known. */
	rc = json_object_get(item, "PolicyVersionList")
		     ? versions(s, json_object_get(item, "PolicyVersionList"), attrs, err)
		     : RC_OK;
	if (rc != RC_OK)
		return rc;
	return put(s, "aws.iam_policy", part_name(PART_POLICIES), item, "PolicyName", "PolicyId",
		   json_incref(attrs), err);
}
