/* Spelling of what the contract names with x-check: names of AWS, secrets, UUIDs.
 * Never asks anybody whether such a thing exists. */
#include "api/format.h"
#include "api/webhook_url.h"
#include "base/awsname.h"
#include "base/cron.h"
#include "base/id.h"

#include <string.h>

enum { SECRET_KEY_BYTES = 40, PREFIX_MAX = 200 };

enum rc format_uuid(struct str s, struct err *err)
{
	struct id id = { { 0 } };

	if (id_parse_uuid(s, &id) == RC_OK && !id_eq(id, (struct id){ { 0 } }))
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_uuid",
		       "The value must be a UUID other than zero.");
}

enum rc format_account(struct str s, struct err *err)
{
	return awsname_is_account(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "invalid_account_id",
				 "An AWS account ID is a string of exactly 12 digits.");
}

enum rc format_organization(struct str s, struct err *err)
{
	return awsname_is_organization(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "invalid_organization_id",
				 "An AWS Organization ID is o- and 10 to 32 of a-z and 0-9.");
}

enum rc format_region(struct str s, struct err *err)
{
	return awsname_region(s)
		       ? RC_OK
		       : err_set(err, RC_INVALID, "unknown_region",
				 "The region is not one that AWS has, such as us-east-1.");
}

enum rc format_role_arn(struct str s, struct err *err)
{
	struct awsname_arn arn = { 0 };

	return awsname_role_check(s, &arn, err);
}

enum rc format_access_key(struct str s, struct err *err)
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

enum rc format_secret(struct str s, struct err *err)
{
	bool good = s.n == SECRET_KEY_BYTES;

	for (size_t i = 0; good && i < s.n; i++)
		good = is_base64(s.p[i]);
	return good ? RC_OK
		    : err_set(err, RC_INVALID, "invalid_secret_access_key",
			      "A secret access key has 40 letters, digits, + and /.");
}

enum rc format_bucket(struct str s, struct err *err)
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

enum rc format_prefix(struct str s, struct err *err)
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

enum rc format_cron(struct str s, struct err *err)
{
	struct cron c = { 0 };

	return cron_parse(s, &c, err);
}

enum rc format_time_zone(struct str s, struct err *err)
{
	AUTO(zone) struct zone *z = NULL;

	return zone_load(s, &z, err) == RC_OK ? RC_OK : RC_INVALID;
}

enum rc format_webhook_url(struct str s, struct err *err)
{
	return webhook_url_judge(s, err);
}
