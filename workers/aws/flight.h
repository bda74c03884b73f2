/* One call on its way: parameters, page, attempts, and what an answer means for it. */
#ifndef WORKERS_AWS_FLIGHT_H
#define WORKERS_AWS_FLIGHT_H

#include "workers/aws/engine.h"
#include "workers/aws/page.h"

enum flight_state { FLIGHT_IDLE, FLIGHT_WAITING, FLIGHT_SENT };

/* What all flights of a run share. */
struct run {
	struct aws_client *c;
	const struct engine_work *work;
	struct endpoint endpoint;
	struct lane *lane;
	struct aws_tally *tally;
	/* The answer to "do these credentials work at home?", asked at most once a run. */
	enum { RECHECK_UNKNOWN, RECHECK_WORKS, RECHECK_REFUSED } recheck;
};

struct flight {
	enum flight_state state;
	struct transfer transfer;
	struct reply reply;
	struct request request;
	struct creds *creds; /* that signed the last attempt */
	json_t *params;
	void *item;
	struct page page;
	int64_t due;     /* WAITING: not before */
	int64_t give_up; /* no retry after */
	int64_t sent_at; /* SENT: since when */
	int64_t signed_skew;
	int failures;        /* of this page, throttles aside */
	int unresolved;      /* failures whose host was not found */
	int64_t lost_at;     /* the first of those */
	int throttles;       /* of this page */
	int taken;           /* quota tokens that this page's retries took */
	bool refreshed;      /* the one refresh for "expired" is spent */
	bool unskewed;       /* the one retry for a wrong clock is spent */
	uint64_t refused_id; /* credentials that AWS calls expired */
};

enum flight_next { FLIGHT_AGAIN, FLIGHT_GOOD, FLIGHT_FAILED };

void flight_open(struct run *run, struct flight *f, json_t *params, void *item);
void flight_close(struct flight *f); /* back to idle; keeps what can be reused */
void flight_done(struct flight *f);
/* The fault of a call that waited for its turn until its deadline. */
void flight_overdue(const struct run *run, const struct flight *f, struct aws_fault *fault);
/* Signs and sends. RC_OK: on its way. Else *fault says why the call failed. */
MUST_CHECK enum rc flight_send(struct run *run, struct flight *f, struct aws_fault *fault,
			       struct err *err);
/* The transfer has ended. GOOD: *ret_result (new reference), *ret_more. AGAIN: waits until due. */
enum flight_next flight_land(struct run *run, struct flight *f, const char *transfer_code,
			     json_t **ret_result, bool *ret_more, struct aws_fault *fault);
/* Prepares the page that the pager names next. */
void flight_turn_page(struct run *run, struct flight *f);

#endif
