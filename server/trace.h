/* W3C Trace Context: the trace that a request belongs to, taken from its traceparent or made. */
#ifndef SERVER_TRACE_H
#define SERVER_TRACE_H

#include "base/str.h"

enum { TRACE_ID_MAX = 33, TRACE_TEXT_MAX = 56 };

struct trace {
	char id[TRACE_ID_MAX];         /* 32 hex digits */
	char response[TRACE_TEXT_MAX]; /* traceresponse: the trace, and our part of it */
};

/* traceparent: as it was sent; one that is not valid is as none. */
struct trace trace_begin(struct str traceparent);

#endif
