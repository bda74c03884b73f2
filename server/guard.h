/* The header guard: what must be refused at header time because libmicrohttpd does not. Judges a
 * request's head as data; knows no socket. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "base/str.h"

enum { GUARD_HEADERS_MAX = 128, GUARD_TARGET_MAX = 4096 };

struct guard_header {
	struct str name, value;
};
struct guard_head {
	struct str method, target, version; /* target as it was sent: path and query, undecoded */
	const struct guard_header *headers;
	size_t n;
	bool headers_cut; /* there were more than GUARD_HEADERS_MAX */
	bool hidden; /* the bytes of the head are not those of what is here, each line ended by CR LF */
};

struct guard_verdict {
	int status; /* 0: acceptable */
	const char *code, *detail;
};

/* Every refusal means that the two ends may not agree on where this request ends: close. */
struct guard_verdict guard_judge(const struct guard_head *head);
/* The value of a header, "" when absent; names compare without case. */
struct str guard_value(const struct guard_head *head, struct str name);
bool guard_has(const struct guard_head *head, struct str name);
/* Declared length of the body, 0 when there is none; after guard_judge only. */
uint64_t guard_length(const struct guard_head *head);

#endif
