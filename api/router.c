/* Matching of raw paths against the route table, and the query string.
 * Never decodes a path: ids and words of the table need no escapes. */
#include "api/router.h"
#include "api/value.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>

enum { VALUE_MAX = 2048 };

/* What the holes of the pattern matched goes to found (in order). A hole is a whole segment. */
static bool matches(const char *pattern, struct str path, struct str found[HTTP_SEGMENTS_MAX])
{
	size_t at = 0;
	int n = 0;

	for (;;) {
		if (*pattern == '{') {
			size_t from = at;

			while (at < path.n && path.p[at] != '/')
				at++;
			if (at == from || n == HTTP_SEGMENTS_MAX)
				return false;
			found[n++] = str_sub(path, from, at - from);
			pattern = strchr(pattern, '}') + 1;
		} else if (!*pattern || at == path.n) {
			return !*pattern && at == path.n;
		} else if (*pattern++ != path.p[at++]) {
			return false;
		}
	}
}

/* Methods are few: the list of one path is one of these. */
static const char *allow_text(unsigned mask)
{
	static const char *const NAMES[] = {
		"",
		"GET",
		"POST",
		"GET, POST",
		"PATCH",
		"GET, PATCH",
		"POST, PATCH",
		"GET, POST, PATCH",
		"DELETE",
		"GET, DELETE",
		"POST, DELETE",
		"GET, POST, DELETE",
		"PATCH, DELETE",
		"GET, PATCH, DELETE",
		"POST, PATCH, DELETE",
		"GET, POST, PATCH, DELETE",
	};

	return NAMES[mask & 15];
}

static unsigned method_bit(struct str method)
{
	return str_eq(method, S("GET"))      ? 1
	       : str_eq(method, S("POST"))   ? 2
	       : str_eq(method, S("PATCH"))  ? 4
	       : str_eq(method, S("DELETE")) ? 8
					     : 0;
}

enum router_found router_match(const struct http_route *table, enum http_listener listener,
			       struct str method, struct str path, struct http_request *req,
			       const char **ret_allow)
{
	struct str found[HTTP_SEGMENTS_MAX] = { 0 };
	const char *first = NULL;
	unsigned mask = 0;

	/* The table has words before holes, so the first pattern that matches is the one that is meant. */
	for (const struct http_route *row = table; row->run; row++) {
		if (!(row->listeners & (int)listener) || !matches(row->pattern, path, found))
			continue;
		if (first && strcmp(first, row->pattern) != 0)
			break;
		first = row->pattern;
		mask |= method_bit(str_c(row->method));
		if (!str_eq(str_c(row->method), method))
			continue;
		req->route = row;
		memcpy(req->segments, found, sizeof(found));
		return ROUTER_OK;
	}
	*ret_allow = allow_text(mask);
	return mask ? ROUTER_NO_METHOD : ROUTER_NO_PATH;
}

static const struct field *declared(const struct field *table, struct str name)
{
	for (const struct field *f = table; f->kind != FIELD_END; f++)
		if (str_eq(str_c(f->name), name))
			return f;
	return NULL;
}

static enum rc unknown(const struct field *table, struct err *err)
{
	AUTO(buf) struct buf names = BUF_INIT(ERR_TEXT_MAX / 2);

	/* A list that is longer than a sentence ends early. */
	for (const struct field *f = table; f->kind != FIELD_END; f++)
		if (buf_printf(&names, "%s%s", f == table ? "; it knows " : ", ", f->name) != RC_OK)
			break;
	return err_field(err, "?", "unknown_parameter",
			 "The query has a parameter that this resource does not know%s.",
			 buf_c(&names));
}

static enum rc judge(const struct field *f, struct str value, struct err *err)
{
	struct err why = { 0 };
	char pointer[ERR_FIELD_MAX];

	if (value_parameter(f, value, &why) == RC_OK)
		return RC_OK;
	(void)snprintf(pointer, sizeof(pointer), "?%s", f->name);
	return err_field(err, pointer, "invalid_parameter", "%s: %s", f->name, why.text);
}

static enum rc decode(struct str raw, char **ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT(VALUE_MAX);
	AUTO(buf) struct buf spaced = BUF_INIT(HTTP_TARGET_MAX);

	for (size_t i = 0; i < raw.n; i++)
		if (buf_putc(&spaced, raw.p[i] == '+' ? ' ' : raw.p[i]) != RC_OK)
			return err_field(err, "?", "invalid_query", "The query is too long.");
	if (text_percent_decode(&b, buf_str(&spaced)) != RC_OK || !text_is_utf8(buf_str(&b)))
		return err_field(err, "?", "invalid_query",
				 "The query has an escape that is not valid UTF-8 text.");
	*ret = buf_take(&b);
	return RC_OK;
}

static enum rc add_pair(struct str pair, struct http_request *req, struct err *err)
{
	struct str name = str_cut(&pair, '=');
	const struct field *f = declared(req->route->query, name);
	struct http_pair *to = NULL;
	enum rc rc = RC_OK;

	if (!f)
		return unknown(req->route->query, err);
	for (int i = 0; i < req->query_n; i++)
		if (str_eq(str_c(req->query[i].name), name))
			return err_field(err, "?", "repeated_parameter",
					 "The query has the parameter %s more than once.",
					 req->query[i].name);
	if (req->query_n >= HTTP_QUERY_MAX)
		return err_field(err, "?", "invalid_query", "The query has too many parameters.");
	to = &req->query[req->query_n];
	rc = decode(pair, &to->value, err);
	if (rc != RC_OK)
		return rc;
	to->name = str_dup(name);
	req->query_n++;
	return judge(f, str_c(to->value), err);
}

enum rc router_query(struct str raw, struct http_request *req, struct err *err)
{
	while (raw.n > 0) {
		struct str pair = str_cut(&raw, '&');
		enum rc rc = pair.n == 0 ? RC_OK : add_pair(pair, req, err);

		if (rc != RC_OK)
			return rc;
	}
	for (const struct field *f = req->route->query; f->kind != FIELD_END; f++)
		if (f->required && http_query(req, f->name).n == 0)
			return err_field(err, "?", "missing_parameter",
					 "The query needs the parameter %s.", f->name);
	return RC_OK;
}
