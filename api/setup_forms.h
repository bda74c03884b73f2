/* The forms of a plan that a customer runs: CloudFormation, Terraform, aws-cli. Each appends its text to out; RC_LIMIT: out is
 * full. */
#ifndef API_SETUP_FORMS_H
#define API_SETUP_FORMS_H

#include "api/setup_plan.h"

enum { SETUP_FORMS_TEXT_MAX = 256 * 1024 };
/* Of the template of member accounts and of the other one; a new number for every change of what they make. */
#define SETUP_FORMS_TEMPLATE_VERSION "1"

/* New reference: the template as a tree, for setup_yaml_put(). */
json_t *setup_cloudformation_tree(const struct setup_plan *plan);
/* The StackSet template of member accounts; only names, principal and partition of the plan matter. */
MUST_CHECK enum rc setup_member_tree(const struct setup_plan *plan, json_t **ret, struct err *err);
MUST_CHECK enum rc setup_terraform_put(struct buf *out, const struct setup_plan *plan);
MUST_CHECK enum rc setup_cli_put(struct buf *out, const struct setup_plan *plan);

#endif
