/* Where a caller of /v1/aws/setup goes next. */
#ifndef API_SETUP_LINKS_H
#define API_SETUP_LINKS_H

#include "api/setup_plan.h"

/* {cloudformation, terraform, cli, member_template, permissions}: paths with the options of this request. New reference. */
json_t *setup_links_paths(const struct http_request *req);
/* CloudFormation's page with everything filled in; null when the operator keeps no template where AWS can read it, or keeps it
 * in another partition. New reference. */
json_t *setup_links_quick_create(const struct setup_plan *plan, const char *template_url);

#endif
