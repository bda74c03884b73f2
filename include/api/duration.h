/* ISO 8601 durations of fixed length: PnW, or PnDTnHnMnS in any subset. No months, no years, no
 * fractions, no signs: they have no fixed length or no use here. */
#ifndef API_DURATION_H
#define API_DURATION_H

#include "base/err.h"
#include "base/str.h"

enum { DURATION_TEXT_MAX = 48 };
/* RC_INVALID: not such a duration, or above 2^40 seconds. */
MUST_CHECK enum rc duration_parse(struct str s, int64_t *ret_s);
/* The shortest form in days, hours, minutes and seconds: 21600 -> "PT6H". */
void duration_text(int64_t seconds, char out[DURATION_TEXT_MAX]);

#endif
