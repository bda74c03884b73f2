/* Users, groups, roles, customer policies and instance profiles as AWS lists them, one item a call. The same functions serve
 * the account details and the fallback, so that both make one graph. */
#ifndef WORKERS_SYNC_PRINCIPAL_H
#define WORKERS_SYNC_PRINCIPAL_H

#include "workers/sync/sync.h"

MUST_CHECK enum rc principal_user(struct sync *s, const json_t *item, struct err *err);
MUST_CHECK enum rc principal_group(struct sync *s, const json_t *item, struct err *err);
MUST_CHECK enum rc principal_role(struct sync *s, const json_t *item, struct err *err);
MUST_CHECK enum rc principal_profile(struct sync *s, const json_t *item, struct err *err);
MUST_CHECK enum rc principal_policy(struct sync *s, const json_t *item, struct err *err);

/* Pieces of a principal, for the fallback. part: "users", "groups", "roles". */
struct principal {
	struct id id;
	const char *part;
	struct str arn;
};
MUST_CHECK enum rc principal_attached(struct sync *s, const struct principal *p, const json_t *list,
				      struct err *err);
/* item: { PolicyName, PolicyDocument } */
MUST_CHECK enum rc principal_inline(struct sync *s, const struct principal *p, const json_t *item,
				    struct err *err);
MUST_CHECK enum rc principal_member(struct sync *s, struct id user, struct id group,
				    const char *part, struct err *err);

#endif
