/* JSON: jansson behind the limits that hostile input needs. json_t is jansson's; ownership follows
 * jansson's words (new reference / borrowed / stolen), AUTO(json) drops a reference. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include <jansson.h>

/* A value costs up to some 230 bytes of memory, whatever little it is in the text. */
enum { JSON_DEPTH_MAX = 32, JSON_REQUEST_MAX = 64 * 1024, JSON_VALUES_MAX = 32 * 1024 };

/* AUTO_JSON json_t *j = NULL; */
static inline void json_auto(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto)))

/* Strict: one value, object or array at the top, duplicates refused, no NUL, depth <= depth_max.
 * RC_INVALID names the position; RC_LIMIT: deeper than depth_max. */
MUST_CHECK enum rc json_parse(struct str text, int depth_max, json_t **ret, struct err *err);
/* No more values and keys than this can be in the text, counted before a tree is built from it. */
size_t json_values(struct str text);
/* Compact, keys sorted: the canonical form that hashes are taken of. mem_free(). */
char *json_text(const json_t *j) NEVER_NULL;
MUST_CHECK enum rc json_put(struct buf *out, const json_t *j); /* the same, appended */
/* Member access that tolerates NULL and other types: "" / 0 / false / NULL. Borrowed. */
struct str json_str(const json_t *obj, const char *key);
int64_t json_i64(const json_t *obj, const char *key, int64_t otherwise);
bool json_bool(const json_t *obj, const char *key);
/* "A/B/C" from obj; NULL when a step is missing. Borrowed. */
json_t *json_at(const json_t *obj, const char *path);
/* Cleaned (text_clean) string value; new reference, never NULL. */
json_t *json_text_value(struct str s) NEVER_NULL;
/* obj[key] = s, cleaned; an empty s sets nothing. */
void json_set_text(json_t *obj, const char *key, struct str s);
/* Call once before threads: seeds hashing. */
void json_setup(void);

#endif
