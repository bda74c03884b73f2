/* One HTTP answer: collected as it arrives, judged when it has ended. The result is either the
 * operation's content as json_t or a fault with its class. */
#ifndef WORKERS_AWS_REPLY_H
#define WORKERS_AWS_REPLY_H

#include "aws/aws.h"
#include "workers/aws/xml.h"

enum {
	REPLY_BODY_MAX = 64 * 1024 * 1024,
	REPLY_HEAD_MAX = 64 * 1024,
	REPLY_LINES_MAX = 256,
	REPLY_JSON_DEPTH_MAX = 64
};

struct reply {
	const struct aws_op *op;
	bool secret; /* the answer holds a secret: buffers are wiped */
	/* head */
	int status;
	size_t head_bytes;
	int head_lines;
	int64_t retry_after_ms; /* -1: none */
	int64_t date_wall;      /* 0: none */
	char request_id[AWS_REQUEST_ID_MAX];
	char error_code[AWS_CODE_MAX];
	char result_name[AWS_CODE_MAX]; /* query: "ListUsersResult" */
	/* body */
	struct shape shape;
	struct xml *xml; /* XML protocols */
	struct buf body; /* JSON protocols */
	size_t body_bytes;
	const char *cut; /* a limit was hit: why */
};

void reply_done(struct reply *r);
/* Empties *r for a new answer to op. */
void reply_start(struct reply *r, const struct aws_op *op);
/* One header line, or the status line. False: past a limit, give the transfer up. */
bool reply_head(struct reply *r, struct str line);
bool reply_body(struct reply *r, struct str bytes);
/* The answer is complete. True: *ret_result is the content, a new reference. False: *fault says
 * what it was (op and counters are the caller's). */
bool reply_end(struct reply *r, json_t **ret_result, struct aws_fault *fault);

#endif
