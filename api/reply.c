/* Successful replies and the JSON values of columns.
 * Never decides what a caller may see: handlers choose the columns. */
#include "api/reply.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct http_reply reply_json(int status, json_t *body)
{
	struct http_reply reply = { .status = status, .type = "application/json" };

	assert(body);
	reply.body = json_text(body);
	reply.n = strlen(reply.body);
	json_decref(body);
	return reply;
}

struct http_reply reply_out(int status, struct json_out *o)
{
	struct http_reply reply = { .status = status, .type = "application/json", .n = o->b.n };

	assert(!o->full);
	/* After n is read: initializers run in any order. */
	reply.body = buf_take(&o->b);
	return reply;
}

struct http_reply reply_page_out(struct json_out *o, const char *next_cursor)
{
	json_out_end(o, '[');
	if (*next_cursor)
		json_out_text(o, "next_cursor", str_c(next_cursor));
	else
		json_out_raw(o, "next_cursor", S("null"));
	json_out_end(o, '{');
	return reply_out(200, o);
}

struct http_reply reply_empty(int status)
{
	return (struct http_reply){ .status = status };
}

struct http_reply reply_page(json_t *data, const char *next_cursor)
{
	return reply_json(200, json_pack("{s:o, s:s?}", "data", data, "next_cursor",
					 *next_cursor ? next_cursor : NULL));
}

void reply_location(struct http_reply *reply, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reply->location, sizeof(reply->location), fmt, ap);
	va_end(ap);
}

json_t *reply_id(struct id id, const char *prefix)
{
	char text[ID_TEXT_MAX];

	if (id_eq(id, (struct id){ { 0 } }))
		return json_null();
	if (*prefix)
		id_text(id, prefix, text);
	else
		id_uuid(id, text);
	return json_string(text);
}

json_t *reply_text(const struct db_rows *rows, int row, const char *column)
{
	if (db_rows_is_null(rows, row, column))
		return json_null();
	return json_text_value(db_rows_text(rows, row, column));
}

/* "2026-11-24 07:32:27.12+00" -> "2026-11-24T07:32:27.12Z"; another offset is kept, as "+02:00". */
json_t *reply_time(const struct db_rows *rows, int row, const char *column)
{
	struct str s = db_rows_text(rows, row, column);
	char text[48];
	const char *offset = "";

	if (s.n < 20 || s.n > 40 || s.p[10] != ' ')
		return json_null(); /* NULL or infinity */
	if (str_ends(s, S("+00"))) {
		s.n -= 3;
		offset = "Z";
	} else if (s.p[s.n - 3] != ':') {
		offset = ":00";
	}
	(void)snprintf(text, sizeof(text), "%.10sT%.*s%s", s.p, (int)(s.n - 11), s.p + 11, offset);
	return json_string(text);
}

json_t *reply_i64(const struct db_rows *rows, int row, const char *column)
{
	if (db_rows_is_null(rows, row, column))
		return json_null();
	return json_integer(db_rows_i64(rows, row, column));
}

json_t *reply_bool(const struct db_rows *rows, int row, const char *column)
{
	if (db_rows_is_null(rows, row, column))
		return json_null();
	return json_boolean(db_rows_bool(rows, row, column));
}

json_t *reply_tree(const struct db_rows *rows, int row, const char *column)
{
	json_t *tree = db_rows_json(rows, row, column);

	return tree ? tree : json_null();
}
