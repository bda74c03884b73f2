/* Time. Points in time are int64_t nanoseconds: wall (Unix epoch, UTC) for stamps and signatures,
 * mono for timeouts. Wall time can be shifted for tests by CONNECTORD_CLOCK_OFFSET_S. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"
#include "base/str.h"

#define CLOCK_S  INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

int64_t clock_wall(void);
int64_t clock_mono(void);
void clock_sleep(int64_t ns); /* monotonic; returns early on a signal */

enum { CLOCK_TEXT_MAX = 40 };
/* "2026-11-24T07:32:27.123456Z" (RFC 3339, microseconds). */
void clock_rfc3339(int64_t wall, char out[CLOCK_TEXT_MAX]);
/* "20261124T073227Z" and "20261124" (SigV4). */
void clock_amz(int64_t wall, char out[CLOCK_TEXT_MAX]);
void clock_amz_date(int64_t wall, char out[CLOCK_TEXT_MAX]);
/* RFC 3339 / ISO 8601 with 'T', optional fraction, 'Z' or numeric offset ("+0000" and "+00:00").
 * RC_INVALID else. */
MUST_CHECK enum rc clock_parse_iso(struct str s, int64_t *ret_wall);
/* HTTP Date header: "Tue, 24 Nov 2026 07:32:27 GMT". */
MUST_CHECK enum rc clock_parse_http(struct str s, int64_t *ret_wall);

#endif
