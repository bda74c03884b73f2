/* What is set up: which capabilities are published for these options and why the others are not, the policy documents, the
 * trust. Every form (JSON, CloudFormation, Terraform, aws-cli) is written from one plan. */
#ifndef API_SETUP_PLAN_H
#define API_SETUP_PLAN_H

#include "api/setup_options.h"

enum { SETUP_PLAN_CAPABILITIES = 64, SETUP_PLAN_ARN = 64 };

enum setup_plan_state {
	SETUP_PLAN_NOT_ASKED,
	SETUP_PLAN_PUBLISHED,
	SETUP_PLAN_NEEDS_BUCKET,
	SETUP_PLAN_NEEDS_KEY,
	SETUP_PLAN_NEEDS_ORGANIZATION,
	SETUP_PLAN_DIRECT,
	SETUP_PLAN_OTHER_PARTITION,
	SETUP_PLAN_BY_NAME
};

struct setup_plan {
	struct setup_options options;
	enum setup_plan_state
		state[SETUP_PLAN_CAPABILITIES]; /* by index of PERMISSION_CAPABILITIES */
	char principal[SETUP_PLAN_ARN]; /* ARN of our account, in the customer's partition */
	char external_id[ID_UUID_TEXT];
	json_t *policies; /* [{name, tier, capabilities, planned, lost, document, characters}] */
};
void setup_plan_done(struct setup_plan *plan);
DEFINE_AUTO_VALUE(setup_plan, setup_plan_done)

/* by_type: a document for each resource type and part of tier 4; else one a tier, for what can attach only so many policies
 * to a role. Each document has at most PERMISSION_DOCUMENT_MAX characters. options, principal and external_id are set. */
MUST_CHECK enum rc setup_plan_make(struct setup_plan *plan, bool by_type, struct err *err);
/* [{capability, tier, reason, detail, lost}]: asked for, but not published. New reference. */
json_t *setup_plan_omitted(const struct setup_plan *plan);
/* Whether the service of a capability exists in a partition. */
bool setup_plan_is_in(const struct permission_capability *c, struct str partition);
/* Only with the external ID. Both values are new references, taken. */
json_t *setup_plan_trust(json_t *principal, json_t *external_id);

#endif
