/* Page cursors. The hash is a guard against mistakes, not a secret: row-level security decides what
 * a caller may read, whatever a cursor says. */
#include "api/cursor.h"
#include "api/fields.h"
#include "api/reply.h"
#include "base/text.h"

#include <stdio.h>

#define MOMENT_MAX_US INT64_C(253402300799999999) /* the end of the year 9999 */

static struct str query_of(const struct http_request *req, const char *name)
{
	for (int i = 0; i < req->query_n; i++)
		if (strcmp(req->query[i].name, name) == 0)
			return str_c(req->query[i].value);
	return S("");
}

/* In the order of the route's list, so that the order in which a client sends filters is nothing. */
static struct id bind(const struct http_request *req, struct str position)
{
	struct str parts[4 + 2 * HTTP_QUERY_MAX];
	size_t n = 0;

	parts[n++] = S("cursor1");
	parts[n++] = str_n(req->caller.org_id.b, ID_BYTES);
	parts[n++] = req->path;
	parts[n++] = position;
	for (const struct field *f = req->route->query;
	     f->kind != FIELD_END && n + 2 <= COUNT_OF(parts); f++) {
		/* How a list begins and how much of it is sent: no filters. */
		if (strcmp(f->name, "cursor") == 0 || strcmp(f->name, "limit") == 0 ||
		    strcmp(f->name, "start") == 0)
			continue;
		parts[n++] = str_c(f->name);
		parts[n++] = query_of(req, f->name);
	}
	return id_hash(parts, n);
}

/* s.n / 2 bytes; the room is the caller's to check. */
static bool unhex(struct str s, char *out)
{
	if (s.n % 2 != 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] =
			(char)(i % 2 ? (unsigned char)out[i / 2] | (unsigned)v : (unsigned)v << 4);
	}
	return true;
}

/* What cursor_text() is given is text of one or more lines; whoever forges a cursor may put anything
 * there, and the database would refuse it as our fault. */
static bool is_position(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n') || s.p[i] == 0x7f)
			return false;
	return text_is_utf8(s);
}

static enum rc foreign(struct err *err)
{
	return err_field(
		err, "?cursor", "invalid_cursor",
		"The cursor does not belong to this list with these filters; start without one.");
}

static enum rc read_position(const struct http_request *req, struct str text, struct cursor *ret,
			     struct err *err)
{
	char bytes[CURSOR_POSITION_MAX + ID_BYTES] = { 0 };
	size_t n = text.n / 2;
	struct str position = S("");
	struct id want = { 0 };

	if (n <= ID_BYTES || n > sizeof(bytes) || !unhex(text, bytes))
		return foreign(err);
	position = str_n(bytes + ID_BYTES, n - ID_BYTES);
	want = bind(req, position);
	if (memcmp(want.b, bytes, ID_BYTES) != 0 || !is_position(position))
		return foreign(err);
	memcpy(ret->position, position.p, position.n);
	ret->position[position.n] = '\0';
	return RC_OK;
}

/* A number past every int is as much too large as 501. */
static bool read_limit(struct str s, int *ret)
{
	bool digits = s.n > 0, zero = true;
	int64_t n = CURSOR_LIMIT_MAX;

	for (size_t i = 0; i < s.n; i++) {
		digits = digits && s.p[i] >= '0' && s.p[i] <= '9';
		zero = zero && s.p[i] == '0';
	}
	if (!digits || zero)
		return false;
	if (!str_to_i64(s, &n) || n > CURSOR_LIMIT_MAX)
		n = CURSOR_LIMIT_MAX;
	*ret = (int)n;
	return true;
}

enum rc cursor_read(const struct http_request *req, struct cursor *ret, struct err *err)
{
	struct str limit = http_query(req, "limit"), text = http_query(req, "cursor");

	ret->limit = CURSOR_LIMIT;
	ret->position[0] = '\0';
	if (limit.n > 0 && !read_limit(limit, &ret->limit))
		return err_field(err, "?limit", "invalid_limit", "limit is a number from 1 to %d.",
				 CURSOR_LIMIT_MAX);
	return text.n > 0 ? read_position(req, text, ret, err) : RC_OK;
}

enum rc cursor_id(const struct cursor *c, const char *prefix, struct id *ret, struct err *err)
{
	struct str s = str_c(c->position);
	enum rc rc = s.n == 0 ? RC_OK : *prefix ? id_parse(s, prefix, ret) : id_parse_uuid(s, ret);

	return rc == RC_OK ? rc : foreign(err);
}

enum rc cursor_moment(const struct cursor *c, int64_t *ret_us, int64_t *ret_id, struct err *err)
{
	struct str rest = str_c(c->position), us = str_cut(&rest, ':');

	*ret_us = *ret_id = 0;
	if (c->position[0] == '\0')
		return RC_OK;
	if (!str_to_i64(us, ret_us) || !str_to_i64(rest, ret_id) || *ret_us < 1 ||
	    *ret_us > MOMENT_MAX_US || *ret_id < 0)
		return foreign(err);
	return RC_OK;
}

void cursor_text(const struct http_request *req, struct str position, char out[CURSOR_TEXT_MAX])
{
	AUTO(buf) struct buf b = BUF_INIT(CURSOR_TEXT_MAX);
	struct id hash = bind(req, position);

	out[0] = '\0';
	if (text_hex(&b, str_n(hash.b, ID_BYTES)) == RC_OK && text_hex(&b, position) == RC_OK)
		(void)snprintf(out, CURSOR_TEXT_MAX, "%s", buf_c(&b));
}

struct http_reply cursor_page(const struct http_request *req, const struct cursor *c,
			      const struct db_rows *rows, cursor_json *as_json, const char *column,
			      const char *prefix)
{
	json_t *data = json_array();
	char next[CURSOR_TEXT_MAX] = "", last[ID_TEXT_MAX];
	struct id id = { { 0 } };

	for (int i = 0; i < db_rows_count(rows) && i < c->limit; i++)
		(void)json_array_append_new(data, as_json(rows, i));
	if (db_rows_count(rows) > c->limit) {
		id = db_rows_id(rows, c->limit - 1, column);
		if (*prefix)
			id_text(id, prefix, last);
		else
			id_uuid(id, last);
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}
