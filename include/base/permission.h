/* The permission catalogue (base/permission.yaml as a table): what we may ask a customer for, why, and
 * what is lost without it; and the smallest policy document for a part of it. */
#ifndef BASE_PERMISSION_H
#define BASE_PERMISSION_H

#include "base/json.h"

enum permission_need {
	PERMISSION_REQUIRED,
	PERMISSION_ORGANIZATION,    /* required for a connection of an AWS Organization */
	PERMISSION_IDENTITY_CENTER, /* required once sso:ListInstances found an instance */
	PERMISSION_OPTIONAL
};

struct permission_capability {
	const char *name, *title, *lost;
	int tier;
	enum permission_need need;
	const char *where; /* "management", "member", "both" */
	bool landed;       /* the code makes these calls */
	bool organization_only;
	bool by_name; /* published only when it is asked for by name */
	const char *
		document; /* those of a tier with the same word share a policy document; "" = the tier's */
	const char *partitions; /* "aws|aws-us-gov"; "" = all */
};

/* One row an action and resource: an action on three resources has three rows, next to each other. */
struct permission_action {
	const char *action, *why;
	const char *
		resource; /* "*" or an ARN with holes: PARTITION PREFIX BUCKET TRAIL_PREFIX KEY_ARN */
	const struct permission_capability *capability;
};

/* In order of tier; the actions in order of capability. */
extern const struct permission_capability PERMISSION_CAPABILITIES[];
extern const size_t PERMISSION_CAPABILITIES_N;
extern const struct permission_action PERMISSION_ACTIONS[];
extern const size_t PERMISSION_ACTIONS_N;

/* Characters of a managed policy, white space apart (AWS's limit; ours have none), and of a name prefix (ours). */
enum { PERMISSION_DOCUMENT_MAX = 6144, PERMISSION_PREFIX_MAX = 32 };

/* What the holes are filled with. An empty one: what needs it cannot be written. */
struct permission_places {
	struct str partition, prefix, bucket, trail_prefix, key_arn;
};

/* What may stand for PREFIX: a letter, then letters, digits and single dashes, no dash at the end. */
bool permission_is_prefix(struct str s);
/* The first row of an action, that of the lowest tier; NULL: not in the catalogue. */
const struct permission_action *permission_find(struct str action);
const struct permission_capability *permission_capability_find(struct str name);
const char *permission_need_name(enum permission_need need); /* "identity_center" */

/* The name of the first hole of resource that places leaves empty ("BUCKET"); NULL: all are filled. */
const char *permission_hole(const char *resource, const struct permission_places *places);

/* The smallest policy document that grants these rows: one statement a set of resources, sorted, no action
 * twice on the same resource. RC_INVALID unfilled_hole, unknown_action. New reference. */
MUST_CHECK enum rc permission_policy_of(const struct permission_action *const *rows, size_t n,
					const struct permission_places *places, json_t **ret,
					struct err *err);
/* The same by name; an action counts as in the lowest tier that has it. For policy patches. */
MUST_CHECK enum rc permission_policy(const char *const *actions, size_t n,
				     const struct permission_places *places, json_t **ret,
				     struct err *err);

#endif
