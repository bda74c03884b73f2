/* Checks that the contract names: `x-check: bucket` of a schema is format_bucket() here. Each is a
 * fields_check: RC_INVALID with a code and a sentence, never the value. */
#ifndef API_FORMAT_H
#define API_FORMAT_H

#include "base/err.h"
#include "base/str.h"

MUST_CHECK enum rc format_uuid(struct str s, struct err *err);
MUST_CHECK enum rc format_account(struct str s, struct err *err);
MUST_CHECK enum rc format_organization(struct str s, struct err *err);
MUST_CHECK enum rc format_region(struct str s, struct err *err);
MUST_CHECK enum rc format_role_arn(struct str s, struct err *err);
MUST_CHECK enum rc format_access_key(struct str s, struct err *err);
MUST_CHECK enum rc format_secret(struct str s, struct err *err);
MUST_CHECK enum rc format_bucket(struct str s, struct err *err);
MUST_CHECK enum rc format_prefix(struct str s, struct err *err);
MUST_CHECK enum rc format_cron(struct str s, struct err *err);
MUST_CHECK enum rc format_time_zone(struct str s, struct err *err);
/* By its text; whether plain http is allowed is the handler's to judge. */
MUST_CHECK enum rc format_webhook_url(struct str s, struct err *err);

#endif
