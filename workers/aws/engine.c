/* The loop: fill the slots, send what the limiter lets go, move bytes, judge what has landed. It
 * never sleeps longer than STOP_MS, so a stop is heard in time. */
#include "workers/aws/engine.h"
#include "base/metrics.h"
#include "workers/aws/flight.h"
#include <assert.h>
#include <stdio.h>

enum { STOP_MS = 100 };

struct engine {
	struct run run;
	struct aws_fault *fault; /* the caller's */
	struct err *err;
	int active;         /* flights that are not idle */
	int64_t held_since; /* by the limiter; 0 = not now */
	bool drained;       /* next() has ended */
	bool over;          /* the run ends now, with rc */
	enum rc rc;
};

static void end(struct engine *e, enum rc rc)
{
	e->over = true;
	e->rc = rc;
}

static void end_with(struct engine *e, const struct aws_fault *fault)
{
	if (e->fault != fault)
		*e->fault = *fault;
	end(e, aws_fault_err(fault, e->err));
}

static void retire(struct engine *e, struct flight *f)
{
	flight_close(f);
	e->active--;
}

/* A call has failed for good. */
static void give_up(struct engine *e, struct flight *f, const struct aws_fault *fault)
{
	const struct engine_work *w = e->run.work;
	bool fatal = fault->class == AWS_CREDS_INVALID || fault->class == AWS_CREDS_EXPIRED ||
		     fault->class == AWS_CANCELED;
	enum rc rc;

	if (w->faults_end || fatal) {
		end_with(e, fault);
	} else {
		rc = w->done(w->arg, f->item, NULL, false, fault, e->err);
		if (rc != RC_OK)
			end(e, rc);
	}
	retire(e, f);
}

static void deliver(struct engine *e, struct flight *f, json_t *reply, bool more)
{
	static const struct aws_fault none;
	const struct engine_work *w = e->run.work;
	enum rc rc = w->done(w->arg, f->item, reply, more, &none, e->err);

	json_decref(reply);
	if (rc != RC_OK)
		end(e, rc);
	if (rc == RC_OK && more)
		flight_turn_page(&e->run, f);
	else
		retire(e, f);
}

static void fill(struct engine *e)
{
	struct aws_client *c = e->run.c;
	const struct engine_work *w = e->run.work;

	for (int i = 0; i < c->env->in_flight && !e->drained; i++) {
		json_t *params = NULL;
		void *item = NULL;

		if (c->flights[i].state != FLIGHT_IDLE)
			continue;
		if (!w->next(w->arg, &params, &item)) {
			e->drained = true;
			break;
		}
		flight_open(&e->run, &c->flights[i], params, item);
		e->active++;
	}
}

/* The flight that has waited longest for its turn; NULL: none waits. Taken in any other order, a
 * slot that is soon free again would go ahead of the others for ever. */
static struct flight *first_waiting(struct aws_client *c)
{
	struct flight *first = NULL;

	for (int i = 0; i < c->env->in_flight; i++) {
		struct flight *f = &c->flights[i];

		if (f->state == FLIGHT_WAITING && (first == NULL || f->due < first->due))
			first = f;
	}
	return first;
}

/* What the limiter says, and how long it has said no. */
static int64_t ask_limiter(struct engine *e, int64_t now)
{
	const char *service = e->run.work->op->service;
	int64_t wait = limiter_take(e->run.c->env->limiter, e->run.lane, now);

	if (wait > 0 && e->held_since == 0) {
		e->held_since = now;
		metrics_add(METRICS_AWS_LIMITER_WAITS, METRICS_LABELS(service), 1);
	} else if (wait <= 0 && e->held_since != 0) {
		metrics_add(METRICS_AWS_LIMITER_WAIT, METRICS_LABELS(service), now - e->held_since);
		e->held_since = 0;
	}
	return wait;
}

/* Sends what may go; returns how long nothing else can, in nanoseconds. */
static int64_t send_due(struct engine *e)
{
	const int64_t most = STOP_MS * CLOCK_MS;
	struct aws_client *c = e->run.c;
	struct flight *f;

	while (!e->over && (f = first_waiting(c)) != NULL) {
		struct aws_fault fault = { 0 };
		int64_t now = clock_mono();
		int64_t wait = f->due - now;

		if (now >= f->give_up) {
			flight_overdue(&e->run, f, &fault);
			give_up(e, f, &fault);
			continue;
		}
		/* All flights of a run share one lane: if the first must wait, all must. */
		if (wait <= 0)
			wait = ask_limiter(e, now);
		if (wait > 0)
			return wait < most ? wait : most;
		if (flight_send(&e->run, f, &fault, e->err) != RC_OK)
			give_up(e, f, &fault);
	}
	return most;
}

static void land(struct engine *e)
{
	struct transfer *x;
	const char *code = "";

	while (!e->over && (x = transport_ended(e->run.c->transport, &code)) != NULL) {
		struct flight *f = x->owner;
		struct aws_fault fault = { 0 };
		json_t *reply = NULL;
		bool more = false;

		switch (flight_land(&e->run, f, code, &reply, &more, &fault)) {
		case FLIGHT_AGAIN: break;
		case FLIGHT_GOOD: deliver(e, f, reply, more); break;
		case FLIGHT_FAILED: give_up(e, f, &fault); break;
		}
	}
}

static void loop(struct engine *e)
{
	struct aws_client *c = e->run.c;

	while (!e->over) {
		int64_t wait;

		if (aws_client_stopped(c)) {
			struct aws_fault fault = { .class = AWS_CANCELED, .op = e->run.work->op };

			snprintf(fault.code, sizeof(fault.code), "canceled");
			end_with(e, &fault);
			break;
		}
		fill(e);
		if (e->active == 0)
			break;
		wait = send_due(e);
		if (e->over)
			break;
		/* With everything on its way, only an answer matters; it wakes the poll. */
		transport_turn(c->transport, (int)((wait + CLOCK_MS - 1) / CLOCK_MS));
		land(e);
	}
}

static void close_flights(struct engine *e)
{
	struct aws_client *c = e->run.c;

	for (int i = 0; i < c->env->in_flight; i++) {
		transport_cancel(c->transport, &c->flights[i].transfer);
		if (c->flights[i].state != FLIGHT_IDLE)
			retire(e, &c->flights[i]);
	}
}

enum rc engine_run(struct aws_client *c, const struct engine_work *w, struct aws_fault *fault,
		   struct aws_tally *tally, struct err *err)
{
	const struct aws_target *t = w->target;
	struct limiter *l = c->env->limiter;
	struct aws_tally unasked = { 0 };
	struct engine e = {
		.run = { .c = c, .work = w, .tally = tally == NULL ? &unasked : tally },
		.fault = fault,
		.err = err,
		.rc = RC_OK,
	};
	struct err why = { 0 };

	assert(!c->busy);
	*fault = (struct aws_fault){ .op = w->op };
	if (endpoint_find(c->env->overrides, w->op->service, str_c(t->region), str_c(t->account),
			  &e.run.endpoint, &why) != RC_OK) {
		fault->class = AWS_BAD_REQUEST;
		snprintf(fault->code, sizeof(fault->code), "%s", why.code);
		snprintf(fault->message, sizeof(fault->message), "%s", why.text);
		return aws_fault_err(fault, err);
	}
	c->busy = true;
	e.run.lane = limiter_lane(l, t->account == NULL ? "" : t->account, e.run.endpoint.region,
				  w->op->service, w->op->bucket, clock_mono());
	loop(&e);
	close_flights(&e);
	limiter_return(l, e.run.lane);
	c->busy = false;
	return e.rc;
}
