/* ISO 8601 durations that have a fixed length, both ways.
 * Never guesses: months and years are refused, since nobody can say how long they are. */
#include "api/duration.h"

#include <stdio.h>

#define DURATION_MAX_S (INT64_C(1) << 40)

struct unit {
	char letter;
	bool time; /* behind the T */
	int64_t seconds;
};

/* In the order in which the standard wants them; weeks stand alone. */
static const struct unit UNITS[] = {
	{ 'W', false, 604800 }, { 'D', false, 86400 }, { 'H', true, 3600 },
	{ 'M', true, 60 },      { 'S', true, 1 },
};

/* Cuts the leading digits off *s; false when there are none or too many. */
static bool digits(struct str *s, int64_t *ret)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (n == 0 || n > 12 || !str_to_i64(str_sub(*s, 0, n), ret))
		return false;
	*s = str_sub(*s, n, s->n);
	return true;
}

enum rc duration_parse(struct str s, int64_t *ret_s)
{
	size_t next = 0;
	int64_t total = 0, n = 0;
	bool time = false, any = false, weeks = false;

	if (s.n < 3 || s.p[0] != 'P')
		return RC_INVALID;
	s = str_sub(s, 1, s.n);
	while (s.n > 0) {
		size_t i = next;

		if (s.p[0] == 'T' && !time) {
			time = true;
			s = str_sub(s, 1, s.n);
		}
		if (!digits(&s, &n) || s.n == 0)
			return RC_INVALID;
		while (i < COUNT_OF(UNITS) && (UNITS[i].letter != s.p[0] || UNITS[i].time != time))
			i++;
		if (i == COUNT_OF(UNITS) || n > DURATION_MAX_S / UNITS[i].seconds || weeks)
			return RC_INVALID;
		weeks = UNITS[i].letter == 'W';
		total += n * UNITS[i].seconds;
		if (total > DURATION_MAX_S)
			return RC_INVALID;
		next = i + 1;
		any = true;
		s = str_sub(s, 1, s.n);
	}
	if (!any)
		return RC_INVALID;
	*ret_s = total;
	return RC_OK;
}

void duration_text(int64_t seconds, char out[DURATION_TEXT_MAX])
{
	int64_t rest = seconds < 0 ? 0 : seconds;
	size_t n = 0;
	bool time = false;

	n += (size_t)snprintf(out, DURATION_TEXT_MAX, "P");
	for (size_t i = 1; i < COUNT_OF(UNITS); i++) {
		int64_t count = rest / UNITS[i].seconds;

		rest %= UNITS[i].seconds;
		if (count == 0)
			continue;
		n += (size_t)snprintf(out + n, DURATION_TEXT_MAX - n, "%s%lld%c",
				      UNITS[i].time && !time ? "T" : "", (long long)count,
				      UNITS[i].letter);
		time = time || UNITS[i].time;
	}
	if (n == 1)
		(void)snprintf(out, DURATION_TEXT_MAX, "PT0S");
}
