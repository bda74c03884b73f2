/* The proleptic Gregorian calendar in whole numbers: days and seconds of Unix time to dates and back. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

struct civil {
	int64_t year;
	int month, day; /* from 1 */
	int weekday;    /* 0 = Sunday */
	int hour, minute, second;
};

int64_t civil_days(int64_t year, int month, int day); /* since 1970-01-01 */
int civil_days_in(int64_t year, int month);
int civil_weekday(int64_t days);
struct civil civil_of(int64_t seconds);

#endif
