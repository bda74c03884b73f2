/* TZif files (RFC 9636): the table of transitions of their 64-bit part and the rule of their footer.
 * Files are read whole, bounded, and judged before anything in them is used; leap seconds are refused,
 * since Unix time has none. Never leaves the database's folder. */
#include "base/zone.h"
#include "base/mem.h"
#include "base/zone_rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
/* Further out than any year; some compilers of the database write a transition at -2^59. */
#define ZONE_TIME_MAX (INT64_C(1) << 60)

enum { PARTS_MAX = 3, CHANGES_MAX = 4096, TYPES_MAX = 256, HEAD_BYTES = 44, TYPE_BYTES = 6 };

struct zone {
	struct zone_change *changes;
	size_t n;
	int first_s; /* before the first change */
	bool has_rule;
	struct zone_rule rule;
};

/* What a header counts; in the order of the file. */
struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

void zone_free(struct zone *z)
{
	if (!z)
		return;
	mem_free(z->changes);
	mem_free(z);
}

static bool is_name_part(struct str s)
{
	if (s.n == 0 || s.p[0] < 'A' || s.p[0] > 'Z')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+')
			return false;
	}
	return true;
}

bool zone_is_name(struct str name)
{
	struct str rest = name;
	int parts = 0;

	if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[name.n - 1] == '/')
		return false;
	while (rest.n > 0) {
		if (!is_name_part(str_cut(&rest, '/')) || ++parts > PARTS_MAX)
			return false;
	}
	return true;
}

static uint64_t big_endian(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static enum rc damaged(struct err *err, const char *what)
{
	return err_set(err, RC_BROKEN, "time_zone_damaged",
		       "the time zone file is not acceptable: %s", what);
}

/* Cuts a header off *s. */
static enum rc take_head(struct str *s, struct counts *ret, struct err *err)
{
	uint32_t n[6] = { 0 };

	if (s->n < HEAD_BYTES || !str_starts(*s, S("TZif")))
		return damaged(err, "no TZif header");
	if (s->p[4] < '2')
		return damaged(err, "version 1 has no 64-bit times");
	for (size_t i = 0; i < COUNT_OF(n); i++) {
		n[i] = (uint32_t)big_endian(s->p + 20 + 4 * i, 4);
		if (n[i] > ZONE_FILE_MAX)
			return damaged(err, "a count is out of bounds");
	}
	*ret = (struct counts){ n[0], n[1], n[2], n[3], n[4], n[5] };
	*s = str_sub(*s, HEAD_BYTES, s->n);
	return RC_OK;
}

static size_t body_bytes(const struct counts *c, size_t time_bytes)
{
	return c->time * (time_bytes + 1) + (size_t)c->type * TYPE_BYTES + c->chars +
	       c->leap * (time_bytes + 4) + c->isstd + c->isut;
}

static bool offset_of(const char *types, size_t i, int *ret)
{
	*ret = (int)(int32_t)big_endian(types + i * TYPE_BYTES, 4);
	return *ret >= -ZONE_OFFSET_MAX_S && *ret <= ZONE_OFFSET_MAX_S;
}

static enum rc read_table(struct zone *z, struct str body, const struct counts *c, struct err *err)
{
	const char *indexes = body.p + c->time * sizeof(int64_t);
	const char *types = indexes + c->time;

	if (c->time > CHANGES_MAX || c->type == 0 || c->type > TYPES_MAX || c->leap > 0)
		return damaged(err, "too many transitions, no types, or leap seconds");
	z->changes = mem_array(c->time + 1, sizeof(*z->changes));
	z->n = c->time;
	if (!offset_of(types, 0, &z->first_s))
		return damaged(err, "an offset is out of bounds");
	for (size_t i = 0; i < z->n; i++) {
		size_t type = (unsigned char)indexes[i];

		z->changes[i].at = (int64_t)big_endian(body.p + i * sizeof(int64_t), 8);
		if (type >= c->type || !offset_of(types, type, &z->changes[i].offset_s))
			return damaged(err, "an offset is out of bounds");
		if (z->changes[i].at < -ZONE_TIME_MAX || z->changes[i].at > ZONE_TIME_MAX ||
		    (i > 0 && z->changes[i].at <= z->changes[i - 1].at))
			return damaged(err, "transitions are not in order");
	}
	return RC_OK;
}

static enum rc read_footer(struct zone *z, struct str footer, struct err *err)
{
	if (footer.n < 2 || footer.p[0] != '\n' || footer.p[footer.n - 1] != '\n')
		return damaged(err, "no footer");
	z->has_rule = footer.n > 2;
	if (z->has_rule && !zone_rule_parse(str_sub(footer, 1, footer.n - 2), &z->rule))
		return damaged(err, "the rule in its footer cannot be read");
	return RC_OK;
}

enum rc zone_parse(struct str file, struct zone **ret, struct err *err)
{
	AUTO(zone) struct zone *z = MEM_NEW(struct zone);
	struct counts c = { 0 };
	struct str rest = file;
	enum rc rc = RC_OK;

	if (file.n > ZONE_FILE_MAX)
		return damaged(err, "it is too large");
	rc = take_head(&rest, &c, err);
	if (rc != RC_OK)
		return rc;
	if (body_bytes(&c, 4) > rest.n)
		return damaged(err, "it is cut short");
	rest = str_sub(rest, body_bytes(&c, 4), rest.n);
	rc = take_head(&rest, &c, err);
	if (rc != RC_OK)
		return rc;
	if (body_bytes(&c, sizeof(int64_t)) > rest.n)
		return damaged(err, "it is cut short");
	rc = read_table(z, rest, &c, err);
	if (rc == RC_OK)
		rc = read_footer(z, str_sub(rest, body_bytes(&c, sizeof(int64_t)), rest.n), err);
	if (rc == RC_OK)
		*ret = TAKE(z);
	return rc;
}

static enum rc unknown(struct err *err)
{
	return err_set(err, RC_INVALID, "unknown_time_zone",
		       "A time zone is a name of the IANA database, such as Europe/Berlin or UTC.");
}

/* What fd holds, one byte more than is acceptable at most. */
static enum rc read_whole(int fd, char *bytes, size_t *ret_n, struct err *err)
{
	struct stat st = { 0 };
	size_t n = 0;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return unknown(err);
	while (n <= ZONE_FILE_MAX) {
		ssize_t got = read(fd, bytes + n, ZONE_FILE_MAX + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, RC_BROKEN, "time_zone_unreadable",
				       "a file below " ZONE_FOLDER " cannot be read");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return RC_OK;
}

enum rc zone_load(struct str name, struct zone **ret, struct err *err)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX + 2];
	AUTO_TEXT char *bytes = NULL;
	enum rc rc = RC_OK;
	size_t n = 0;
	int fd = -1;

	if (!zone_is_name(name))
		return unknown(err);
	if (str_eq(name, S("UTC"))) {
		*ret = MEM_NEW(struct zone);
		return RC_OK;
	}
	(void)snprintf(path, sizeof(path), ZONE_FOLDER "/%.*s", STR_FMT(name));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return unknown(err);
	bytes = mem_alloc(ZONE_FILE_MAX + 1);
	rc = read_whole(fd, bytes, &n, err);
	(void)close(fd);
	return rc == RC_OK ? zone_parse(str_n(bytes, n), ret, err) : rc;
}

/* How many of the changes are at or before the instant. */
static size_t count_until(const struct zone_change *c, size_t n, int64_t at)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* After the last transition the rule goes on: its first change later than that ends the table's last span. */
static struct zone_span by_rule(const struct zone *z, int64_t at, struct zone_span span)
{
	struct zone_change c[ZONE_RULE_CHANGES];
	int n = zone_rule_changes(&z->rule, at, c);

	for (int i = 0; i < n; i++) {
		if (c[i].at <= span.from || c[i].offset_s == span.offset_s)
			continue;
		if (c[i].at > at) {
			span.to = c[i].at;
			break;
		}
		span = (struct zone_span){ c[i].at, INT64_MAX, c[i].offset_s, span.offset_s };
	}
	return span;
}

struct zone_span zone_span(const struct zone *z, int64_t at)
{
	size_t i = count_until(z->changes, z->n, at);
	struct zone_span span = { INT64_MIN, INT64_MAX, z->first_s, z->first_s };

	if (i > 0) {
		span.from = z->changes[i - 1].at;
		span.offset_s = z->changes[i - 1].offset_s;
		span.before_s = i > 1 ? z->changes[i - 2].offset_s : z->first_s;
	}
	if (i < z->n)
		span.to = z->changes[i].at;
	else if (z->has_rule)
		span = by_rule(z, at, span);
	return span;
}
