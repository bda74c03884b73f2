/* The rule for the time after a TZif file's last transition: a POSIX TZ string such as
 * "CET-1CEST,M3.5.0,M10.5.0/3". Never reads the environment. */
#include "base/zone_rule.h"
#include "base/civil.h"

enum { NAME_MIN = 3, NAME_MAX = 16, HOURS_MAX = 167 };

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool take_number(struct str *s, int max, int *ret)
{
	int v = 0;
	size_t n = 0;

	while (n < s->n && n < 3 && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (s->p[n++] - '0');
	*s = str_sub(*s, n, s->n);
	*ret = v;
	return n > 0 && v <= max;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET" or "<+0330>". */
static bool take_name(struct str *s)
{
	bool quoted = take_char(s, '<');
	size_t n = 0;

	while (n < s->n && (quoted ? s->p[n] != '>' : is_letter(s->p[n])))
		n++;
	if (n < NAME_MIN || n > NAME_MAX)
		return false;
	*s = str_sub(*s, n, s->n);
	return !quoted || take_char(s, '>');
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int64_t *ret)
{
	int64_t sign = take_char(s, '-') ? -1 : 1;
	int hours = 0, minutes = 0, seconds = 0;

	if (sign > 0)
		(void)take_char(s, '+');
	if (!take_number(s, HOURS_MAX, &hours))
		return false;
	if (take_char(s, ':') && !take_number(s, 59, &minutes))
		return false;
	if (take_char(s, ':') && !take_number(s, 59, &seconds))
		return false;
	*ret = sign * ((int64_t)hours * 3600 + minutes * 60 + seconds);
	return true;
}

/* Offsets are written west of UTC. */
static bool take_offset(struct str *s, int *ret)
{
	int64_t west = 0;

	if (!take_time(s, &west) || west < -ZONE_OFFSET_MAX_S || west > ZONE_OFFSET_MAX_S)
		return false;
	*ret = (int)-west;
	return true;
}

static bool take_date(struct str *s, struct zone_date *ret)
{
	*ret = (struct zone_date){ .kind = 'n', .at_s = 2 * 3600 };
	if (take_char(s, 'M')) {
		ret->kind = 'M';
		if (!take_number(s, 12, &ret->month) || ret->month < 1 || !take_char(s, '.') ||
		    !take_number(s, 5, &ret->week) || ret->week < 1 || !take_char(s, '.') ||
		    !take_number(s, 6, &ret->day))
			return false;
	} else {
		if (take_char(s, 'J'))
			ret->kind = 'J';
		if (!take_number(s, 365, &ret->day) || (ret->kind == 'J' && ret->day < 1))
			return false;
	}
	return !take_char(s, '/') || take_time(s, &ret->at_s);
}

bool zone_rule_parse(struct str text, struct zone_rule *ret)
{
	struct zone_rule r = { .has_dst = false };
	struct str s = text;

	if (!take_name(&s) || !take_offset(&s, &r.std_s))
		return false;
	if (s.n > 0) {
		r.has_dst = true;
		r.dst_s = r.std_s + 3600;
		if (!take_name(&s) || s.n == 0)
			return false;
		if (s.p[0] != ',' && !take_offset(&s, &r.dst_s))
			return false;
		if (!take_char(&s, ',') || !take_date(&s, &r.start) || !take_char(&s, ',') ||
		    !take_date(&s, &r.end))
			return false;
	}
	*ret = r;
	return s.n == 0;
}

/* Local seconds at which the date of that year is. */
static int64_t local_of(const struct zone_date *d, int64_t year)
{
	int64_t first = civil_days(year, 1, 1), day = 0;
	int leap = civil_days_in(year, 2) == 29, back = 0;

	if (d->kind == 'n') {
		day = first + d->day;
	} else if (d->kind == 'J') { /* 29 February is never counted */
		day = first + d->day - 1 + (leap && d->day >= 60);
	} else {
		day = civil_days(year, d->month, 1);
		day += (d->day - civil_weekday(day) + 7) % 7 + 7 * (d->week - 1);
		back = day >= civil_days(year, d->month, 1) + civil_days_in(year, d->month);
		day -= 7 * back;
	}
	return day * ZONE_DAY_S + d->at_s;
}

static int drop_pairs(struct zone_change *c, int n)
{
	int kept = 0;

	/* A change and its opposite at one instant are none: daylight saving time all the year. */
	for (int i = 0; i < n; i++) {
		if (i + 1 < n && c[i].at == c[i + 1].at)
			i++;
		else
			c[kept++] = c[i];
	}
	return kept;
}

int zone_rule_changes(const struct zone_rule *r, int64_t at,
		      struct zone_change out[ZONE_RULE_CHANGES])
{
	struct civil c = civil_of(at);
	int n = 0;

	if (!r->has_dst)
		return 0;
	for (int64_t year = c.year - 1; year <= c.year + 1; year++) {
		out[n++] = (struct zone_change){ local_of(&r->start, year) - r->std_s, r->dst_s };
		out[n++] = (struct zone_change){ local_of(&r->end, year) - r->dst_s, r->std_s };
	}
	for (int i = 1; i < n; i++) {
		struct zone_change moved = out[i];
		int j = i;

		for (; j > 0 && out[j - 1].at > moved.at; j--)
			out[j] = out[j - 1];
		out[j] = moved;
	}
	return drop_pairs(out, n);
}
