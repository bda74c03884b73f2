/* Dates by arithmetic on eras of 400 years, which begin on 1 March so that a leap day is a year's last.
 * Never asks the C library, whose calendar functions know time zones and locales. */
#include "base/civil.h"

enum { DAY_S = 86400, ERA_DAYS = 146097, ERA_YEARS = 400, EPOCH_DAYS = 719468 };

/* Rounds down, also below zero. */
static int64_t down(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t civil_days(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = down(y, ERA_YEARS), in_era = y - era * ERA_YEARS;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + in_year - EPOCH_DAYS;
}

int civil_days_in(int64_t year, int month)
{
	static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return DAYS[month - 1] + (month == 2 && leap);
}

int civil_weekday(int64_t days)
{
	int64_t n = (days + 4) % 7; /* 1 January 1970 was a Thursday */

	return (int)(n < 0 ? n + 7 : n);
}

struct civil civil_of(int64_t seconds)
{
	int64_t days = down(seconds, DAY_S), rest = seconds - days * DAY_S;
	int64_t shifted = days + EPOCH_DAYS, era = down(shifted, ERA_DAYS);
	int64_t in_era = shifted - era * ERA_DAYS;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * in_year + 2) / 153;
	int month = (int)(m < 10 ? m + 3 : m - 9);

	return (struct civil){ .year = year + era * ERA_YEARS + (month <= 2),
			       .month = month,
			       .day = (int)(in_year - (153 * m + 2) / 5 + 1),
			       .weekday = civil_weekday(days),
			       .hour = (int)(rest / 3600),
			       .minute = (int)(rest / 60 % 60),
			       .second = (int)(rest % 60) };
}
