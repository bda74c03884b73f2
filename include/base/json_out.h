/* JSON written straight into a buffer, member by member: for answers of many rows, where building a
 * tree, printing it and freeing it cost several times the rest of the request. Whoever writes keeps the
 * brackets in order; nothing is checked but the size. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/buf.h"

struct json_out {
	struct buf b;
	bool more; /* a comma is due before the next value */
	bool full; /* the limit of b was met: what is there is no JSON */
};

#define JSON_OUT_INIT(limit) ((struct json_out){ .b = BUF_INIT(limit) })

/* key: of a member of an object, NULL for an element of an array or the outermost value; a name of
 * ours, written as it is. bracket: '{' or '['; its other half ends it. */
void json_out_begin(struct json_out *o, const char *key, char bracket);
void json_out_end(struct json_out *o, char bracket);
/* s: UTF-8. */
void json_out_text(struct json_out *o, const char *key, struct str s);
/* s is JSON already, or "null". */
void json_out_raw(struct json_out *o, const char *key, struct str s);
void json_out_bool(struct json_out *o, const char *key, bool value);
void json_out_i64(struct json_out *o, const char *key, int64_t value);

#endif
