/* The fields of a connection: defaults, and rules between fields.
 * Never asks AWS whether something exists: only spelling and agreement are judged here. */
#include "api/connection_fields.h"
#include "api/schedule_fields.h"
#include "base/awsname.h"

/* Which members go with which method; the secret never stays behind from another key. null is no
 * value: credentials have no default to go back to. */
static void judge_auth(const struct body_new_auth *in, struct problem *p)
{
	bool role = str_eq(in->method.s, S("assume_role"));

	if (in->method.state != FIELDS_SET)
		return;
	if (role && in->role_arn.state != FIELDS_SET)
		problem_field(p, "/auth/role_arn", "required", "assume_role needs the role's ARN.");
	if (role && in->access_key_id.state != FIELDS_ABSENT)
		problem_field(p, "/auth/access_key_id", "not_with_method",
			      "assume_role has no access key.");
	if (role && in->secret_access_key.state != FIELDS_ABSENT)
		problem_field(p, "/auth/secret_access_key", "not_with_method",
			      "assume_role has no secret.");
	if (!role && in->role_arn.state != FIELDS_ABSENT)
		problem_field(p, "/auth/role_arn", "not_with_method", "access_key has no role.");
	if (!role && in->access_key_id.state != FIELDS_SET)
		problem_field(p, "/auth/access_key_id", "required",
			      "access_key needs the ID of the key.");
	if (!role && in->secret_access_key.state != FIELDS_SET)
		problem_field(p, "/auth/secret_access_key", "required",
			      "access_key needs the secret of the key.");
}

/* Takes what was set over what *v holds; null goes back to the default. */
static void apply_text(struct str *to, const struct fields_text *from, struct str otherwise)
{
	if (from->state == FIELDS_SET)
		*to = from->s;
	else if (from->state == FIELDS_NULL)
		*to = otherwise;
}

static void apply_number(int64_t *to, const struct fields_number *from, int64_t otherwise)
{
	if (from->state == FIELDS_SET)
		*to = from->n;
	else if (from->state == FIELDS_NULL)
		*to = otherwise;
}

static void apply(struct connection_values *v, const struct body_connection_patch *in,
		  struct problem *p)
{
	int64_t paused = v->paused;

	apply_text(&v->name, &in->name, v->name);
	apply_text(&v->authoritative_status, &in->authoritative_status, v->authoritative_status);
	apply_text(&v->region, &in->region, v->region);
	if (in->auth.state == FIELDS_SET) {
		v->auth_method = in->auth.method.s;
		v->role_arn = in->auth.role_arn.s;
		v->access_key_id = in->auth.access_key_id.s;
	}
	if (in->cloudtrail.state == FIELDS_NULL) {
		v->cloudtrail_bucket = S("");
		v->cloudtrail_days = CONNECTION_FIELDS_DAYS;
		v->cloudtrail_digest_prefix = S("AWSLogs");
	}
	apply_text(&v->cloudtrail_bucket, &in->cloudtrail.bucket, S(""));
	apply_text(&v->cloudtrail_digest_prefix, &in->cloudtrail.digest_prefix, S("AWSLogs"));
	apply_number(&v->cloudtrail_days, &in->cloudtrail.days, CONNECTION_FIELDS_DAYS);
	schedule_fields_apply(&v->schedule, &in->schedule, CONNECTION_FIELDS_EVERY_S, "/schedule",
			      p);
	apply_number(&paused, &in->paused, 0);
	v->paused = paused != 0;
}

/* A new connection is a patch over the defaults. */
static struct body_connection_patch as_patch(const struct body_new_connection *n)
{
	return (struct body_connection_patch){
		.name = n->name,
		.authoritative_status = n->authoritative_status,
		.region = n->region,
		.auth = n->auth,
		.cloudtrail = { .state = n->cloudtrail.state,
				.bucket = n->cloudtrail.bucket,
				.days = n->cloudtrail.days,
				.digest_prefix = n->cloudtrail.digest_prefix },
		.schedule = { .state = n->schedule.state,
			      .every = n->schedule.every,
			      .cron = n->schedule.cron,
			      .time_zone = n->schedule.time_zone,
			      .jitter = n->schedule.jitter,
			      .overlap = n->schedule.overlap,
			      .catch_up_window = n->schedule.catch_up_window },
		.paused = n->paused,
	};
}

static bool take_new(const struct body_new_connection *sent, const json_t *tree,
		     struct body_connection_patch *in, struct connection_values *ret,
		     struct problem *p)
{
	*in = as_patch(sent);
	*ret = (struct connection_values){ .cloudtrail_days = CONNECTION_FIELDS_DAYS,
					   .cloudtrail_digest_prefix = S("AWSLogs"),
					   .schedule = schedule_plan_defaults() };
	ret->schedule.every_s = CONNECTION_FIELDS_EVERY_S;
	apply(ret, in, p);
	ret->aws_account_id = sent->aws_account_id.s;
	ret->aws_organization_id = sent->aws_organization_id.s;
	judge_auth(&in->auth, p);
	if (!json_object_get(tree, "aws_account_id") &&
	    !json_object_get(tree, "aws_organization_id"))
		problem_field(p, "/aws_account_id", "required",
			      "Either aws_account_id or aws_organization_id is required.");
	if (json_object_get(tree, "aws_account_id") && json_object_get(tree, "aws_organization_id"))
		problem_field(p, "/aws_organization_id", "only_one",
			      "Only one of aws_account_id and aws_organization_id may be given.");
	return p->status == 0;
}

bool connection_fields_create(struct str body, struct body_connection_patch *in,
			      struct connection_values *ret, json_t **ret_tree, struct problem *p)
{
	struct body_new_connection sent = { 0 };

	if (!fields_read(body, FIELDS_CREATE, BODY_NEW_CONNECTION, &sent, ret_tree, p) &&
	    !*ret_tree)
		return false;
	return take_new(&sent, *ret_tree, in, ret, p);
}

bool connection_fields_item(const json_t *item, struct body_connection_patch *in,
			    struct connection_values *ret, struct problem *p)
{
	AUTO(problem) struct problem told = { 0 };
	struct body_new_connection sent = { 0 };

	(void)!fields_read_tree(item, "", FIELDS_CREATE, BODY_NEW_CONNECTION, &sent, &told);
	return take_new(&sent, item, in, ret, p);
}

static void name_changed(const json_t *tree, json_t *changed)
{
	void *it = NULL;
	json_t *members = json_incref((json_t *)(uintptr_t)tree);

	for (it = json_object_iter(members); it; it = json_object_iter_next(members, it))
		(void)json_array_append_new(changed, json_string(json_object_iter_key(it)));
	json_decref(members);
}

bool connection_fields_patch(struct str body, struct body_connection_patch *in,
			     struct connection_values *values, json_t **ret_tree,
			     json_t **ret_changed, struct problem *p)
{
	AUTO_JSON json_t *changed = json_array();

	if (!fields_read(body, FIELDS_PATCH, BODY_CONNECTION_PATCH, in, ret_tree, p) && !*ret_tree)
		return false;
	/* Credentials are replaced whole: a new key with an old secret is never meant. */
	if (in->auth.state == FIELDS_SET && in->auth.method.state != FIELDS_SET)
		problem_field(p, "/auth/method", "required", "auth is replaced as a whole.");
	judge_auth(&in->auth, p);
	apply(values, in, p);
	name_changed(*ret_tree, changed);
	*ret_changed = TAKE(changed);
	return p->status == 0;
}

/* A connection is one account's or one organization's for good: what was found belongs to it. */
static void judge_pins(struct str region_partition, const struct awsname_arn *arn,
		       const struct connection_known *known, struct problem *p)
{
	if (known->partition.n > 0 && !str_eq(known->partition, region_partition))
		problem_field(p, "/region", "partition_mismatch",
			      "The region is in another AWS partition than what was connected.");
	if (known->account.n > 0 && arn && !str_eq(known->account, arn->account))
		problem_field(p, "/auth/role_arn", "account_mismatch",
			      "The role is in another account than the one that was connected;"
			      " make a new connection for it.");
}

bool connection_fields_judge(const struct connection_values *v,
			     const struct connection_known *known, struct problem *p)
{
	const struct awsname_region *region = awsname_region(v->region);
	struct str partition = region ? str_c(region->partition->name) : S("");
	struct awsname_arn arn = { 0 };
	struct err err = { 0 };
	bool role = v->role_arn.n > 0 && awsname_role_check(v->role_arn, &arn, &err) == RC_OK;

	if (region)
		judge_pins(partition, role ? &arn : NULL, known, p);
	if (!role)
		return false;
	if (region && !str_eq(partition, arn.partition))
		problem_field(p, "/auth/role_arn", "partition_mismatch",
			      "The role is in another AWS partition than the region.");
	if (v->aws_account_id.n > 0 && !str_eq(v->aws_account_id, arn.account))
		problem_field(p, "/auth/role_arn", "account_mismatch",
			      "The role is in another account than aws_account_id.");
	return known->vendor.n > 0 && str_eq(arn.account, known->vendor);
}
