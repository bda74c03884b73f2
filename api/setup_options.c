/* Query parameters of the setup documents. What is accepted here ends up in policies, scripts and templates, so it is judged
 * by what it may contain, and never widened: a wildcard in a name would grant more than was asked for. */
#include "api/setup_options.h"
#include "base/awsname.h"

#include <assert.h>

enum { PREFIX_MAX = 200, KEY_ID_CHARS = 36 };

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Like the prefix of a connection, but for the star, which a policy would read as a wildcard. */
static bool is_trail_prefix(struct str s)
{
	struct str rest = s;
	bool good = s.n > 0 && s.n <= PREFIX_MAX && s.p[s.n - 1] != '/';

	for (size_t i = 0; good && i < s.n; i++)
		good = is_alnum(s.p[i]) || strchr("!-_.'()/", s.p[i]) != NULL;
	while (good && rest.n > 0) {
		struct str part = str_cut(&rest, '/');

		good = part.n > 0 && !str_eq(part, S(".")) && !str_eq(part, S(".."));
	}
	return good;
}

static bool is_key_id(struct str s)
{
	struct str id = str_starts(s, S("mrk-")) ? str_sub(s, 4, s.n) : s;
	bool good = id.n == (id.n == s.n ? KEY_ID_CHARS : KEY_ID_CHARS - 4);

	for (size_t i = 0; good && i < id.n; i++)
		good = (id.p[i] >= 'a' && id.p[i] <= 'f') || (id.p[i] >= '0' && id.p[i] <= '9') ||
		       id.p[i] == '-';
	return good;
}

static bool is_key_arn(struct str s, struct str partition)
{
	struct awsname_arn arn = { 0 };
	const struct awsname_region *region = NULL;

	if (awsname_arn_parse(s, &arn) != RC_OK || !str_eq(arn.partition, partition))
		return false;
	region = awsname_region(arn.region);
	return region && str_eq(str_c(region->partition->name), partition) &&
	       str_eq(arn.service, S("kms")) && awsname_is_account(arn.account) &&
	       str_starts(arn.resource, S("key/")) &&
	       is_key_id(str_sub(arn.resource, 4, arn.resource.n));
}

static void read_tiers(struct str list, struct setup_options *o, struct problem *p)
{
	while (list.n > 0) {
		struct str one = str_cut(&list, ',');

		if (one.n == 1 && one.p[0] >= '1' && one.p[0] <= '0' + SETUP_OPTIONS_TIERS)
			o->tier[one.p[0] - '0'] = true;
		else
			problem_field(p, "?tiers", "unknown_tier",
				      "tiers is a list of 1, 2, 3 and 4, such as 1,2.");
	}
}

static void read_capabilities(struct str list, struct setup_options *o, struct problem *p)
{
	assert(PERMISSION_CAPABILITIES_N <= 8 * sizeof(o->named));
	while (list.n > 0) {
		const struct permission_capability *found =
			permission_capability_find(str_cut(&list, ','));

		if (found)
			o->named |= UINT64_C(1) << (found - PERMISSION_CAPABILITIES);
		else
			problem_field(p, "?capabilities", "unknown_capability",
				      "capabilities is a list of names that "
				      "/v1/aws/permissions shows, such as s3,ec2.");
	}
}

/* "b" of "a|b": true; absent: otherwise. */
static bool choice(const struct http_request *req, const char *name, const char *pointer,
		   const char *yes, const char *no, bool otherwise, struct problem *p)
{
	struct str s = http_query(req, name);

	if (s.n == 0)
		return otherwise;
	if (str_eq(s, str_c(yes)))
		return true;
	if (!str_eq(s, str_c(no)))
		problem_field(p, pointer, "not_a_choice", "%s is %s or %s.", name, no, yes);
	return false;
}

static void read_mode(const struct http_request *req, struct setup_options *o, struct problem *p)
{
	o->organization = choice(req, "mode", "?mode", "organization", "account", false, p);
	o->via_management =
		choice(req, "member_access", "?member_access", "via_management", "direct", true, p);
	if (http_query(req, "member_access").n > 0 && !o->organization)
		problem_field(p, "?member_access", "needs_organization",
			      "member_access only means something with mode=organization.");
}

static void read_trail(const struct http_request *req, struct setup_options *o, struct problem *p)
{
	struct str bucket = http_query(req, "bucket"), prefix = http_query(req, "digest_prefix"),
		   key = http_query(req, "trail_kms_key_arn");

	if (bucket.n > 0 && !awsname_is_bucket(bucket))
		problem_field(p, "?bucket", "invalid_bucket",
			      "The value is not the name of an S3 bucket.");
	if (prefix.n > 0 && !is_trail_prefix(prefix))
		problem_field(p, "?digest_prefix", "invalid_prefix",
			      "A prefix has up to %d letters, digits and !-_.'() in parts between "
			      "single slashes, with no slash at either end.",
			      PREFIX_MAX);
	if (key.n > 0 && !is_key_arn(key, o->places.partition))
		problem_field(p, "?trail_kms_key_arn", "invalid_key_arn",
			      "The value is not the ARN of a KMS key (not of an alias) in the "
			      "partition %.*s.",
			      STR_FMT(o->places.partition));
	if (bucket.n == 0 && prefix.n > 0)
		problem_field(p, "?digest_prefix", "needs_bucket",
			      "digest_prefix is a place in a bucket: name the bucket.");
	if (bucket.n == 0 && key.n > 0)
		problem_field(p, "?trail_kms_key_arn", "needs_bucket",
			      "trail_kms_key_arn is the key of a bucket's files: name the bucket.");
	o->places.bucket = bucket;
	o->places.trail_prefix = prefix.n > 0 ? prefix : S("AWSLogs");
	o->places.key_arn = key;
}

static void read_names(const struct http_request *req, struct setup_options *o, struct problem *p)
{
	struct str partition = http_query(req, "partition"), name = http_query(req, "name_prefix");

	o->places.partition = partition.n > 0 ? partition : S("aws");
	if (!awsname_partition(o->places.partition)) {
		problem_field(p, "?partition", "unknown_partition",
			      "partition is aws, aws-us-gov or aws-cn.");
		o->places.partition = S("aws");
	}
	o->places.prefix = name.n > 0 ? name : str_c(req->env->setup_name_prefix);
	if (!permission_is_prefix(o->places.prefix))
		problem_field(p, "?name_prefix", "invalid_name_prefix",
			      "A name prefix is a letter and up to %d more letters, digits and "
			      "single dashes, with no dash at the end.",
			      PERMISSION_PREFIX_MAX - 1);
}

bool setup_options_read(const struct http_request *req, const char *tiers,
			struct setup_options *ret, struct problem *p)
{
	struct str some = http_query(req, "tiers"), named = http_query(req, "capabilities");

	*ret = (struct setup_options){ 0 };
	read_tiers(some.n == 0 && named.n == 0 ? str_c(tiers) : some, ret, p);
	read_capabilities(named, ret, p);
	read_names(req, ret, p);
	read_mode(req, ret, p);
	read_trail(req, ret, p);
	return p->status == 0;
}
