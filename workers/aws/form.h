/* Parameters as a form: the body of the query and ec2 protocols. */
#ifndef WORKERS_AWS_FORM_H
#define WORKERS_AWS_FORM_H

#include "base/json.h"

enum { FORM_DEPTH_MAX = 8, FORM_NAME_MAX = 256 };

/* Appends "&Name=value" for every scalar in params (an object). Lists: "Name.member.N", flat
 * "Name.N" for ec2 (flat = true). A list whose elements have a name of their own is given as
 * "Filters:Filter" and becomes "Filters.Filter.N". null is left out.
 * RC_INVALID: a value that is not text, number, boolean, list or object; RC_LIMIT. */
MUST_CHECK enum rc form_put(struct buf *out, const json_t *params, bool flat, struct err *err);

#endif
