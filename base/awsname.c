/* Spelling rules of AWS's names, by length, alphabet and table.
 * Never calls AWS, never accepts a name because it looks like one: what is not in the table or
 * breaks one rule is refused. */
#include "base/awsname.h"

enum {
	AWSNAME_ARN_MAX = 2048,
	AWSNAME_PATH_MAX = 512,
	AWSNAME_ROLE_MAX = 64,
	AWSNAME_ACCOUNT = 12,
	AWSNAME_BUCKET_MIN = 3,
	AWSNAME_BUCKET_MAX = 63
};

enum partition {
#define P(id, name, suffix, global) PARTITION_##id,
#define R(name, id, opt_in)
#include "base/awsname_regions.def"
#undef P
#undef R
};

static const struct awsname_partition AWSNAME_PARTITIONS[] = {
#define P(id, name, suffix, global) [PARTITION_##id] = { name, suffix, global },
#define R(name, id, opt_in)
#include "base/awsname_regions.def"
#undef P
#undef R
};

static const struct awsname_region AWSNAME_REGIONS[] = {
#define P(id, name, suffix, global)
#define R(name, id, opt_in) { name, &AWSNAME_PARTITIONS[PARTITION_##id], opt_in },
#include "base/awsname_regions.def"
#undef P
#undef R
};

const struct awsname_region *awsname_region(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(AWSNAME_REGIONS); i++)
		if (str_eq(name, str_c(AWSNAME_REGIONS[i].name)))
			return &AWSNAME_REGIONS[i];
	return NULL;
}

const struct awsname_partition *awsname_partition(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(AWSNAME_PARTITIONS); i++)
		if (str_eq(name, str_c(AWSNAME_PARTITIONS[i].name)))
			return &AWSNAME_PARTITIONS[i];
	return NULL;
}

const struct awsname_region *awsname_region_at(size_t i)
{
	return i < COUNT_OF(AWSNAME_REGIONS) ? &AWSNAME_REGIONS[i] : NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_upper_alnum(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool all_are(struct str s, bool (*is)(char c))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i]))
			return false;
	return true;
}

/* Five colons, "arn" in front; the rest of the string is the resource. */
static bool split_arn(struct str s, struct awsname_arn *ret)
{
	struct str rest = s,
		   *parts[] = { &ret->partition, &ret->service, &ret->region, &ret->account };

	if (!str_starts(rest, S("arn:")))
		return false;
	rest = str_sub(rest, 4, rest.n - 4);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!str_has(rest, S(":")))
			return false;
		*parts[i] = str_cut(&rest, ':');
	}
	ret->resource = rest;
	return true;
}

enum rc awsname_arn_parse(struct str s, struct awsname_arn *ret)
{
	struct awsname_arn arn = { 0 };

	if (!split_arn(s, &arn) || !awsname_partition(arn.partition))
		return RC_INVALID;
	*ret = arn;
	return RC_OK;
}

bool awsname_is_account(struct str s)
{
	return s.n == AWSNAME_ACCOUNT && all_are(s, is_digit) && !str_eq(s, S("000000000000"));
}

bool awsname_is_organization(struct str s)
{
	return s.n >= 12 && s.n <= 34 && str_starts(s, S("o-")) &&
	       all_are(str_sub(s, 2, s.n - 2), is_lower_alnum);
}

bool awsname_is_access_key(struct str s)
{
	return s.n >= 16 && s.n <= 128 && str_starts(s, S("AKIA")) && all_are(s, is_upper_alnum);
}

static bool is_ipv4(struct str s)
{
	struct str rest = s;

	for (int parts = 0; parts < 4; parts++) {
		struct str part = str_cut(&rest, '.');

		if (part.n == 0 || part.n > 3 || !all_are(part, is_digit))
			return false;
	}
	return rest.n == 0 && s.p[s.n - 1] != '.';
}

/* Endings and beginnings that S3 keeps for itself, and host names pasted in place of a name. */
static bool is_reserved_bucket(struct str s)
{
	static const char *const HEADS[] = { "xn--", "sthree-", "amzn-s3-demo-" };
	static const char *const TAILS[] = { "-s3alias",         "--ol-s3",    ".mrap",
					     "--x-s3",           "--table-s3", ".amazonaws.com",
					     ".amazonaws.com.cn" };

	for (size_t i = 0; i < COUNT_OF(HEADS); i++)
		if (str_starts(s, str_c(HEADS[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(TAILS); i++)
		if (str_ends(s, str_c(TAILS[i])))
			return true;
	return false;
}

bool awsname_is_bucket(struct str s)
{
	if (s.n < AWSNAME_BUCKET_MIN || s.n > AWSNAME_BUCKET_MAX || !is_lower_alnum(s.p[0]) ||
	    !is_lower_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_lower_alnum(c) && c != '-' && c != '.')
			return false;
		/* A label between dots begins and ends with a letter or digit. */
		if (c == '.' && (!is_lower_alnum(s.p[i - 1]) || !is_lower_alnum(s.p[i + 1])))
			return false;
	}
	return !is_ipv4(s) && !is_reserved_bucket(s);
}

static bool is_role_char(char c)
{
	return is_upper_alnum(c) || (c >= 'a' && c <= 'z') || (c && strchr("_+=,.@-", c));
}

/* IAM takes any visible ASCII in a path; wildcards, quotes and what URLs and ARNs split at are no
 * path of a role that somebody means. */
static bool is_path_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("*?%#\\\"'`<>&:", c);
}

static bool is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

static enum rc refuse(struct err *err, const char *rule)
{
	return err_set(err, RC_INVALID, "invalid_role_arn", "%s", rule);
}

/* Of "role/path/to/name" the part behind "role/", cut at its last slash. */
static void split_role(struct str resource, struct str *path, struct str *name)
{
	size_t at = resource.n;

	while (at > 0 && resource.p[at - 1] != '/')
		at--;
	*path = str_sub(resource, 0, at);
	*name = str_sub(resource, at, resource.n - at);
}

/* path is "" or ends in a slash. */
static enum rc check_path(struct str path, struct err *err)
{
	struct str rest = path;

	if (path.n + 1 > AWSNAME_PATH_MAX)
		return refuse(err, "the role's path is longer than 512 characters");
	while (rest.n) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0)
			return refuse(err, "the role's path has an empty segment (two slashes)");
		if (str_eq(part, S(".")) || str_eq(part, S("..")))
			return refuse(err, "the role's path has a segment '.' or '..'");
		if (!all_are(part, is_path_char))
			return refuse(err, "the role's path has a character that no role's path "
					   "has, such as a wildcard or a colon");
	}
	return RC_OK;
}

static enum rc check_resource(struct str resource, struct err *err)
{
	struct str path, name;
	enum rc rc = RC_OK;

	if (str_eq(resource, S("root")) || str_starts(resource, S("user/")))
		return refuse(err, "the ARN names a user or the account itself; give the ARN of a "
				   "role, which has role/ and its name after the account");
	if (!str_starts(resource, S("role/")))
		return refuse(err, "after the account the ARN must have role/ and the role's name");
	split_role(str_sub(resource, 5, resource.n), &path, &name);
	rc = check_path(path, err);
	if (rc != RC_OK)
		return rc;
	if (name.n == 0)
		return refuse(err, "the role's name is missing at the end of the ARN");
	if (name.n > AWSNAME_ROLE_MAX)
		return refuse(err, "the role's name is longer than 64 characters");
	if (!all_are(name, is_role_char))
		return refuse(err, "the role's name may have letters, digits and _+=,.@- only");
	if (str_starts(path, S("aws-service-role/")))
		return err_set(err, RC_INVALID, "service_linked_role",
			       "the role belongs to an AWS service (service-linked) and cannot be "
			       "assumed; create a role of your own for this connection");
	return RC_OK;
}

enum rc awsname_role_check(struct str s, struct awsname_arn *ret, struct err *err)
{
	struct awsname_arn arn = { 0 };
	enum rc rc = RC_OK;

	if (s.n == 0)
		return refuse(err, "the role ARN is empty");
	if (s.n > AWSNAME_ARN_MAX)
		return refuse(err, "the role ARN is longer than 2048 characters");
	if (!all_are(s, is_visible))
		return refuse(err, "the role ARN has a space, a control character or a character "
				   "that is not ASCII");
	if (!split_arn(s, &arn))
		return refuse(err, "a role ARN has six parts with colons between them: "
				   "arn:{partition}:iam::{account}:role/{name}");
	if (!awsname_partition(arn.partition))
		return refuse(err, "the ARN's partition is unknown; most accounts are in the "
				   "partition aws");
	if (str_eq(arn.service, S("sts")))
		return refuse(err, "the ARN names a session of a role (sts); give the ARN of the "
				   "role itself, which has iam after the partition");
	if (!str_eq(arn.service, S("iam")))
		return refuse(err, "the ARN's service must be iam");
	if (arn.region.n != 0)
		return refuse(err, "the ARN of a role has no region: two colons follow iam");
	if (!awsname_is_account(arn.account))
		return refuse(err, "the ARN's account must be 12 digits, not all zero");
	rc = check_resource(arn.resource, err);
	if (rc == RC_OK)
		*ret = arn;
	return rc;
}
