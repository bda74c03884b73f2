/* Time zones: names that lead nowhere else, files that are not what they say, and offsets by table and by rule. */
#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t seconds_of(const char *text)
{
	int64_t wall = 0;

	assert_int_equal(clock_parse_iso(str_c(text), &wall), RC_OK);
	return wall / CLOCK_S;
}

static void dates_and_days_are_each_other(void **state)
{
	for (int64_t day = -200000; day < 200000; day++) {
		struct civil c = civil_of(day * 86400 + 86399);

		if (civil_days(c.year, c.month, c.day) != day || c.day < 1 ||
		    c.day > civil_days_in(c.year, c.month))
			fail_msg("day %lld", (long long)day);
	}
	assert_int_equal(civil_of(0).weekday, 4);
	assert_int_equal(civil_of(-1).weekday, 3);
	assert_int_equal(civil_of(-1).second, 59);
	assert_int_equal(civil_of(951782400).day, 29);
}

static const char *const NAMES[] = { "UTC",
				     "Europe/Berlin",
				     "America/Port-au-Prince",
				     "Etc/GMT+5",
				     "America/Argentina/ComodRivadavia",
				     "GB",
				     "EST5EDT" };
static const char *const NO_NAMES[] = {
	"",
	"/",
	"/Europe/Berlin",
	"Europe/Berlin/",
	"Europe//Berlin",
	"../../etc/passwd",
	"Europe/../UTC",
	"Europe/./Berlin",
	"europe/berlin",
	"localtime",
	"posix/Europe/Berlin",
	"right/UTC",
	"posixrules",
	"Europe/Berlin ",
	" UTC",
	"UTC\n",
	":UTC",
	"Europe\\Berlin",
	"A/B/C/D",
	"Europe/Berl\xc3\xadn",
	"CET-1CEST,M3.5.0",
	"-A",
	"+A",
	"Europe/Ber.lin",
	"zone.tab",
};

static void only_names_of_the_database_are_names(void **state)
{
	char text[ZONE_NAME_MAX + 2];

	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		assert_true(zone_is_name(str_c(NAMES[i])));
	for (size_t i = 0; i < COUNT_OF(NO_NAMES); i++)
		if (zone_is_name(str_c(NO_NAMES[i])))
			fail_msg("taken: %s", NO_NAMES[i]);
	assert_false(zone_is_name(str_n("UTC\0x", 5)));
	memset(text, 'A', sizeof(text));
	assert_true(zone_is_name(str_n(text, ZONE_NAME_MAX)));
	assert_false(zone_is_name(str_n(text, ZONE_NAME_MAX + 1)));
}

static void a_name_without_a_zone_is_refused(void **state)
{
	static const char *const UNKNOWN[] = { "Europe/Atlantis", "Europe", "America/Argentina",
					       "../x", "" };

	for (size_t i = 0; i < COUNT_OF(UNKNOWN); i++) {
		AUTO(zone) struct zone *z = NULL;
		struct err err = { 0 };

		assert_int_equal(zone_load(str_c(UNKNOWN[i]), &z, &err), RC_INVALID);
		assert_string_equal(err.code, "unknown_time_zone");
		assert_null(z);
	}
}

static int offset_at(const char *name, const char *at)
{
	AUTO(zone) struct zone *z = NULL;
	struct err err = { 0 };

	assert_int_equal(zone_load(str_c(name), &z, &err), RC_OK);
	return zone_span(z, seconds_of(at)).offset_s;
}

static void offsets_hold_until_the_second_of_the_change(void **state)
{
	assert_int_equal(offset_at("UTC", "2026-07-01T00:00:00Z"), 0);
	assert_int_equal(offset_at("Europe/Berlin", "2026-03-29T00:59:59Z"), 3600);
	assert_int_equal(offset_at("Europe/Berlin", "2026-03-29T01:00:00Z"), 7200);
	assert_int_equal(offset_at("Europe/Berlin", "2026-10-25T00:59:59Z"), 7200);
	assert_int_equal(offset_at("Europe/Berlin", "2026-10-25T01:00:00Z"), 3600);
	assert_int_equal(offset_at("Asia/Kathmandu", "2026-10-25T01:00:00Z"), 20700);
	/* By the rule of the footer, on both sides of the equator, and with summer as the standard time. */
	assert_int_equal(offset_at("Europe/Berlin", "2200-07-01T00:00:00Z"), 7200);
	assert_int_equal(offset_at("Europe/Berlin", "2200-01-01T00:00:00Z"), 3600);
	assert_int_equal(offset_at("Australia/Lord_Howe", "2200-01-01T00:00:00Z"), 39600);
	assert_int_equal(offset_at("Australia/Lord_Howe", "2200-07-01T00:00:00Z"), 37800);
	assert_int_equal(offset_at("Europe/Dublin", "2200-07-01T00:00:00Z"), 3600);
	assert_int_equal(offset_at("Europe/Dublin", "2200-01-01T00:00:00Z"), 0);
	assert_int_equal(offset_at("America/Sao_Paulo", "2200-01-01T00:00:00Z"), -10800);
	/* Before the table. */
	assert_int_equal(offset_at("Europe/Berlin", "1700-01-01T00:00:00Z"), 3208);
}

/* Spans must cover time without a hole: the end of one is the begin of the next, whose before_s is its offset. */
static void spans_follow_each_other(void **state)
{
	static const char *const ZONES[] = { "Europe/Berlin",       "Africa/Casablanca",
					     "Australia/Lord_Howe", "Pacific/Apia",
					     "America/New_York",    "Europe/Dublin" };

	for (size_t i = 0; i < COUNT_OF(ZONES); i++) {
		AUTO(zone) struct zone *z = NULL;
		struct err err = { 0 };
		struct zone_span s = { 0 }, next = { 0 };

		assert_int_equal(zone_load(str_c(ZONES[i]), &z, &err), RC_OK);
		s = zone_span(z, seconds_of("1960-01-01T00:00:00Z"));
		for (int n = 0; n < 400 && s.to != INT64_MAX; n++) {
			assert_int_equal(zone_span(z, s.to - 1).to, s.to);
			next = zone_span(z, s.to);
			assert_int_equal(next.from, s.to);
			assert_int_equal(next.before_s, s.offset_s);
			s = next;
		}
	}
}

enum { HEAD = 44 };

/* A file with the given 64-bit part behind an empty 32-bit one. */
static void put_head(struct buf *b, char version, const unsigned counts[6])
{
	char head[HEAD] = "TZif";

	head[4] = version;
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 4; k++)
			head[20 + 4 * i + k] = (char)(counts[i] >> (24 - 8 * k) & 0xff);
	assert_int_equal(buf_put(b, str_n(head, HEAD)), RC_OK);
}

static void put_number(struct buf *b, int64_t v, int bytes)
{
	for (int k = bytes - 1; k >= 0; k--)
		assert_int_equal(buf_putc(b, (char)((uint64_t)v >> (8 * k) & 0xff)), RC_OK);
}

struct made {
	char version;
	unsigned leaps, chars;
	int64_t times[2];
	int types[2], offset;
	const char *footer;
};

static const struct made GOOD = {
	'2', 0, 4, { 0, 1000 }, { 0, 0 }, 3600, "\nCET-1CEST,M3.5.0,M10.5.0/3\n"
};

static enum rc parse_made(const struct made *m)
{
	AUTO(buf) struct buf b = BUF_INIT(4096);
	AUTO(zone) struct zone *z = NULL;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	put_head(&b, m->version, (const unsigned[6]){ 0 });
	put_head(&b, m->version, (const unsigned[6]){ 0, 0, m->leaps, 2, 1, m->chars });
	for (int i = 0; i < 2; i++)
		put_number(&b, m->times[i], 8);
	for (int i = 0; i < 2; i++)
		put_number(&b, m->types[i], 1);
	put_number(&b, m->offset, 4);
	put_number(&b, 0, 2);
	assert_int_equal(buf_put(&b, S("CET\0")), RC_OK);
	if (m->leaps == 1)
		assert_int_equal(buf_put(&b, str_n((char[12]){ 0 }, 12)), RC_OK);
	assert_int_equal(buf_put(&b, str_c(m->footer)), RC_OK);
	rc = zone_parse(buf_str(&b), &z, &err);
	/* Cut anywhere it is refused, never read past its end. */
	for (size_t n = 0; n < b.n; n++) {
		AUTO(zone) struct zone *cut = NULL;
		AUTO_TEXT char *copy = mem_alloc(n + 1);

		memcpy(copy, b.p, n);
		assert_int_not_equal(zone_parse(str_n(copy, n), &cut, NULL), RC_OK);
	}
	return rc;
}

static void files_that_are_not_what_they_say_are_refused(void **state)
{
	struct made m = GOOD;

	assert_int_equal(parse_made(&m), RC_OK);
	m = GOOD;
	m.version = '\0';
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.leaps = 1;
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.chars = 0x7fffffff;
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.times[1] = 0;
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.times[0] = INT64_MIN;
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.types[1] = 1;
	assert_int_equal(parse_made(&m), RC_BROKEN);
	m = GOOD;
	m.offset = 100000;
	assert_int_equal(parse_made(&m), RC_BROKEN);
}

static void a_rule_that_cannot_be_read_is_refused(void **state)
{
	static const char *const FOOTERS[] = {
		"",
		"CET-1",
		"\nCET-1",
		"\nCE-1\n",
		"\nCET\n",
		"\nCET-99\n",
		"\nCET-1CEST\n",
		"\nCET-1CEST,M3.5.0\n",
		"\nCET-1CEST,M13.5.0,M10.5.0\n",
		"\nCET-1CEST,M3.6.0,M10.5.0\n",
		"\nCET-1CEST,M3.5.7,M10.5.0\n",
		"\nCET-1CEST,J0,J365\n",
		"\nCET-1CEST,366,1\n",
		"\nCET-1CEST,M3.5.0/168,M10.5.0\n",
		"\nCET-1CEST,M3.5.0,M10.5.0x\n",
		"\n<+01-1\n",
		"\nCET-1:60\n",
		"\n<+0123456789abcdefg>-1\n",
	};
	static const char *const GOOD_FOOTERS[] = { "\n\n",
						    "\n<+01>-1\n",
						    "\nCET-1CEST,J60,J300\n",
						    "\nCET-1CEST,0/0,J365/23\n",
						    "\n<-02>2<-01>,M3.5.0/-1,M10.5.0/0\n",
						    "\nIST-1GMT0,M10.5.0,M3.5.0/1\n" };
	struct made m = GOOD;

	for (size_t i = 0; i < COUNT_OF(FOOTERS); i++) {
		m.footer = FOOTERS[i];
		if (parse_made(&m) != RC_BROKEN)
			fail_msg("taken: %s", FOOTERS[i]);
	}
	for (size_t i = 0; i < COUNT_OF(GOOD_FOOTERS); i++) {
		m.footer = GOOD_FOOTERS[i];
		if (parse_made(&m) != RC_OK)
			fail_msg("refused: %s", GOOD_FOOTERS[i]);
	}
}

static void large_files_are_refused_before_they_are_read(void **state)
{
	AUTO(zone) struct zone *z = NULL;
	AUTO_TEXT char *bytes = mem_alloc(ZONE_FILE_MAX + 1);
	struct err err = { 0 };

	memcpy(bytes, "TZif2", 5);
	assert_int_equal(zone_parse(str_n(bytes, ZONE_FILE_MAX + 1), &z, &err), RC_BROKEN);
	assert_null(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_and_days_are_each_other),
		cmocka_unit_test(only_names_of_the_database_are_names),
		cmocka_unit_test(a_name_without_a_zone_is_refused),
		cmocka_unit_test(offsets_hold_until_the_second_of_the_change),
		cmocka_unit_test(spans_follow_each_other),
		cmocka_unit_test(files_that_are_not_what_they_say_are_refused),
		cmocka_unit_test(a_rule_that_cannot_be_read_is_refused),
		cmocka_unit_test(large_files_are_refused_before_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
