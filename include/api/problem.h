/* Problems of RFC 9457, collected: a request with five wrong fields is told of five.
 * A problem names fields and rules, never values that could be secret. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/http.h"

enum { PROBLEM_ERRORS_MAX = 32 };

struct problem {
	int status; /* 0: nothing is wrong so far */
	char code[ERR_CODE_MAX];
	char detail[ERR_TEXT_MAX];
	json_t *errors; /* [{pointer, code, detail}] or NULL */
	json_t *aws;    /* what AWS said, or NULL */
};

void problem_done(struct problem *p);
DEFINE_AUTO_VALUE(problem, problem_done)

/* Sets the head unless one is set. */
void problem_set(struct problem *p, int status, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* Adds a failing field: 422 unless something graver (400, 403) was found. pointer: "/auth/role_arn". */
void problem_field(struct problem *p, const char *pointer, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same from an err whose field may be empty. */
void problem_field_err(struct problem *p, const char *pointer, const struct err *err);
/* An unknown member: 400. */
void problem_unknown(struct problem *p, const char *pointer);

/* Replies. Both take what they are given (p is emptied). request_id and path of req go in. */
struct http_reply problem_reply(const struct http_request *req, struct problem *p);
/* One-line problems. */
struct http_reply problem_of(const struct http_request *req, int status, const char *code,
			     const char *fmt, ...) PRINTF_LIKE(4, 5);
/* From a failed call: 404 is always the same text; 5xx hides err and hands it to the log. A refusal of
 * the database that no handler announced is a 500, never the caller's fault. */
struct http_reply problem_err(const struct http_request *req, const struct err *err);
/* The answer for everything that is not there or not the caller's: the same bytes for both. */
struct http_reply problem_not_found(const struct http_request *req);

#endif
