/* Wall and monotonic time, and the four spellings of a point in time that AWS and HTTP use.
 * Parsers are ours: strptime() takes white space, locales and out-of-range fields that we refuse.
 * Never answers in local time. */
#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* int64_t nanoseconds end in 2262 and begin in 1677: whole years inside. */
enum { CLOCK_YEAR_MIN = 1678, CLOCK_YEAR_MAX = 2261, CLOCK_FRACTION_DIGITS = 9 };
#define CLOCK_OFFSET_MAX_S INT64_C(3155760000) /* 100 years */

static pthread_once_t offset_once = PTHREAD_ONCE_INIT;
static int64_t offset_ns; /* immutable after offset_once */

static void read_offset(void)
{
	int64_t seconds = 0;

	/* The configuration refuses a value that is no number; here it means no offset. */
	if (str_to_i64(str_c(getenv("CONNECTORD_CLOCK_OFFSET_S")), &seconds) &&
	    seconds >= -CLOCK_OFFSET_MAX_S && seconds <= CLOCK_OFFSET_MAX_S)
		offset_ns = seconds * CLOCK_S;
}

static int64_t now(clockid_t id)
{
	struct timespec t = { 0 };
	int rc = clock_gettime(id, &t);

	assert(rc == 0);
	return (int64_t)t.tv_sec * CLOCK_S + t.tv_nsec;
}

int64_t clock_wall(void)
{
	pthread_once(&offset_once, read_offset);
	return now(CLOCK_REALTIME) + offset_ns;
}

int64_t clock_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

void clock_sleep(int64_t ns)
{
	struct timespec t = { .tv_sec = ns / CLOCK_S, .tv_nsec = ns % CLOCK_S };

	if (ns > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* Broken-down UTC and the nanoseconds behind the second (also before 1970). */
static struct tm split(int64_t wall, int64_t *ret_ns)
{
	int64_t ns = wall % CLOCK_S;
	time_t seconds = wall / CLOCK_S - (ns < 0);
	struct tm tm = { 0 };

	*ret_ns = ns < 0 ? ns + CLOCK_S : ns;
	gmtime_r(&seconds, &tm);
	return tm;
}

void clock_rfc3339(int64_t wall, char out[CLOCK_TEXT_MAX])
{
	int64_t ns = 0;
	struct tm tm = split(wall, &ns);
	size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

	assert(n > 0);
	snprintf(out + n, CLOCK_TEXT_MAX - n, ".%06dZ", (int)(ns / 1000));
}

void clock_amz(int64_t wall, char out[CLOCK_TEXT_MAX])
{
	int64_t ns = 0;
	struct tm tm = split(wall, &ns);
	size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y%m%dT%H%M%SZ", &tm);

	assert(n > 0);
}

void clock_amz_date(int64_t wall, char out[CLOCK_TEXT_MAX])
{
	int64_t ns = 0;
	struct tm tm = split(wall, &ns);
	size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y%m%d", &tm);

	assert(n > 0);
}

/* Exactly n digits at the head of *s, a number of min..max. */
static bool take_number(struct str *s, size_t n, int min, int max, int *ret)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, n, s->n - n);
	*ret = v;
	return v >= min && v <= max;
}

static bool take(struct str *s, struct str what)
{
	if (!str_starts(*s, what))
		return false;
	*s = str_sub(*s, what.n, s->n - what.n);
	return true;
}

static int days_in(int year, int month)
{
	static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return DAYS[month - 1] + (month == 2 && leap);
}

/* tm_mon counts from 1 here. A leap second (":60") is the second after it, as in Unix time. */
static int64_t to_seconds(const struct tm *date)
{
	struct tm tm = *date;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

static bool take_time(struct str *s, struct tm *tm)
{
	return take_number(s, 2, 0, 23, &tm->tm_hour) && take(s, S(":")) &&
	       take_number(s, 2, 0, 59, &tm->tm_min) && take(s, S(":")) &&
	       take_number(s, 2, 0, 60, &tm->tm_sec);
}

/* ".123456789": one to nine digits. */
static bool take_fraction(struct str *s, int64_t *ret_ns)
{
	int64_t ns = 0;
	size_t digits = 0;

	*ret_ns = 0;
	if (!take(s, S(".")))
		return true;
	while (digits < s->n && s->p[digits] >= '0' && s->p[digits] <= '9') {
		if (digits == CLOCK_FRACTION_DIGITS)
			return false;
		ns = ns * 10 + (s->p[digits++] - '0');
	}
	if (digits == 0)
		return false;
	*s = str_sub(*s, digits, s->n - digits);
	for (size_t i = digits; i < CLOCK_FRACTION_DIGITS; i++)
		ns *= 10;
	*ret_ns = ns;
	return true;
}

/* "Z", "+hhmm" or "+hh:mm", then the end. */
static bool take_offset(struct str *s, int64_t *ret_seconds)
{
	int hours = 0, minutes = 0, sign = 1;

	*ret_seconds = 0;
	if (take(s, S("Z")))
		return s->n == 0;
	if (take(s, S("-")))
		sign = -1;
	else if (!take(s, S("+")))
		return false;
	if (!take_number(s, 2, 0, 23, &hours))
		return false;
	(void)take(s, S(":"));
	if (!take_number(s, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = (int64_t)sign * (hours * 3600 + minutes * 60);
	return s->n == 0;
}

enum rc clock_parse_iso(struct str s, int64_t *ret_wall)
{
	struct tm tm = { 0 };
	int64_t ns = 0, offset = 0;

	if (!take_number(&s, 4, CLOCK_YEAR_MIN, CLOCK_YEAR_MAX, &tm.tm_year) || !take(&s, S("-")) ||
	    !take_number(&s, 2, 1, 12, &tm.tm_mon) || !take(&s, S("-")) ||
	    !take_number(&s, 2, 1, days_in(tm.tm_year, tm.tm_mon), &tm.tm_mday) ||
	    !take(&s, S("T")) || !take_time(&s, &tm) || !take_fraction(&s, &ns) ||
	    !take_offset(&s, &offset))
		return RC_INVALID;
	*ret_wall = (to_seconds(&tm) - offset) * CLOCK_S + ns;
	return RC_OK;
}

/* One of the names, each of three letters; counts from 1. */
static bool take_name(struct str *s, struct str names, int *ret)
{
	for (size_t i = 0; i + 3 <= names.n; i += 3) {
		if (take(s, str_sub(names, i, 3))) {
			*ret = (int)(i / 3) + 1;
			return true;
		}
	}
	return false;
}

enum rc clock_parse_http(struct str s, int64_t *ret_wall)
{
	struct tm tm = { 0 };
	int weekday = 0;

	if (!take_name(&s, S("MonTueWedThuFriSatSun"), &weekday) || !take(&s, S(", ")) ||
	    !take_number(&s, 2, 1, 31, &tm.tm_mday) || !take(&s, S(" ")) ||
	    !take_name(&s, S("JanFebMarAprMayJunJulAugSepOctNovDec"), &tm.tm_mon) ||
	    !take(&s, S(" ")) || !take_number(&s, 4, CLOCK_YEAR_MIN, CLOCK_YEAR_MAX, &tm.tm_year) ||
	    !take(&s, S(" ")) || !take_time(&s, &tm) || !str_eq(s, S(" GMT")) ||
	    tm.tm_mday > days_in(tm.tm_year, tm.tm_mon))
		return RC_INVALID;
	*ret_wall = to_seconds(&tm) * CLOCK_S;
	return RC_OK;
}
