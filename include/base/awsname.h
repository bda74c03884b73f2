/* AWS's names as values: ARNs, account and organization IDs, regions, partitions. Spelling rules
 * only, no calls, so that the API (which never calls AWS) and the workers judge a name alike.
 * Facts: botocore's partitions data. */
#ifndef BASE_AWSNAME_H
#define BASE_AWSNAME_H

#include "base/err.h"
#include "base/str.h"

struct awsname_partition {
	const char *name;          /* "aws" */
	const char *dns_suffix;    /* "amazonaws.com" */
	const char *global_region; /* implicit region of global services: "us-east-1" */
};

struct awsname_region {
	const char *name;
	const struct awsname_partition *partition;
	bool opt_in;
};

/* Exact bytes against a compiled table; NULL when unknown. */
const struct awsname_region *awsname_region(struct str name);
const struct awsname_partition *awsname_partition(struct str name);
/* The i-th known region, NULL past the end. */
const struct awsname_region *awsname_region_at(size_t i);

/* Views into the text that was parsed. */
struct awsname_arn {
	struct str partition, service, region, account, resource;
};
/* Splits "arn:p:s:r:a:resource"; RC_INVALID when it has fewer than six parts or an unknown
 * partition. */
MUST_CHECK enum rc awsname_arn_parse(struct str s, struct awsname_arn *ret);

bool awsname_is_account(struct str s);      /* exactly 12 ASCII digits, not all zero */
bool awsname_is_organization(struct str s); /* o- and 10..32 of a-z0-9 */
bool awsname_is_access_key(struct str s);   /* AKIA + upper-case alphanumerics, 16..128 long */
bool awsname_is_bucket(struct str s);       /* S3 general-purpose bucket naming rules */

/* An assumable role: arn:{partition}:iam::{account}:role/{path}{name}. On RC_INVALID err carries
 * the code (invalid_role_arn, service_linked_role) and says which rule broke; err->field is left to
 * the caller. */
MUST_CHECK enum rc awsname_role_check(struct str s, struct awsname_arn *ret, struct err *err);

#endif
