/* Requests of all six protocols. Sends nothing. */
#include "workers/aws/request.h"
#include "base/clock.h"
#include "base/text.h"
#include "workers/aws/form.h"
#include <stdio.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void request_done(struct request *r)
{
	buf_done(&r->path);
	buf_done(&r->url);
	if (r->secret)
		buf_wipe(&r->body);
	buf_done(&r->body);
	json_decref(r->held);
	memset(r, 0, sizeof(*r));
}

static enum rc too_long(const struct aws_op *op, struct err *err)
{
	return err_set(err, RC_LIMIT, "request_too_long",
		       "the parameters of %s are longer than a request may be", op->action);
}

/* A scalar as text that lives as long as the request; empty for null and structures. */
static struct str hold(struct request *r, const json_t *value)
{
	char number[40];
	json_t *text = NULL;

	if (json_is_string(value)) {
		text = json_stringn_nocheck(json_string_value(value), json_string_length(value));
	} else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		text = json_string(number);
	} else if (json_is_boolean(value)) {
		text = json_string(json_is_true(value) ? "true" : "false");
	} else {
		return S("");
	}
	json_array_append_new(r->held, text);
	return str_n(json_string_value(text), json_string_length(text));
}

static struct str hold_text(struct request *r, struct str s)
{
	json_t *text = json_stringn_nocheck(s.p, s.n);

	json_array_append_new(r->held, text);
	return str_n(json_string_value(text), json_string_length(text));
}

static enum rc add_query(struct request *r, struct str name, struct str value)
{
	if (r->query_n == REQUEST_QUERY_MAX)
		return RC_LIMIT;
	r->query[r->query_n++] = (struct sigv4_pair){ name, value };
	return RC_OK;
}

static enum rc add_header(struct request *r, struct str name, struct str value)
{
	/* A header that could carry a line break could carry another header. */
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return RC_INVALID;
	if (r->headers_n == REQUEST_HEADERS_MAX)
		return RC_LIMIT;
	r->headers[r->headers_n++] = (struct sigv4_pair){ name, value };
	return RC_OK;
}

/* Copies the row's path with {Name} and {Name+} replaced by parameters, which leave `rest`. A
 * query that is part of the path ("?policy", "?list-type=2") becomes pairs. */
static enum rc put_path(struct request *r, const struct aws_op *op, json_t *rest, struct err *err)
{
	struct str query = str_c(op->path == NULL ? "/" : op->path);
	struct str path = str_cut(&query, '?');

	while (path.n > 0) {
		struct str plain = str_cut(&path, '{');
		struct str name;
		bool slashes;
		char key[64];
		struct str value;

		if (buf_put(&r->path, plain) != RC_OK)
			return too_long(op, err);
		if (path.n == 0)
			break;
		name = str_cut(&path, '}');
		slashes = str_ends(name, S("+"));
		snprintf(key, sizeof(key), "%.*s", (int)(name.n - (slashes ? 1 : 0)), name.p);
		value = hold(r, json_object_get(rest, key));
		if (value.n == 0)
			return err_set(err, RC_INVALID, "missing_parameter",
				       "%s needs the parameter %s", op->action, key);
		if (text_percent_encode(&r->path, value, slashes) != RC_OK)
			return too_long(op, err);
		json_object_del(rest, key);
	}
	while (query.n > 0) {
		struct str value = str_cut(&query, '&');
		struct str name = str_cut(&value, '=');

		if (add_query(r, name, value) != RC_OK)
			return too_long(op, err);
	}
	return RC_OK;
}

/* Parameters named like headers become headers and leave `rest`. */
static enum rc put_header_params(struct request *r, const struct aws_op *op, json_t *rest,
				 struct err *err)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (rest, next, key, value) {
		enum rc rc;

		if (!str_starts(str_c(key), S("x-amz-")))
			continue;
		rc = add_header(r, hold_text(r, str_c(key)), hold(r, value));
		if (rc != RC_OK)
			return err_set(err, rc, "invalid_parameter",
				       "%s: %s cannot be sent as a header", op->action, key);
		json_object_del(rest, key);
	}
	return RC_OK;
}

static enum rc put_query_params(struct request *r, const struct aws_op *op, const json_t *rest,
				struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)rest, key, value) {
		struct str name = hold_text(r, str_c(key));
		size_t i;
		json_t *item;
		enum rc rc = RC_OK;

		if (json_is_null(value))
			continue;
		if (!json_is_array(value))
			rc = add_query(r, name, hold(r, value));
		json_array_foreach (value, i, item)
			if (rc == RC_OK)
				rc = add_query(r, name, hold(r, item));
		if (rc != RC_OK)
			return too_long(op, err);
	}
	return RC_OK;
}

static enum rc put_json_body(struct request *r, const struct aws_op *op, const json_t *rest,
			     struct err *err)
{
	return json_put(&r->body, rest) == RC_OK ? RC_OK : too_long(op, err);
}

static enum rc build_form(struct request *r, const struct aws_op *op, const json_t *all,
			  struct err *err)
{
	if (buf_putc(&r->path, '/') != RC_OK ||
	    buf_printf(&r->body, "Action=%s&Version=%s", op->action, op->version) != RC_OK)
		return too_long(op, err);
	if (add_header(r, S("content-type"),
		       S("application/x-www-form-urlencoded; charset=utf-8")) != RC_OK)
		return too_long(op, err);
	return form_put(&r->body, all, op->proto == AWS_EC2, err);
}

static enum rc build_json(struct request *r, const struct aws_op *op, const json_t *all,
			  struct err *err)
{
	char target[160];
	struct str kind = op->proto == AWS_JSON10 ? S("application/x-amz-json-1.0")
						  : S("application/x-amz-json-1.1");

	snprintf(target, sizeof(target), "%s.%s", op->target, op->action);
	if (buf_putc(&r->path, '/') != RC_OK || add_header(r, S("content-type"), kind) != RC_OK ||
	    add_header(r, S("x-amz-target"), hold_text(r, str_c(target))) != RC_OK)
		return too_long(op, err);
	return put_json_body(r, op, all, err);
}

static enum rc build_rest(struct request *r, const struct aws_op *op, json_t *rest, struct err *err)
{
	bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
	enum rc rc = put_path(r, op, rest, err);

	if (rc == RC_OK)
		rc = put_header_params(r, op, rest, err);
	if (rc != RC_OK)
		return rc;
	if (get || op->proto == AWS_REST_XML)
		return put_query_params(r, op, rest, err);
	if (add_header(r, S("content-type"), S("application/json")) != RC_OK)
		return too_long(op, err);
	return put_json_body(r, op, rest, err);
}

static enum rc put_url(struct request *r, const struct aws_op *op, const struct endpoint *e,
		       struct err *err)
{
	enum rc rc = buf_put(&r->url, str_c(e->base));

	if (rc == RC_OK)
		rc = buf_put(&r->url, buf_str(&r->path));
	for (size_t i = 0; i < r->query_n && rc == RC_OK; i++) {
		rc = buf_putc(&r->url, i == 0 ? '?' : '&');
		if (rc == RC_OK)
			rc = text_percent_encode(&r->url, r->query[i].name, false);
		if (rc == RC_OK && r->query[i].value.n > 0)
			rc = buf_putc(&r->url, '=');
		if (rc == RC_OK)
			rc = text_percent_encode(&r->url, r->query[i].value, false);
	}
	return rc == RC_OK ? RC_OK : too_long(op, err);
}

/* The caller's parameters with the pager's added; a new object. */
static json_t *all_params(const struct aws_op *op, const json_t *params, const char *token)
{
	json_t *all = json_object();

	if (params != NULL)
		json_object_update(all, (json_t *)(uintptr_t)params);
	if (op->limit_in != NULL && json_object_get(all, op->limit_in) == NULL)
		json_object_set_new(all, op->limit_in, json_integer(op->limit));
	if (token != NULL)
		json_object_set_new(all, op->next_in, json_string(token));
	return all;
}

enum rc request_build(struct request *r, const struct aws_op *op, const struct endpoint *e,
		      const json_t *params, const char *token, struct err *err)
{
	AUTO_JSON json_t *all = all_params(op, params, token);
	enum rc rc = RC_OK;

	request_done(r);
	r->path = (struct buf)BUF_INIT(REQUEST_URL_MAX);
	r->url = (struct buf)BUF_INIT(REQUEST_URL_MAX);
	r->body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	r->held = json_array();
	r->method = op->method == NULL ? "POST" : op->method;
	r->s3 = strcmp(e->signing_name, "s3") == 0;
	r->secret = op->secret;
	switch (op->proto) {
	case AWS_QUERY:
	case AWS_EC2: rc = build_form(r, op, all, err); break;
	case AWS_JSON10:
	case AWS_JSON11: rc = build_json(r, op, all, err); break;
	case AWS_REST_JSON:
	case AWS_REST_XML: rc = build_rest(r, op, all, err); break;
	}
	return rc == RC_OK ? put_url(r, op, e, err) : rc;
}

static enum rc put_line(struct buf *lines, struct str name, struct str value)
{
	return buf_printf(lines, "%.*s: %.*s\n", STR_FMT(name), STR_FMT(value));
}

enum rc request_sign(const struct request *r, const struct endpoint *e, const struct creds *creds,
		     struct sigv4 *signer, int64_t wall, struct buf *lines, struct err *err)
{
	struct sigv4_pair headers[REQUEST_HEADERS_MAX + 4];
	char hash[TEXT_SHA256_HEX] = EMPTY_SHA256;
	char stamp[CLOCK_TEXT_MAX];
	size_t n = r->headers_n;
	enum rc rc = RC_OK;
	struct sigv4_request to_sign = {
		.method = r->method,
		.path = buf_str(&r->path),
		.path_as_is = r->s3,
		.query = r->query,
		.query_n = r->query_n,
		.headers = headers,
	};
	const struct sigv4_scope scope = { wall, str_c(e->region), str_c(e->signing_name) };
	const struct sigv4_keys keys = { str_c(creds->access_key_id), secret_str(creds->secret),
					 creds->id };

	clock_amz(wall, stamp);
	if (r->body.n > 0)
		digest_sha256_hex(sigv4_digest(signer), buf_str(&r->body), hash);
	memcpy(headers, r->headers, r->headers_n * sizeof(headers[0]));
	headers[n++] = (struct sigv4_pair){ S("x-amz-date"), str_c(stamp) };
	if (r->s3)
		headers[n++] = (struct sigv4_pair){ S("x-amz-content-sha256"), str_c(hash) };
	if (creds->token != NULL)
		headers[n++] =
			(struct sigv4_pair){ S("x-amz-security-token"), secret_str(creds->token) };
	headers[n++] = (struct sigv4_pair){ S("host"), str_c(e->host) };
	to_sign.headers_n = n;
	to_sign.payload_hash = str_c(hash);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = put_line(lines, headers[i].name, headers[i].value);
	if (rc == RC_OK)
		rc = buf_put(lines, S("authorization: "));
	if (rc == RC_OK)
		return sigv4_authorize(signer, &to_sign, &scope, &keys, lines, err);
	return err_set(err, RC_LIMIT, "request_too_long", "the headers of a request are too long");
}

enum rc request_plain(const struct request *r, const struct endpoint *e, struct buf *lines,
		      struct err *err)
{
	enum rc rc = put_line(lines, S("host"), str_c(e->host));

	for (size_t i = 0; i < r->headers_n && rc == RC_OK; i++)
		rc = put_line(lines, r->headers[i].name, r->headers[i].value);
	return rc == RC_OK ? rc
			   : err_set(err, RC_LIMIT, "request_too_long",
				     "the headers of a request are too long");
}
