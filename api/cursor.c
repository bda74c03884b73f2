/* Page cursors. The hash is a guard against mistakes, not a secret: row-level security decides what
 * a caller may read, whatever a cursor says. */
#include "api/cursor.h"
#include "base/text.h"

#include <stdio.h>

static struct str query_of(const struct http_request *req, struct str name)
{
	for (int i = 0; i < req->query_n; i++)
		if (str_eq(str_c(req->query[i].name), name))
			return str_c(req->query[i].value);
	return S("");
}

/* In the order of the route's list, so that the order in which a client sends filters is nothing. */
static struct id bind(const struct http_request *req, struct str position)
{
	struct str parts[4 + 2 * HTTP_QUERY_MAX], names = str_c(req->route->query);
	size_t n = 0;

	parts[n++] = S("cursor1");
	parts[n++] = str_n(req->caller.org_id.b, ID_BYTES);
	parts[n++] = req->path;
	parts[n++] = position;
	while (names.n > 0 && n + 2 <= COUNT_OF(parts)) {
		struct str name = str_cut(&names, ',');

		if (str_eq(name, S("cursor")) || str_eq(name, S("limit")))
			continue;
		parts[n++] = name;
		parts[n++] = query_of(req, name);
	}
	return id_hash(parts, n);
}

static bool unhex(struct str s, char *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] =
			(char)(i % 2 ? (unsigned char)out[i / 2] | (unsigned)v : (unsigned)v << 4);
	}
	return s.n % 2 == 0;
}

static enum rc read_position(const struct http_request *req, struct str text, struct cursor *ret,
			     struct err *err)
{
	char bytes[CURSOR_POSITION_MAX + ID_BYTES] = { 0 };
	size_t n = text.n / 2;
	struct id want = { 0 };

	if (n > ID_BYTES && n <= sizeof(bytes) && unhex(text, bytes)) {
		want = bind(req, str_n(bytes + ID_BYTES, n - ID_BYTES));
		if (memcmp(want.b, bytes, ID_BYTES) == 0) {
			memcpy(ret->position, bytes + ID_BYTES, n - ID_BYTES);
			ret->position[n - ID_BYTES] = '\0';
			return RC_OK;
		}
	}
	return err_field(
		err, "?cursor", "invalid_cursor",
		"The cursor does not belong to this list with these filters; start without one.");
}

enum rc cursor_read(const struct http_request *req, struct cursor *ret, struct err *err)
{
	struct str limit = http_query(req, "limit"), text = http_query(req, "cursor");
	int64_t n = 0;

	ret->limit = CURSOR_LIMIT;
	ret->position[0] = '\0';
	if (limit.n > 0) {
		if (!str_to_i64(limit, &n) || n < 1)
			return err_field(err, "?limit", "invalid_limit",
					 "limit is a number from 1 to %d.", CURSOR_LIMIT_MAX);
		ret->limit = n > CURSOR_LIMIT_MAX ? CURSOR_LIMIT_MAX : (int)n;
	}
	return text.n > 0 ? read_position(req, text, ret, err) : RC_OK;
}

enum rc cursor_id(const struct cursor *c, const char *prefix, struct id *ret, struct err *err)
{
	struct str s = str_c(c->position);
	enum rc rc = s.n == 0 ? RC_OK : *prefix ? id_parse(s, prefix, ret) : id_parse_uuid(s, ret);

	return rc == RC_OK
		       ? rc
		       : err_field(err, "?cursor", "invalid_cursor",
				   "The cursor does not belong to this list; start without one.");
}

void cursor_text(const struct http_request *req, struct str position, char out[CURSOR_TEXT_MAX])
{
	AUTO(buf) struct buf b = BUF_INIT(CURSOR_TEXT_MAX);
	struct id hash = bind(req, position);

	out[0] = '\0';
	if (text_hex(&b, str_n(hash.b, ID_BYTES)) == RC_OK && text_hex(&b, position) == RC_OK)
		(void)snprintf(out, CURSOR_TEXT_MAX, "%s", buf_c(&b));
}
