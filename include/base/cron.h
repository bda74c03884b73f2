/* Five-field cron expressions and when they are due in a time zone.
 *
 * minute hour day-of-month month day-of-week; in each *, numbers, lists, ranges and steps of * or a range
 * (0-30/10), months JAN-DEC and weekdays SUN-SAT in any case, 7 = Sunday, and @hourly, @daily, @weekly,
 * @monthly, @yearly. Nothing else: ?, L, W and # are refused, and so is a date that never comes (30 2).
 * When day-of-month and day-of-week are both other than *, a day is due that fits either.
 *
 * Where the zone's clock is changed:
 * - the hour field names every hour: instants are due whose local time fits. In real time nothing is left out
 *   and nothing comes twice, whatever the clock does;
 * - else each local time is due once a day. One that exists twice is due the first time; one that is skipped
 *   is due as if the clock had not been changed yet (02:30 when 02:00 becomes 03:00: at 03:30). So RFC 5545
 *   reads local times too. */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include "base/zone.h"

enum {
	CRON_TEXT_MAX = 128,
	CRON_SEARCH_DAYS =
		9 * 366 /* from one 29 February to the next there are at most eight years */
};

struct cron { /* bit n: value n is due */
	uint64_t minutes;
	uint32_t hours, days;
	uint16_t months;
	uint8_t weekdays;
	bool any_day, any_weekday;
};

/* RC_INVALID invalid_cron says which field and why. */
MUST_CHECK enum rc cron_parse(struct str text, struct cron *ret, struct err *err);
/* The first time that it is due after the instant; both in seconds of Unix time. RC_NOT_FOUND: not within
 * CRON_SEARCH_DAYS. */
MUST_CHECK enum rc cron_next(const struct cron *c, const struct zone *z, int64_t after,
			     int64_t *ret);

#endif
