/* The collectors of an account, in the order in which a run calls them. Each fills its parts and stages what it found;
 * RC_OK unless the run itself must end (workers/sync/sync.h). */
#ifndef WORKERS_SYNC_COLLECT_H
#define WORKERS_SYNC_COLLECT_H

#include "workers/sync/sync.h"

MUST_CHECK enum rc report_ask(struct sync *s,
			      struct err *err); /* report.c: starts the credential report */
MUST_CHECK enum rc regions_collect(struct sync *s, struct err *err); /* regions.c */
MUST_CHECK enum rc details_collect(struct sync *s,
				   struct err *err); /* details.c: users, groups, roles, policies */
MUST_CHECK enum rc
fallback_collect(struct sync *s,
		 struct err *err); /* fallback.c: the same without account details */
MUST_CHECK enum rc managed_collect(struct sync *s,
				   struct err *err); /* managed.c: attached AWS managed policies */
MUST_CHECK enum rc providers_collect(struct sync *s, struct err *err); /* providers.c: SAML, OIDC */
MUST_CHECK enum rc
account_collect(struct sync *s,
		struct err *err); /* account.c: alias, summary, password policy, profiles */
MUST_CHECK enum rc report_collect(struct sync *s,
				  struct err *err); /* report.c: waits for it and reads it */
MUST_CHECK enum rc keys_collect(struct sync *s,
				struct err *err); /* keys.c: access keys and their last use */
MUST_CHECK enum rc mfa_collect(struct sync *s, struct err *err); /* mfa.c */

#endif
