/* The answers of a check: one an action of the permission catalogue and capability, with the best that is known of it. A surer
 * way to know replaces a less sure one, never the other way round. Pure: nothing here calls AWS. */
#ifndef WORKERS_CHECK_ANSWERS_H
#define WORKERS_CHECK_ANSWERS_H

#include "aws/aws.h"
#include "base/permission.h"

enum answers_state { ANSWERS_UNKNOWN, ANSWERS_GRANTED, ANSWERS_DENIED, ANSWERS_NOT_APPLICABLE };
/* In order of how sure they are. */
enum answers_by { ANSWERS_BY_NONE, ANSWERS_BY_SIMULATION, ANSWERS_BY_CALL };

enum { ANSWERS_TEXT_MAX = 240, ANSWERS_PLACE_MAX = 1100 };

struct answer {
	const struct permission_action *rows; /* its rows in the catalogue: one a resource */
	size_t n;
	enum answers_state state;
	enum answers_by by;
	char cause[AWS_CAUSE_MAX]; /* of a denial; "" = AWS does not say */
	char request_id[AWS_REQUEST_ID_MAX];
	char text[ANSWERS_TEXT_MAX];
	bool required;
	size_t simulated; /* rows that the simulation has answered so far */
};

/* What is asked about, and of what kind the connection is. */
struct answers_scope {
	const json_t *wanted; /* {"tiers": [1, 2], "capabilities": ["s3"]} */
	bool organization;    /* a whole AWS Organization is connected */
	const char *partition, *name_prefix, *bucket, *trail_prefix; /* "" = none, or not known */
};

struct answers {
	struct answer *all;
	size_t n;
	struct permission_places places;
};
void answers_done(struct answers *a);
DEFINE_AUTO_VALUE(answers, answers_done)

/* Everything that is wanted, unknown so far but for what does not apply. Views into scope stay. */
void answers_init(struct answers *a, const struct answers_scope *scope);

/* True: a call can answer it, and the answer is wanted. */
bool answers_want(const struct answers *a, const char *action);
/* How a call of the action ended (class AWS_OK: well). What is wanted on some resources only is not answered by a call. */
void answers_fault(struct answers *a, const char *action, const struct aws_fault *fault);
/* What a simulation says of an action on one of its resources (ARN as in the policy, or "*"). */
struct answers_decision {
	const char *action, *resource, *request_id;
	bool allowed, forbidden; /* neither: nothing allows it */
	int organizations; /* 1, 0: the AWS Organization allows it or not; -1 = does not say */
	int boundary;
	bool conditional; /* the policies ask for what a simulation does not know */
};
void answers_decide(struct answers *a, const struct answers_decision *d);
/* A capability that turned out not to apply, or to apply: reason is a sentence. */
void answers_drop(struct answers *a, const char *capability, const char *reason);
void answers_require(struct answers *a, const char *capability);
/* Last: what was not answered says so (why: a sentence), and what only stands in for another call is needed if that is denied. */
void answers_close(struct answers *a, const char *why);

#endif
