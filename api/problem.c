/* RFC 9457 problem bodies. One place decides which words a caller sees for which failure.
 * Never quotes a value of the request, a driver's message or a statement. */
#include "api/problem.h"
#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>

void problem_done(struct problem *p)
{
	json_decref(p->errors);
	json_decref(p->aws);
	p->errors = NULL;
	p->aws = NULL;
	p->status = 0;
}

static void set_v(struct problem *p, int status, const char *code, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
static void set_v(struct problem *p, int status, const char *code, const char *fmt, va_list ap)
{
	p->status = status;
	(void)snprintf(p->code, sizeof(p->code), "%s", code);
	(void)vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
}

void problem_set(struct problem *p, int status, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (p->status)
		return;
	va_start(ap, fmt);
	set_v(p, status, code, fmt, ap);
	va_end(ap);
}

static void add(struct problem *p, const char *pointer, const char *code, const char *detail)
{
	if (!p->errors)
		p->errors = json_array();
	if (json_array_size(p->errors) >= PROBLEM_ERRORS_MAX)
		return;
	(void)json_array_append_new(p->errors, json_pack("{s:s, s:s, s:s}", "pointer", pointer,
							 "code", code, "detail", detail));
}

void problem_field(struct problem *p, const char *pointer, const char *code, const char *fmt, ...)
{
	char detail[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	add(p, pointer, code, detail);
	problem_set(p, 422, "invalid_fields", "The request has fields that are not acceptable.");
}

void problem_field_err(struct problem *p, const char *pointer, const struct err *err)
{
	problem_field(p, err->field[0] ? err->field : pointer, err->code, "%s", err->text);
}

void problem_unknown(struct problem *p, const char *pointer)
{
	add(p, pointer, "unknown_field", "There is no such field; names are exact.");
	if (p->status == 422)
		p->status = 0;
	problem_set(p, 400, "unknown_field", "The request has fields that do not exist.");
}

struct title {
	int status;
	const char *text;
};
static const struct title TITLES[] = {
	{ 400, "Bad request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 409, "Conflict" },
	{ 411, "Length required" },
	{ 412, "Precondition failed" },
	{ 413, "Content too large" },
	{ 414, "URI too long" },
	{ 415, "Unsupported media type" },
	{ 417, "Expectation failed" },
	{ 422, "Unprocessable content" },
	{ 428, "Precondition required" },
	{ 429, "Too many requests" },
	{ 500, "Internal error" },
	{ 501, "Not implemented" },
	{ 503, "Service unavailable" },
};

static const char *title(int status)
{
	for (size_t i = 0; i < COUNT_OF(TITLES); i++)
		if (TITLES[i].status == status)
			return TITLES[i].text;
	return "Error";
}

struct http_reply problem_reply(const struct http_request *req, struct problem *p)
{
	struct http_reply reply = { 0 };
	char type[ERR_CODE_MAX + 32], instance[256];
	json_t *body = NULL;

	(void)snprintf(type, sizeof(type), "urn:connectord:problem:%s", p->code);
	(void)snprintf(instance, sizeof(instance), "%.*s",
		       (int)(req->path.n < 200 ? req->path.n : 200),
		       req->path.p ? req->path.p : "");
	body = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", title(p->status),
			 "status", p->status, "detail", p->detail, "code", p->code, "request_id",
			 req->request_id);
	/* The raw path may be anything; only text goes into JSON. */
	(void)json_object_set_new(body, "instance", json_text_value(str_c(instance)));
	if (p->errors)
		(void)json_object_set(body, "errors", p->errors);
	if (p->aws)
		(void)json_object_set(body, "aws", p->aws);
	reply = reply_json(p->status, body);
	reply.type = "application/problem+json";
	problem_done(p);
	return reply;
}

struct http_reply problem_of(const struct http_request *req, int status, const char *code,
			     const char *fmt, ...)
{
	struct problem p = { 0 };
	va_list ap;

	va_start(ap, fmt);
	set_v(&p, status, code, fmt, ap);
	va_end(ap);
	return problem_reply(req, &p);
}

struct http_reply problem_not_found(const struct http_request *req)
{
	return problem_of(req, 404, "not_found", "There is nothing here, or it is not yours.");
}

/* Refusals below the handlers whose words are for callers. Every other one of the database (a check, a
 * foreign key, a value out of range) is a rule that we failed to enforce before: our fault. */
static bool is_told(const char *code)
{
	static const char *const TOLD[] = { "org_id_used",          "organization_deleting",
					    "sync_active",          "sync_finished",
					    "too_many_connections", "too_many_keys",
					    "key_not_live",         "rotation_in_progress",
					    "version_changed",      "too_many_webhooks",
					    "too_many_tests",       "webhook_disabled",
					    "check_active",         "too_many_checks",
					    "key_not_live",         "rotation_in_progress" };

	for (size_t i = 0; i < COUNT_OF(TOLD); i++)
		if (strcmp(TOLD[i], code) == 0)
			return true;
	return false;
}

static struct http_reply again(const struct http_request *req, int status, const char *code,
			       const char *detail)
{
	struct http_reply reply = problem_of(req, status, code, "%s", detail);

	reply.retry_after_s = 1;
	return reply;
}

struct http_reply problem_err(const struct http_request *req, const struct err *err)
{
	struct http_reply reply = { 0 };
	struct problem p = { 0 };

	if (err->rc == RC_NOT_FOUND)
		return problem_not_found(req);
	if (str_eq(str_c(err->code), S("too_many_requests")))
		return again(req, 429, err->code,
			     "There are too many requests of this kind at once; try again.");
	if (err->field[0] == '/') {
		problem_field_err(&p, "", err);
		return problem_reply(req, &p);
	}
	if (err->field[0] == '?' || is_told(err->code))
		return problem_of(req, err->field[0] ? 400 : err_http_status(err->rc), err->code,
				  "%s", err->text);
	if (str_eq(str_c(err->code), S("commit_unknown")))
		reply = again(req, 503, "outcome_unknown",
			      "The database went away while it was committing: it is not known"
			      " whether the change was made. Look before trying again.");
	else if (str_eq(str_c(err->code), S("sealing_key_withdrawn")))
		reply = again(req, 503, err->code, err->text);
	else if (err->rc == RC_RETRY)
		reply = again(req, 503, "unavailable",
			      "The database does not answer now; try again.");
	else
		reply = problem_of(
			req, 500, "internal",
			"Something failed on our side; the request id finds it in the log.");
	reply.cause = *err;
	return reply;
}
