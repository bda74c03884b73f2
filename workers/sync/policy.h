/* Policy documents: decoded, hashed, staged once by content, and read tolerantly. */
#ifndef WORKERS_SYNC_POLICY_H
#define WORKERS_SYNC_POLICY_H

#include "base/json.h"
#include "base/text.h"
#include "db/stage.h"

enum { POLICY_BYTES_MAX = 1024 * 1024, POLICY_DEPTH_MAX = 32 };

struct policy {
	char sha[TEXT_SHA256_HEX];
	bool malformed;
	json_t *json; /* NULL when malformed */
};
void policy_done(struct policy *p);
DEFINE_AUTO_VALUE(policy, policy_done)

/* encoded: RFC 3986 percent-encoded, as all of IAM's listings give it. Never fails on bad content: that is `malformed`,
 * and the text is kept. The document is staged. RC_LIMIT: larger than POLICY_BYTES_MAX. */
MUST_CHECK enum rc policy_read(struct stage *stage, struct str encoded, struct policy *ret,
			       struct err *err);
/* The parsing alone. text: decoded. */
void policy_parse(struct str text, struct policy *ret);
/* attrs[key] = sha, attrs[key + "_state"] = ok or malformed */
void policy_attrs(json_t *attrs, const char *key, const struct policy *p);

/* IAM accepts odd casing from old tools: exact first, then any case. Borrowed, NULL = none. */
json_t *policy_member(const json_t *object, const char *name);
/* Statements: one object or an array of them. The i-th object, NULL past the end; others than objects are skipped by the
 * caller. */
json_t *policy_statement(const json_t *document, size_t i);
/* A scalar or an array as an array of strings; new reference, never NULL. Booleans and numbers become text. */
json_t *policy_strings(const json_t *value);

#endif
