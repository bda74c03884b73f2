/* What the three kinds of key routes share: bodies, the rule that nobody gives what he lacks, the JSON. */
#ifndef API_KEY_FIELDS_H
#define API_KEY_FIELDS_H

#include "api/apikey.h"
#include "api/problem.h"
#include "api/scope.h"

/* A body that was read; its views point into tree. */
struct key_fields {
	json_t *tree;
	char scopes[SCOPE_NAMES_MAX];
};
void key_fields_done(struct key_fields *f);
DEFINE_AUTO_VALUE(key_fields, key_fields_done)

/* NewKey into name, role, scopes and expires_at of *ret. False: p says why. */
MUST_CHECK bool key_fields_new(struct http_request *req, struct key_fields *f, struct new_key *ret,
			       struct problem *p);
/* KeyRotation, which may be absent, into expires_at and overlap_s of *ret. */
MUST_CHECK bool key_fields_rotation(struct http_request *req, struct key_fields *f,
				    struct key_replacement *ret, struct problem *p);
/* False, 403: the caller would give a scope that he lacks. rows: the key, as keys_get() has it. */
MUST_CHECK bool key_fields_may_renew(const struct http_request *req, const struct db_rows *rows,
				     struct problem *p);

json_t *key_fields_json(const struct db_rows *rows, int row, enum keys_kind kind);
/* 201 with the text of the first row's key; the caller says where it is. */
struct http_reply key_fields_made(const struct db_rows *rows, enum keys_kind kind,
				  const char *text);

#endif
