/* The life of one call. Every answer ends in one of three ways: good, again, failed. */
#include "workers/aws/flight.h"
#include "aws/sts.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "workers/aws/aws_session.h"
#include "workers/aws/classify.h"
#include "workers/aws/retry.h"
#include <stdio.h>

enum { LINES_MAX = REQUEST_LINES_MAX, RESOLVE_ATTEMPTS_MAX = 3, HTTP_MISSING = 404 };
#define RESOLVE_SPAN  (5 * CLOCK_S) /* between the first and the last of them, at least */
#define RESOLVE_PAUSE (3 * CLOCK_S)

static void fresh_page(struct run *run, struct flight *f)
{
	int64_t now = clock_mono();

	f->state = FLIGHT_WAITING;
	f->due = now;
	f->give_up = now + run->c->env->scope_deadline;
	f->failures = 0;
	f->unresolved = 0;
	f->throttles = 0;
	f->taken = 0;
	request_done(&f->request);
}

void flight_open(struct run *run, struct flight *f, json_t *params, void *item)
{
	f->params = params;
	f->item = item;
	f->refreshed = false;
	f->unskewed = false;
	f->refused_id = 0;
	fresh_page(run, f);
}

void flight_close(struct flight *f)
{
	creds_free(TAKE(f->creds));
	json_decref(TAKE(f->params));
	request_done(&f->request);
	reply_done(&f->reply);
	page_done(&f->page);
	f->item = NULL;
	f->state = FLIGHT_IDLE;
}

void flight_done(struct flight *f)
{
	flight_close(f);
	transport_close(&f->transfer);
}

/* A fault that AWS never saw: our own limits and refusals. */
static void own_fault(struct aws_fault *fault, const struct aws_op *op, enum aws_class class,
		      const struct err *err)
{
	*fault = (struct aws_fault){ .class = class, .op = op };
	snprintf(fault->code, sizeof(fault->code), "%s", err->code);
	snprintf(fault->message, sizeof(fault->message), "%s", err->text);
}

void flight_overdue(const struct run *run, const struct flight *f, struct aws_fault *fault)
{
	*fault = (struct aws_fault){ .class = AWS_THROTTLED, .op = run->work->op };
	snprintf(fault->code, sizeof(fault->code), "rate_deadline");
	snprintf(fault->message, sizeof(fault->message),
		 "the rate limit left no room before the deadline (%d throttled answers so far)",
		 f->throttles);
}

enum rc flight_send(struct run *run, struct flight *f, struct aws_fault *fault, struct err *err)
{
	AUTO(buf) struct buf lines = BUF_INIT(LINES_MAX);
	const struct engine_work *w = run->work;
	struct aws_client *c = run->c;
	struct err why = { 0 };
	enum rc rc;

	creds_free(TAKE(f->creds));
	rc = w->op->anonymous ? RC_OK
			      : aws_session_creds(w->target->session, c, f->refused_id, &f->creds,
						  fault, err);
	if (rc != RC_OK)
		return rc;
	if (f->request.held == NULL)
		rc = request_build(&f->request, w->op, &run->endpoint, f->params, f->page.token,
				   &why);
	f->signed_skew = aws_env_skew(c->env);
	reply_start(&f->reply, w->op);
	f->transfer.owner = f;
	if (rc == RC_OK)
		rc = f->creds == NULL
			     ? request_plain(&f->request, &run->endpoint, &lines, &why)
			     : request_sign(&f->request, &run->endpoint, f->creds, c->signer,
					    clock_wall() + f->signed_skew, &lines, &why);
	if (rc == RC_OK)
		rc = transport_send(c->transport, &f->transfer, &f->request, &run->endpoint, &lines,
				    &f->reply, &why);
	buf_wipe(&lines);
	if (rc != RC_OK) {
		own_fault(fault, w->op, AWS_BAD_REQUEST, &why);
		return aws_fault_err(fault, err);
	}
	f->state = FLIGHT_SENT;
	f->sent_at = clock_mono();
	run->tally->calls++;
	metrics_add(METRICS_AWS_CALLS, METRICS_LABELS(w->op->service), 1);
	return RC_OK;
}

/* Every region has these services: that one is missing or off is never the answer, or a network that fails would look like an
 * account without anything to read. */
static bool is_everywhere(const struct run *run)
{
	const struct endpoint_service *s = endpoint_service(run->work->op->service);

	return s->kind == ENDPOINT_IAM || s->kind == ENDPOINT_GLOBAL_IN ||
	       strcmp(s->id, "sts") == 0;
}

static enum flight_next again(struct run *run, struct flight *f, int64_t now, int64_t delay)
{
	f->state = FLIGHT_WAITING;
	f->due = now + delay;
	run->tally->retries++;
	metrics_add(METRICS_AWS_RETRIES, METRICS_LABELS(run->work->op->service), 1);
	return FLIGHT_AGAIN;
}

/* A retry that pays its way: within the deadline and the lane's quota. */
static enum flight_next again_later(struct run *run, struct flight *f, int64_t now, int n,
				    bool throttle)
{
	int64_t delay =
		retry_delay(n, throttle, aws_client_chance(run->c), f->reply.retry_after_ms);

	if (f->unresolved > 0 && delay < RESOLVE_PAUSE)
		delay = RESOLVE_PAUSE;
	if (now + delay >= f->give_up ||
	    !limiter_retry(run->c->env->limiter, run->lane, throttle, &f->taken))
		return FLIGHT_FAILED;
	return again(run, f, now, delay);
}

static enum flight_next throttled(struct run *run, struct flight *f, struct aws_fault *fault)
{
	struct limiter *l = run->c->env->limiter;
	int64_t now = clock_mono();

	run->tally->throttles++;
	metrics_add(METRICS_AWS_THROTTLES, METRICS_LABELS(run->work->op->service), 1);
	limiter_throttled(l, run->lane, now);
	if (limiter_is_dead(l, run->lane, now) && !is_everywhere(run)) {
		fault->class = AWS_UNSUPPORTED;
		return FLIGHT_FAILED;
	}
	return again_later(run, f, now, ++f->throttles, true);
}

/* A name that stays away while others are found: AWS has no such service in that region. */
static bool is_missing(const struct run *run, const struct flight *f, int64_t now)
{
	return f->unresolved >= RESOLVE_ATTEMPTS_MAX && now - f->lost_at >= RESOLVE_SPAN &&
	       aws_env_resolves(run->c->env, now) && !is_everywhere(run);
}

static enum flight_next transient(struct run *run, struct flight *f, struct aws_fault *fault)
{
	int64_t now = clock_mono();

	f->failures++;
	if (strcmp(fault->code, "host_not_found") != 0)
		f->unresolved = 0;
	else if (f->unresolved++ == 0)
		f->lost_at = now;
	if (is_missing(run, f, now)) {
		fault->class = AWS_UNSUPPORTED;
		return FLIGHT_FAILED;
	}
	if (f->failures >= RETRY_ATTEMPTS_MAX)
		return FLIGHT_FAILED;
	return again_later(run, f, now, f->failures, false);
}

/* "Not valid" may mean "not valid in this region". GetCallerIdentity needs no permission, so what
 * it says at home settles it, once for the whole run. */
static enum flight_next ambiguous(struct run *run, struct aws_fault *fault)
{
	const struct aws_target *t = run->work->target;
	struct aws_client *inner = aws_client_inner(run->c);
	struct aws_target home = { t->session, t->account, t->home_region, NULL };
	struct aws_fault why = { 0 };
	struct err ignored = { 0 };
	AUTO_JSON json_t *identity = NULL;

	if (t->home_region == NULL || inner == NULL)
		return FLIGHT_FAILED;
	if (run->recheck == RECHECK_UNKNOWN) {
		enum rc rc = aws_call(inner, &home, &STS_GET_CALLER_IDENTITY, NULL, &identity, &why,
				      run->tally, &ignored);

		if (rc == RC_OK) {
			run->recheck = RECHECK_WORKS;
		} else if (why.class == AWS_CREDS_INVALID || why.class == AWS_CREDS_EXPIRED) {
			run->recheck = RECHECK_REFUSED;
		} else {
			/* No answer is no verdict: nothing may be stopped on it. */
			fault->class = why.class == AWS_CANCELED ? AWS_CANCELED : AWS_TRANSIENT;
			return FLIGHT_FAILED;
		}
	}
	if (run->recheck == RECHECK_REFUSED)
		return FLIGHT_FAILED;
	/* At home they work and no other region was asked: the request was wrong, not the credentials. */
	fault->class = is_everywhere(run) || strcmp(run->endpoint.region, t->home_region) == 0
			       ? AWS_BAD_REQUEST
			       : AWS_REGION_DISABLED;
	return FLIGHT_FAILED;
}

static enum flight_next expired(struct run *run, struct flight *f)
{
	if (f->refreshed || f->creds == NULL)
		return FLIGHT_FAILED;
	f->refreshed = true;
	f->refused_id = f->creds->id;
	return again(run, f, clock_mono(), 0);
}

static enum flight_next failed(struct run *run, struct flight *f, struct aws_fault *fault)
{
	struct aws_env *env = run->c->env;

	if (classify_is_skew(fault->code, fault->message) && !f->unskewed &&
	    aws_env_learn_skew(env, f->reply.date_wall, f->signed_skew)) {
		f->unskewed = true;
		return again(run, f, clock_mono(), 0);
	}
	if (fault->class == AWS_UNSUPPORTED && fault->http_status == HTTP_MISSING &&
	    is_everywhere(run)) /* somebody else's page */
		fault->class = AWS_TRANSIENT;
	metrics_add(METRICS_AWS_ERRORS,
		    METRICS_LABELS(run->work->op->service, aws_class_name(fault->class)), 1);
	switch (fault->class) {
	case AWS_THROTTLED: return throttled(run, f, fault);
	case AWS_TRANSIENT: return transient(run, f, fault);
	case AWS_CREDS_EXPIRED: return expired(run, f);
	case AWS_CREDS_INVALID:
		if (!f->refreshed && f->creds != NULL &&
		    aws_session_reload(run->work->target->session, f->creds->id)) {
			f->refreshed = true;
			return again(run, f, clock_mono(), 0);
		}
		return ambiguous(run, fault);
	case AWS_OK:
	case AWS_DENIED:
	case AWS_REGION_DISABLED:
	case AWS_UNSUPPORTED:
	case AWS_NOT_ENABLED:
	case AWS_NOT_FOUND:
	case AWS_BAD_REQUEST:
	case AWS_PAGER:
	case AWS_CANCELED: break;
	}
	limiter_clean(env->limiter, run->lane, clock_mono(), false, 0);
	return FLIGHT_FAILED;
}

static void transfer_fault(const struct run *run, const struct flight *f, const char *code,
			   struct aws_fault *fault)
{
	*fault = (struct aws_fault){ .class = AWS_TRANSIENT, .op = run->work->op };
	fault->http_status = f->reply.status;
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	snprintf(fault->message, sizeof(fault->message), "%s: %s", run->endpoint.host,
		 f->reply.cut != NULL ? f->reply.cut : f->transfer.error);
	/* Trying again would meet the same address or the same size. */
	if (f->transfer.refused || strcmp(code, "reply_too_long") == 0)
		fault->class = AWS_BAD_REQUEST;
}

enum flight_next flight_land(struct run *run, struct flight *f, const char *transfer_code,
			     json_t **ret_result, bool *ret_more, struct aws_fault *fault)
{
	const struct engine_work *w = run->work;
	int64_t now = clock_mono();

	*ret_more = false;
	metrics_observe(METRICS_AWS_DURATION, METRICS_LABELS(w->op->service), now - f->sent_at);
	if (strcmp(transfer_code, "host_not_found") != 0)
		aws_env_resolved(run->c->env, now);
	if (*transfer_code != '\0') {
		transfer_fault(run, f, transfer_code, fault);
		return failed(run, f, fault);
	}
	if (!reply_end(&f->reply, ret_result, fault))
		return failed(run, f, fault);
	limiter_clean(run->c->env->limiter, run->lane, now, true, f->taken);
	run->tally->pages++;
	if (!w->paged || page_next(&f->page, w->op, *ret_result, ret_more, fault))
		return FLIGHT_GOOD;
	json_decref(TAKE(*ret_result));
	return FLIGHT_FAILED;
}

void flight_turn_page(struct run *run, struct flight *f)
{
	f->refreshed = false;
	f->unskewed = false;
	fresh_page(run, f);
}
