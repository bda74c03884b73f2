/* The fields of a connection: descriptors, defaults, and rules between fields.
 * Never asks AWS whether something exists: only spelling and agreement are judged here. */
#include "api/connection_fields.h"
#include "base/awsname.h"

#include <stddef.h>

enum { SECRET_KEY_BYTES = 40, PREFIX_MAX = 200, EVERY_MIN_S = 60, EVERY_MAX_S = 31536000 };

static enum rc check_account(struct str s, struct err *err)
{
	return awsname_is_account(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "invalid_account_id",
				 "An AWS account ID is a string of exactly 12 digits.");
}

static enum rc check_organization(struct str s, struct err *err)
{
	return awsname_is_organization(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "invalid_organization_id",
				 "An AWS Organization ID is o- and 10 to 32 of a-z and 0-9.");
}

static enum rc check_region(struct str s, struct err *err)
{
	return awsname_region(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "unknown_region",
				 "The region is not one that AWS has, such as us-east-1.");
}

static enum rc check_role(struct str s, struct err *err)
{
	struct awsname_arn arn = { 0 };

	return awsname_role_check(s, &arn, err);
}

static enum rc check_access_key(struct str s, struct err *err)
{
	if (str_starts(s, S("ASIA")))
		return err_set(err, RC_INVALID, "temporary_access_key",
			       "Keys that begin with ASIA are temporary; use a key of an IAM user "
			       "(AKIA).");
	return awsname_is_access_key(s) ? RC_OK
					: err_set(err, RC_INVALID, "invalid_access_key_id",
						  "An access key ID is AKIA and 12 to 124 capital "
						  "letters and digits.");
}

static bool is_base64(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '=';
}

static enum rc check_secret(struct str s, struct err *err)
{
	bool good = s.n == SECRET_KEY_BYTES;

	for (size_t i = 0; good && i < s.n; i++)
		good = is_base64(s.p[i]);
	return good ? RC_OK
		    : err_set(err, RC_INVALID, "invalid_secret_access_key",
			      "A secret access key has 40 letters, digits, + and /.");
}

static enum rc check_bucket(struct str s, struct err *err)
{
	return awsname_is_bucket(s) ? RC_OK
				    : err_set(err, RC_INVALID, "invalid_bucket",
					      "The value is not the name of an S3 bucket.");
}

/* The characters that S3 calls safe: they sign and fetch the same everywhere. */
static bool is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!-_.*'()/", c) != NULL);
}

static enum rc check_prefix(struct str s, struct err *err)
{
	struct str rest = s;
	bool good = s.n > 0 && s.n <= PREFIX_MAX && s.p[s.n - 1] != '/';

	for (size_t i = 0; good && i < s.n; i++)
		good = is_safe(s.p[i]);
	while (good && rest.n > 0) {
		struct str part = str_cut(&rest, '/');

		good = part.n > 0 && !str_eq(part, S(".")) && !str_eq(part, S(".."));
	}
	return good ? RC_OK
		    : err_set(err, RC_INVALID, "invalid_prefix",
			      "A prefix has up to %d letters, digits and !-_.*'() in parts between"
			      " single slashes, with no slash at either end.",
			      PREFIX_MAX);
}

#define AT(member)             .at = offsetof(struct connection_fields, member)
#define CHECKED(key, to, test) .kind = FIELD_CHECKED, .name = key, AT(to), .check = test

static const struct field AUTH[] = {
	{ .kind = FIELD_CHOICE,
	  .name = "method",
	  AT(method),
	  .required = true,
	  .choices = "assume_role|access_key" },
	{ CHECKED("role_arn", role_arn, check_role) },
	{ CHECKED("access_key_id", access_key_id, check_access_key) },
	{ CHECKED("secret_access_key", secret, check_secret) },
	{ .kind = FIELD_END },
};
static const struct field CLOUDTRAIL[] = {
	{ CHECKED("bucket", bucket, check_bucket), .nullable = true },
	{ .kind = FIELD_INT, .name = "days", AT(days), .min = 1, .max = 3650 },
	{ CHECKED("digest_prefix", digest_prefix, check_prefix) },
	{ .kind = FIELD_END },
};
static const struct field SCHEDULE[] = {
	{ .kind = FIELD_DURATION,
	  .name = "every",
	  AT(every),
	  .min = EVERY_MIN_S,
	  .max = EVERY_MAX_S },
	{ .kind = FIELD_END },
};

#define COMMON                                                                                     \
	{ .kind = FIELD_TEXT, .name = "name", AT(name), .required = true, .min = 1, .max = 80 },   \
		{ .kind = FIELD_CHOICE,                                                            \
		  .name = "authoritative_status",                                                  \
		  AT(authoritative_status),                                                        \
		  .required = true,                                                                \
		  .choices = "primary|secondary|none" },                                           \
		{ CHECKED("region", region, check_region), .required = true },                     \
		{ .kind = FIELD_OBJECT,                                                            \
		  .name = "auth",                                                                  \
		  AT(auth),                                                                        \
		  .required = true,                                                                \
		  .inner = AUTH },                                                                 \
		{ .kind = FIELD_OBJECT,                                                            \
		  .name = "cloudtrail",                                                            \
		  AT(cloudtrail),                                                                  \
		  .inner = CLOUDTRAIL },                                                           \
		{ .kind = FIELD_OBJECT, .name = "schedule", AT(schedule), .inner = SCHEDULE },     \
	{                                                                                          \
		.kind = FIELD_BOOL, .name = "paused", AT(paused)                                   \
	}

static const struct field CREATE[] = {
	COMMON,
	{ CHECKED("aws_account_id", aws_account_id, check_account) },
	{ CHECKED("aws_organization_id", aws_organization_id, check_organization) },
	{ .kind = FIELD_END },
};
static const struct field PATCH[] = {
	COMMON,
	{ .kind = FIELD_FIXED, .name = "id" },
	{ .kind = FIELD_FIXED, .name = "external_id" },
	{ .kind = FIELD_FIXED, .name = "aws_account_id" },
	{ .kind = FIELD_FIXED, .name = "aws_organization_id" },
	{ .kind = FIELD_END },
};

/* Which members go with which method; the secret never stays behind from another key. null is no
 * value: credentials have no default to go back to. */
static void judge_auth(const struct connection_fields *in, struct problem *p)
{
	bool role = str_eq(in->method.s, S("assume_role"));

	if (in->method.state != FIELDS_SET)
		return;
	if (role && in->role_arn.state != FIELDS_SET)
		problem_field(p, "/auth/role_arn", "required", "assume_role needs the role's ARN.");
	if (role && in->access_key_id.state != FIELDS_ABSENT)
		problem_field(p, "/auth/access_key_id", "not_with_method",
			      "assume_role has no access key.");
	if (role && in->secret.state != FIELDS_ABSENT)
		problem_field(p, "/auth/secret_access_key", "not_with_method",
			      "assume_role has no secret.");
	if (!role && in->role_arn.state != FIELDS_ABSENT)
		problem_field(p, "/auth/role_arn", "not_with_method", "access_key has no role.");
	if (!role && in->access_key_id.state != FIELDS_SET)
		problem_field(p, "/auth/access_key_id", "required",
			      "access_key needs the ID of the key.");
	if (!role && in->secret.state != FIELDS_SET)
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

static void apply(struct connection_values *v, const struct connection_fields *in)
{
	int64_t paused = v->paused;

	apply_text(&v->name, &in->name, v->name);
	apply_text(&v->authoritative_status, &in->authoritative_status, v->authoritative_status);
	apply_text(&v->region, &in->region, v->region);
	if (in->auth.state == FIELDS_SET) {
		v->auth_method = in->method.s;
		v->role_arn = in->role_arn.s;
		v->access_key_id = in->access_key_id.s;
	}
	if (in->cloudtrail.state == FIELDS_NULL) {
		v->cloudtrail_bucket = S("");
		v->cloudtrail_days = CONNECTION_FIELDS_DAYS;
		v->cloudtrail_digest_prefix = S("AWSLogs");
	}
	apply_text(&v->cloudtrail_bucket, &in->bucket, S(""));
	apply_text(&v->cloudtrail_digest_prefix, &in->digest_prefix, S("AWSLogs"));
	apply_number(&v->cloudtrail_days, &in->days, CONNECTION_FIELDS_DAYS);
	if (in->schedule.state == FIELDS_NULL)
		v->every_s = CONNECTION_FIELDS_EVERY_S;
	apply_number(&v->every_s, &in->every, CONNECTION_FIELDS_EVERY_S);
	apply_number(&paused, &in->paused, 0);
	v->paused = paused != 0;
}

bool connection_fields_create(struct str body, struct connection_fields *in,
			      struct connection_values *ret, json_t **ret_tree, struct problem *p)
{
	if (!fields_read(body, FIELDS_CREATE, CREATE, in, ret_tree, p) && !*ret_tree)
		return false;
	*ret = (struct connection_values){ .cloudtrail_days = CONNECTION_FIELDS_DAYS,
					   .cloudtrail_digest_prefix = S("AWSLogs"),
					   .every_s = CONNECTION_FIELDS_EVERY_S };
	apply(ret, in);
	ret->aws_account_id = in->aws_account_id.s;
	ret->aws_organization_id = in->aws_organization_id.s;
	judge_auth(in, p);
	if (!json_object_get(*ret_tree, "aws_account_id") &&
	    !json_object_get(*ret_tree, "aws_organization_id"))
		problem_field(p, "/aws_account_id", "required",
			      "Either aws_account_id or aws_organization_id is required.");
	if (json_object_get(*ret_tree, "aws_account_id") &&
	    json_object_get(*ret_tree, "aws_organization_id"))
		problem_field(p, "/aws_organization_id", "only_one",
			      "Only one of aws_account_id and aws_organization_id may be given.");
	return p->status == 0;
}

static void name_changed(const json_t *tree, json_t *changed)
{
	void *it = NULL;
	json_t *members = json_incref((json_t *)(uintptr_t)tree);

	for (it = json_object_iter(members); it; it = json_object_iter_next(members, it))
		(void)json_array_append_new(changed, json_string(json_object_iter_key(it)));
	json_decref(members);
}

bool connection_fields_patch(struct str body, struct connection_fields *in,
			     struct connection_values *values, json_t **ret_tree,
			     json_t **ret_changed, struct problem *p)
{
	AUTO_JSON json_t *changed = json_array();

	if (!fields_read(body, FIELDS_PATCH, PATCH, in, ret_tree, p) && !*ret_tree)
		return false;
	/* Credentials are replaced whole: a new key with an old secret is never meant. */
	if (in->auth.state == FIELDS_SET && in->method.state != FIELDS_SET)
		problem_field(p, "/auth/method", "required", "auth is replaced as a whole.");
	judge_auth(in, p);
	apply(values, in);
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
