/* One request from head to answer. The order is fixed: framing, route, credential, rights, media
 * type, size, query; then the body; then the handler with a borrowed database connection.
 * Never logs a query, a header value or a body. */
#include "server/exchange.h"
#include "api/problem.h"
#include "api/router.h"
#include "api/scope.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "server/once.h"
#include "server/rehearse.h"
#include "server/trace.h"
#include "server/waiters.h"

#include <stdio.h>

enum { POOL_WAIT_MS = 2000, DISCARD_MAX = 1024 * 1024 };

struct exchange {
	const struct exchange_place *place;
	struct id peer;
	char *target;
	char *if_match, *once_key;
	struct http_request req;
	struct buf body;
	struct http_reply refusal; /* status 0: none so far */
	bool overflow, counted;
	int64_t began;
	char method[16];
	struct trace trace;
	struct rate_verdict rate;
};

struct exchange *exchange_new(const struct exchange_place *place, const char *target,
			      struct id peer)
{
	struct exchange *x = MEM_NEW(struct exchange);

	x->place = place;
	x->peer = peer;
	/* One byte past the limit is enough to see that it is too long. */
	x->target = str_dup(str_sub(str_c(target), 0, GUARD_TARGET_MAX + 1));
	x->body.max = place->body_max;
	x->req.env = place->env;
	x->began = clock_mono();
	return x;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	if (x->counted)
		metrics_add(METRICS_HTTP_IN_FLIGHT, METRICS_NONE, -1);
	http_request_done(&x->req);
	http_reply_done(&x->refusal);
	buf_wipe(&x->body);
	mem_free(x->target);
	mem_free(x->if_match);
	mem_free(x->once_key);
	mem_free(x);
}

const char *exchange_target(const struct exchange *x)
{
	return x->target;
}

const char *exchange_request_id(const struct exchange *x)
{
	return x->req.request_id;
}

const char *exchange_trace(const struct exchange *x)
{
	return x->trace.response;
}

const char *exchange_rate_policy(const struct exchange *x)
{
	return x->rate.left[0] ? rate_policy(x->place->rate) : "";
}

const char *exchange_rate_left(const struct exchange *x)
{
	return x->rate.left;
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return s.n > 0;
}

static void name_request(struct exchange *x, const struct guard_head *head)
{
	struct str id = guard_value(head, S("X-Request-Id"));
	char made[ID_TEXT_MAX];

	if (is_word(id) && id.n < HTTP_REQUEST_ID_MAX) {
		(void)snprintf(x->req.request_id, sizeof(x->req.request_id), "%.*s", STR_FMT(id));
	} else {
		id_text(id_new(), "req_", made);
		(void)snprintf(x->req.request_id, sizeof(x->req.request_id), "%s", made);
	}
	x->trace = trace_begin(guard_value(head, S("traceparent")));
	(void)snprintf(x->method, sizeof(x->method), "%.*s",
		       (int)(head->method.n < 15 ? head->method.n : 15), head->method.p);
}

static void refuse(struct exchange *x, struct http_reply reply, bool close)
{
	x->refusal = reply;
	x->refusal.close = close;
}

static void check_guard(struct exchange *x, const struct guard_head *head)
{
	struct guard_verdict v = guard_judge(head);

	if (v.status)
		refuse(x, problem_of(&x->req, v.status, v.code, "%s", v.detail), true);
}

static void check_route(struct exchange *x, const struct guard_head *head)
{
	const char *allow = NULL;
	enum router_found found = router_match(ROUTES, x->place->listener, head->method,
					       x->req.path, &x->req, &allow);

	if (found == ROUTER_NO_PATH)
		refuse(x, problem_not_found(&x->req), false);
	if (found == ROUTER_NO_METHOD) {
		refuse(x,
		       problem_of(&x->req, 405, "method_not_allowed",
				  "This resource has no such method; it has %s.", allow),
		       false);
		x->refusal.allow = allow;
	}
}

static void forbid(struct exchange *x)
{
	uint32_t scope = x->req.route->scope;

	refuse(x,
	       problem_of(&x->req, 403, "forbidden",
			  "The credential lacks the scope %s; the role %s has it.",
			  scope_text(scope), scope_least_role(scope)),
	       false);
}

static struct http_reply refusal_of(struct exchange *x, const struct err *err)
{
	struct http_reply reply = { 0 };

	if (str_eq(str_c(err->code), S("wrong_organization")))
		return problem_of(&x->req, 403, err->code,
				  "The credential cannot act for the organization that X-Org-Id or"
				  " its claim names.");
	if (err->rc == RC_DENIED)
		return problem_of(&x->req, 401, "unauthorized",
				  "The credential is missing, not valid, revoked or expired.");
	if (err->rc == RC_INVALID)
		return problem_of(&x->req, 400, err->code, "%s", err->text);
	if (!str_eq(str_c(err->code), S("keys_unavailable")))
		return problem_err(&x->req, err);
	reply = problem_of(
		&x->req, 503, err->code,
		"The token cannot be judged now: the keys of its issuer are out of reach;"
		" try again.");
	reply.retry_after_s = 1;
	reply.cause = *err;
	return reply;
}

static void refuse_rate(struct exchange *x)
{
	if (!x->rate.refused)
		return;
	refuse(x,
	       problem_of(&x->req, 429, "rate_limited",
			  "There were too many requests; RateLimit says how many there may be, and"
			  " Retry-After when to go on."),
	       false);
	x->refusal.retry_after_s = x->rate.retry_after_s;
}

/* Whoever is known pays for what he asks, also for what he may not have: for his key before the
 * organization is looked up, which he may have made up. */
static void check_organization(struct exchange *x, const struct auth_request *request,
			       struct auth_found *found)
{
	struct err err = { 0 };
	const struct http_caller *c = &x->req.caller;
	bool counted = c->party == HTTP_ORGANIZATION;
	enum rc rc = RC_OK;

	if (counted)
		x->rate = rate_take_key(x->place->rate, str_c(c->actor), clock_mono());
	refuse_rate(x);
	if (x->refusal.status)
		return;
	rc = auth_settle(x->place->auth, request, x->place->pool, found, &err);
	x->req.caller = found->caller;
	if (rc != RC_OK) {
		refuse(x, refusal_of(x, &err), false);
		return;
	}
	if (counted)
		rate_take_org(x->place->rate, str_c(c->actor), c->org_id, clock_mono(), &x->rate);
	refuse_rate(x);
}

static void check_caller(struct exchange *x, const struct guard_head *head)
{
	struct err err = { 0 };
	struct auth_found found = { .settled = false };
	const struct auth_request request = {
		.listener = x->place->listener,
		.peer = x->peer,
		.authorization = guard_value(head, S("Authorization")),
		.key_alias = guard_value(head, S("SlashID-API-Key")),
		.org_id = guard_value(head, S("X-Org-Id")),
		.org_alias = guard_value(head, S("SlashID-OrgID")),
	};

	if (x->req.route->need == HTTP_NONE)
		return;
	if (auth_check(x->place->auth, &request, x->place->pool, &found, &err) != RC_OK) {
		refuse(x, refusal_of(x, &err), false);
		return;
	}
	x->req.caller = found.caller;
	check_organization(x, &request, &found);
	if (x->refusal.status)
		return;
	if ((x->req.caller.scopes & x->req.route->scope) != x->req.route->scope)
		forbid(x);
}

/* A promise of once-only effects that we do not keep must not be taken in silence. */
static void check_once(struct exchange *x, const struct guard_head *head)
{
	struct str key = guard_value(head, S("Idempotency-Key"));

	if (!guard_has(head, S("Idempotency-Key")) || str_eq(head->method, S("GET")))
		return;
	if (!x->req.route->once)
		refuse(x,
		       problem_of(&x->req, 400, "idempotency_not_supported",
				  "This operation takes no Idempotency-Key: it can be sent again as"
				  " it is, for it names what it changes."),
		       false);
	else if (!once_is_key(key))
		refuse(x,
		       problem_of(&x->req, 400, "invalid_idempotency_key",
				  "Idempotency-Key is 1 to %d printable ASCII characters without"
				  " spaces, such as a random UUID.",
				  ONCE_KEY_MAX),
		       false);
	else
		x->once_key = str_dup(key);
}

static void check_promises(struct exchange *x, const struct guard_head *head)
{
	check_once(x, head);
	if (!x->refusal.status && x->req.route->if_match && !guard_has(head, S("If-Match")))
		refuse(x,
		       problem_of(
			       &x->req, 428, "precondition_required",
			       "This change needs If-Match with the ETag of what you read, so that"
			       " you do not undo what somebody else changed since; * means whatever"
			       " it is at."),
		       false);
}

/* "application/json; charset=utf-8" and nothing else but case and spaces. */
static bool is_media_type(struct str value, struct str want)
{
	struct str rest = value, type = str_trim(str_cut(&rest, ';')), parameter = str_trim(rest);

	return str_eq_nocase(type, want) &&
	       (parameter.n == 0 || str_eq_nocase(parameter, S("charset=utf-8")) ||
		str_eq_nocase(parameter, S("charset=\"utf-8\"")));
}

static void check_body(struct exchange *x, const struct guard_head *head)
{
	struct str type = guard_value(head, S("Content-Type"));
	struct str encoding = guard_value(head, S("Content-Encoding"));
	enum http_body want = x->req.route->body;
	uint64_t length = guard_length(head);
	bool good = is_media_type(type, S("application/json")) ||
		    (want == HTTP_MERGE_PATCH &&
		     is_media_type(type, S("application/merge-patch+json")));

	if (want == HTTP_NO_BODY || (want == HTTP_OPTIONAL_JSON && length == 0))
		return;
	if (encoding.n > 0 && !str_eq_nocase(encoding, S("identity")))
		refuse(x,
		       problem_of(&x->req, 415, "content_encoding",
				  "Bodies are taken as they are, without Content-Encoding."),
		       false);
	else if (!good)
		refuse(x,
		       problem_of(&x->req, 415, "media_type", "The body must be %s in UTF-8.",
				  want == HTTP_MERGE_PATCH ? "application/merge-patch+json"
							   : "application/json"),
		       false);
	else if (length > x->place->body_max)
		refuse(x,
		       problem_of(&x->req, 413, "too_large", "The body may have %zu bytes.",
				  x->place->body_max),
		       false);
}

static void check_query(struct exchange *x, struct str query)
{
	struct err err = { 0 };

	if (router_query(query, &x->req, &err) != RC_OK)
		refuse(x, problem_err(&x->req, &err), false);
}

enum exchange_next exchange_begin(struct exchange *x, const struct guard_head *head)
{
	struct str query = str_c(x->target);

	x->counted = true;
	metrics_add(METRICS_HTTP_IN_FLIGHT, METRICS_NONE, 1);
	x->req.path = str_cut(&query, '?');
	name_request(x, head);
	check_guard(x, head);
	if (!x->refusal.status)
		check_route(x, head);
	if (!x->refusal.status)
		check_caller(x, head);
	if (!x->refusal.status)
		check_promises(x, head);
	if (!x->refusal.status)
		check_body(x, head);
	if (!x->refusal.status)
		check_query(x, query);
	x->if_match = str_dup(guard_value(head, S("If-Match")));
	x->req.if_match = str_c(x->if_match);
	if (!x->refusal.status)
		return EXCHANGE_READ;
	/* A short body is read and dropped, so that the answer is not lost to a reset. */
	if (guard_length(head) > DISCARD_MAX)
		x->refusal.close = true;
	/* Whoever asks first is told before he sends anything. */
	if (guard_length(head) > 0 && guard_has(head, S("Expect")))
		x->refusal.close = true;
	return x->refusal.close ? EXCHANGE_ANSWER : EXCHANGE_READ;
}

void exchange_body(struct exchange *x, struct str part)
{
	if (x->refusal.status || x->overflow)
		return;
	if (buf_put(&x->body, part) != RC_OK)
		x->overflow = true;
}

static bool is_rehearsal(const struct exchange *x)
{
	return x->req.route->rehearse && str_eq(http_query(&x->req, "validate_only"), S("true"));
}

static struct http_reply run(struct exchange *x)
{
	struct err err = { 0 };
	struct http_reply reply = { 0 };

	if (x->req.route->offline)
		return x->req.route->run(&x->req);
	if (dbpool_take(x->place->pool, x->req.caller.org_id, POOL_WAIT_MS, &x->req.db, &err) !=
	    RC_OK)
		return problem_err(&x->req, &err);
	if (is_rehearsal(x))
		reply = rehearse_run(&x->req);
	else if (x->once_key)
		reply = once_run(&x->req, str_c(x->once_key), str_c(x->target));
	else
		reply = x->req.route->run(&x->req);
	dbpool_give(x->place->pool, x->req.caller.org_id, x->req.db);
	x->req.db = NULL;
	return waiters_follow(x->place->waiters, x->place->pool, &x->req, reply);
}

static const char *route_of(const struct exchange *x)
{
	return x->req.route ? x->req.route->pattern : "";
}

/* "" for whoever acts for no organization. */
static void org_of(const struct exchange *x, char out[ID_UUID_TEXT])
{
	const struct id none = { { 0 } };

	out[0] = '\0';
	if (!id_eq(x->req.caller.org_id, none))
		id_uuid(x->req.caller.org_id, out);
}

/* What the caller was not told, with all that finds the request again. */
static void log_cause(const struct exchange *x, const struct http_reply *reply)
{
	const struct err *err = &reply->cause;
	char org[ID_UUID_TEXT];

	org_of(x, org);
	log_event(reply->status == 500 ? LOG_ERROR : LOG_WARN, "request_failed",
		  LOG_I64("status", reply->status), LOG_STR("rc", err_rc_name(err->rc)),
		  LOG_STR("code", err->code), LOG_STR("text", err->text),
		  LOG_STR("method", x->method), LOG_STR("route", route_of(x)),
		  LOG_STR("request_id", x->req.request_id), LOG_STR("actor", x->req.caller.actor),
		  LOG_STR("org_id", org), LOG_STR("trace_id", x->trace.id), LOG_END);
}

struct http_reply exchange_reply(struct exchange *x)
{
	struct http_reply reply = x->refusal;

	if (reply.status) {
		x->refusal = (struct http_reply){ 0 };
	} else if (x->overflow) {
		reply = problem_of(&x->req, 413, "too_large", "The body may have %zu bytes.",
				   x->place->body_max);
	} else {
		x->req.body = buf_str(&x->body);
		reply = run(x);
	}
	buf_wipe(&x->body);
	if (reply.status >= 500 && reply.cause.rc != RC_OK)
		log_cause(x, &reply);
	return reply;
}

/* What a peer may make up is one word: series must not grow with what is asked for. */
static const char *known_method(const char *method)
{
	static const char *const METHODS[] = { "GET", "POST", "PATCH",  "DELETE",
					       "PUT", "HEAD", "OPTIONS" };

	for (size_t i = 0; i < COUNT_OF(METHODS); i++)
		if (strcmp(method, METHODS[i]) == 0)
			return METHODS[i];
	return "other";
}

static void count(const struct exchange *x, int status, int64_t ns)
{
	const char *route = x->req.route ? x->req.route->pattern : "unmatched";
	const char status_class[] = { (char)('0' + status / 100 % 10), 'x', 'x', '\0' };

	metrics_add(METRICS_HTTP_REQUESTS,
		    METRICS_LABELS(route, known_method(x->method), status_class), 1);
	metrics_observe(METRICS_HTTP_DURATION, METRICS_LABELS(route), ns);
}

/* An id of that kind in the path, as it would be written by us; "" = none. */
static const char *id_in_path(const struct exchange *x, const char *prefix, char out[ID_TEXT_MAX])
{
	struct id id;

	out[0] = '\0';
	for (size_t i = 0; x->req.route && i < HTTP_SEGMENTS_MAX; i++)
		if (x->req.segments[i].n && id_parse(x->req.segments[i], prefix, &id) == RC_OK)
			id_text(id, prefix, out);
	return out;
}

void exchange_log(const struct exchange *x, int status)
{
	char org[ID_UUID_TEXT], connection[ID_TEXT_MAX], sync[ID_TEXT_MAX];
	int64_t ns = clock_mono() - x->began;

	count(x, status, ns);
	if (!log_would(LOG_INFO))
		return;
	org_of(x, org);
	log_event(LOG_INFO, "request", LOG_STR("method", x->method), LOG_STR("route", route_of(x)),
		  LOG_I64("status", status), LOG_I64("ms", ns / CLOCK_MS),
		  LOG_STR("request_id", x->req.request_id), LOG_STR("actor", x->req.caller.actor),
		  LOG_STR("org_id", org),
		  LOG_STR("connection_id", id_in_path(x, "conn_", connection)),
		  LOG_STR("sync_id", id_in_path(x, "sync_", sync)),
		  LOG_STR("trace_id", x->trace.id), LOG_END);
}
