/* One value against its descriptor, whatever carried it: a member of a body, an item of a list, a
 * query parameter. RC_INVALID names the rule. */
#ifndef API_VALUE_H
#define API_VALUE_H

#include "api/fields.h"

/* FIELD_TEXT, FIELD_CHECKED, FIELD_CHOICE, FIELD_ID. */
MUST_CHECK enum rc value_text(const struct field *f, struct str s, struct err *err);
/* FIELD_DURATION (seconds) and FIELD_TIME (wall). */
MUST_CHECK enum rc value_stamp(const struct field *f, struct str s, int64_t *ret, struct err *err);
/* min..max of FIELD_INT and FIELD_DURATION. */
MUST_CHECK enum rc value_range(const struct field *f, int64_t n, struct err *err);
/* Printable text of min..max characters. */
MUST_CHECK enum rc value_printable(struct str s, int64_t min, int64_t max, struct err *err);
/* The text of a query parameter of any scalar kind. */
MUST_CHECK enum rc value_parameter(const struct field *f, struct str s, struct err *err);

#endif
