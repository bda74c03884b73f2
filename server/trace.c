/* traceparent in, traceresponse out (Trace Context of the W3C, level 1 and the header of level 2).
 * Never decides what is sampled: it passes the caller's flag on. */
#include "server/trace.h"
#include "base/id.h"

#include <stdio.h>

enum { PARENT_N = 55, ID_AT = 3, ID_N = 32, SPAN_AT = 36, SPAN_N = 16, FLAGS_AT = 53 };

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n > 0;
}

static bool is_zero(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '0')
			return false;
	return true;
}

/* A version that we do not know may go on behind what the first one has. */
static bool is_valid(struct str t)
{
	struct str version = str_sub(t, 0, 2), id = str_sub(t, ID_AT, ID_N);
	struct str span = str_sub(t, SPAN_AT, SPAN_N);

	if (t.n < PARENT_N || t.p[2] != '-' || t.p[35] != '-' || t.p[52] != '-')
		return false;
	if (!is_hex(version) || str_eq(version, S("ff")) || !is_hex(str_sub(t, FLAGS_AT, 2)))
		return false;
	if (t.n > PARENT_N && (str_eq(version, S("00")) || t.p[PARENT_N] != '-'))
		return false;
	return is_hex(id) && !is_zero(id) && is_hex(span) && !is_zero(span);
}

static void make(char *out, size_t bytes)
{
	unsigned char random[ID_N / 2];

	id_bytes(random, bytes);
	random[0] |= 1; /* all zeros are no id */
	id_hex(out, random, bytes);
	out[2 * bytes] = '\0';
}

struct trace trace_begin(struct str traceparent)
{
	struct trace t = { .id = "" };
	char span[SPAN_N + 1], flags[3] = "00";

	if (is_valid(traceparent)) {
		(void)snprintf(t.id, sizeof(t.id), "%.*s", ID_N, traceparent.p + ID_AT);
		(void)snprintf(flags, sizeof(flags), "%.2s", traceparent.p + FLAGS_AT);
	} else {
		make(t.id, ID_N / 2);
	}
	make(span, SPAN_N / 2);
	(void)snprintf(t.response, sizeof(t.response), "00-%s-%s-%s", t.id, span, flags);
	return t;
}
