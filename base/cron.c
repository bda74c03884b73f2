/* Cron expressions: parsed into bits, searched span by span of one offset, so that the hours around a change
 * of the clock are looked at as what they are. Never guesses at what an expression could mean. */
#include "base/cron.h"
#include "base/civil.h"

enum { FIELDS = 5, HOURS_ALL = (1 << 24) - 1, DAY_S = 86400 };

struct range {
	const char *name;
	int min, max;
	const char *names; /* of three letters each; the first stands for min */
};

static const struct range RANGES[FIELDS] = {
	{ "minute", 0, 59, "" },
	{ "hour", 0, 23, "" },
	{ "day of month", 1, 31, "" },
	{ "month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
	{ "day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT" },
};

static const struct {
	const char *name, *means;
} NICKNAMES[] = {
	{ "@hourly", "0 * * * *" },  { "@daily", "0 0 * * *" },  { "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
};

static enum rc bad(struct err *err, const struct range *r, const char *why)
{
	return err_set(err, RC_INVALID, "invalid_cron", "The %s field of the cron expression %s.",
		       r->name, why);
}

/* A number or a name. */
static bool value_of(struct str s, const struct range *r, int *ret)
{
	int v = 0;

	if (s.n == 3)
		for (int i = 0; r->names[3 * i]; i++)
			if (str_eq_nocase(s, str_n(r->names + 3 * i, 3))) {
				*ret = r->min + i;
				return true;
			}
	if (s.n == 0 || s.n > 2)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = v;
	return v >= r->min && v <= r->max;
}

static bool is_known(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '*' || c == '-' || c == '/' || c == ',';
}

/* "from-to" or "value" or "*". */
static enum rc take_span(struct str s, const struct range *r, bool stepped, int *from, int *to,
			 struct err *err)
{
	struct str rest = s, head = str_cut(&rest, '-');
	bool is_range = head.n < s.n;

	*from = r->min;
	*to = r->max;
	if (str_eq(s, S("*")))
		return RC_OK;
	if (!value_of(head, r, from) || (is_range && !value_of(rest, r, to)))
		return bad(err, r, "has a value that is none, or is out of range");
	/* A week that ends on SUN ends on the seventh day. */
	if (is_range && r->max == 7 && *to == 0 && *from > 0)
		*to = 7;
	if (is_range && *from > *to)
		return bad(err, r, "has a range that runs backwards");
	if (!is_range && stepped)
		return bad(err, r, "has a step after a single value; a step follows * or a range");
	if (!is_range)
		*to = *from;
	return RC_OK;
}

static enum rc take_item(struct str s, const struct range *r, uint64_t *bits, struct err *err)
{
	struct str rest = s, head = str_cut(&rest, '/');
	bool stepped = head.n < s.n;
	int64_t step = 1;
	int from = 0, to = 0;
	enum rc rc = take_span(head, r, stepped, &from, &to, err);

	if (rc != RC_OK)
		return rc;
	if (stepped && (rest.n > 2 || !str_to_i64(rest, &step) || step < 1 || step > r->max))
		return bad(err, r, "has a step that is no number, zero or larger than the field");
	for (int v = from; v <= to; v += (int)step)
		*bits |= UINT64_C(1) << v;
	return RC_OK;
}

static enum rc take_field(struct str s, const struct range *r, uint64_t *bits, struct err *err)
{
	struct str rest = s;
	size_t commas = 0, items = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_known(s.p[i]))
			return bad(err, r,
				   "has a character other than letters, digits, * , - and /"
				   " (?, L, W and # are not known here)");
		commas += s.p[i] == ',';
	}
	*bits = 0;
	for (; items <= commas; items++) {
		enum rc rc = take_item(str_cut(&rest, ','), r, bits, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Exactly five fields with one or more spaces between them. */
static bool split(struct str s, struct str out[FIELDS])
{
	struct str rest = s;
	int n = 0;

	while (rest.n > 0) {
		struct str part = str_cut(&rest, ' ');

		if (part.n == 0)
			continue;
		if (n == FIELDS)
			return false;
		out[n++] = part;
	}
	return n == FIELDS;
}

/* Whether some month has one of the days. */
static bool has_date(const struct cron *c)
{
	for (int month = 1; month <= 12; month++)
		for (int day = 1; day <= civil_days_in(2000, month); day++)
			if (c->months >> month & 1 && c->days >> day & 1)
				return true;
	return false;
}

static struct str meaning_of(struct str text)
{
	for (size_t i = 0; i < COUNT_OF(NICKNAMES); i++)
		if (str_eq(text, str_c(NICKNAMES[i].name)))
			return str_c(NICKNAMES[i].means);
	return text;
}

enum rc cron_parse(struct str text, struct cron *ret, struct err *err)
{
	struct str fields[FIELDS];
	uint64_t bits[FIELDS] = { 0 };
	struct cron c = { 0 };

	if (text.n > CRON_TEXT_MAX)
		return err_set(err, RC_INVALID, "invalid_cron",
			       "A cron expression has at most %d characters.", CRON_TEXT_MAX);
	if (!split(meaning_of(text), fields))
		return err_set(
			err, RC_INVALID, "invalid_cron",
			"A cron expression has the five fields minute, hour, day of month, month"
			" and day of week, or is @hourly, @daily, @weekly, @monthly or @yearly.");
	for (int i = 0; i < FIELDS; i++) {
		enum rc rc = take_field(fields[i], &RANGES[i], &bits[i], err);

		if (rc != RC_OK)
			return rc;
	}
	c = (struct cron){ .minutes = bits[0],
			   .hours = (uint32_t)bits[1],
			   .days = (uint32_t)bits[2],
			   .months = (uint16_t)bits[3],
			   .weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f),
			   .any_day = str_eq(fields[2], S("*")),
			   .any_weekday = str_eq(fields[4], S("*")) };
	if (c.any_weekday && !has_date(&c))
		return err_set(
			err, RC_INVALID, "invalid_cron",
			"The cron expression names a date that never comes, such as 30 February.");
	*ret = c;
	return RC_OK;
}

static bool fits_day(const struct cron *c, const struct civil *d)
{
	bool day = c->days >> d->day & 1, weekday = c->weekdays >> d->weekday & 1;

	if (!(c->months >> d->month & 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* The first fitting second of the day from the given one on; -1: none. */
static int64_t fits_time(const struct cron *c, int64_t from)
{
	for (int64_t hour = from / 3600; hour < 24; hour++) {
		int64_t minute = hour == from / 3600 ? from / 60 % 60 : 0;

		if (!(c->hours >> hour & 1))
			continue;
		for (; minute < 60; minute++)
			if (c->minutes >> minute & 1)
				return hour * 3600 + minute * 60;
	}
	return -1;
}

/* The first fitting local time in [from, to), both in seconds as if local time were UTC. */
static bool search(const struct cron *c, int64_t from, int64_t to, int64_t *ret)
{
	int64_t up = from + (60 - 1), local = up - ((up % 60) + 60) % 60;

	while (local < to) {
		struct civil d = civil_of(local);
		int64_t midnight = local - d.hour * 3600 - d.minute * 60;
		int64_t time = fits_day(c, &d) ? fits_time(c, local - midnight) : -1;

		if (time >= 0) {
			*ret = midnight + time;
			return *ret < to;
		}
		local = midnight + DAY_S;
	}
	return false;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Within one span, at or after from and before to. */
static bool search_span(const struct cron *c, const struct zone_span *s, int64_t from, int64_t to,
			int64_t *ret)
{
	bool every_hour = c->hours == HOURS_ALL, found = false;
	int64_t shift = s->offset_s - s->before_s; /* how far the clock was put forward */
	int64_t start = larger(from, s->from), end = smaller(to, s->to), local = 0;

	if (!every_hour && shift < 0) /* what exists twice was due the first time */
		start = larger(start, s->from - shift);
	found = search(c, start + s->offset_s, end + s->offset_s, &local);
	if (found)
		*ret = local - s->offset_s;
	if (every_hour || shift <= 0)
		return found;
	/* What was skipped: read with the offset before. */
	if (search(c, larger(from, s->from) + s->before_s, s->from + s->offset_s, &local) &&
	    (!found || local - s->before_s < *ret)) {
		*ret = local - s->before_s;
		return true;
	}
	return found;
}

enum rc cron_next(const struct cron *c, const struct zone *z, int64_t after, int64_t *ret)
{
	int64_t at = after + 1, limit = after + (int64_t)CRON_SEARCH_DAYS * DAY_S;

	while (at < limit) {
		struct zone_span s = zone_span(z, at);

		if (search_span(c, &s, at, limit, ret))
			return RC_OK;
		at = s.to;
	}
	return RC_NOT_FOUND;
}
