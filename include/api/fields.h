/* JSON body -> struct by descriptor table. All failing fields are reported at once; what is stored
 * is the struct, never the JSON. */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "api/problem.h"

enum fields_state { FIELDS_ABSENT, FIELDS_NULL, FIELDS_SET };

struct fields_text {
	enum fields_state state;
	struct str s; /* view into the JSON tree */
};
struct fields_number { /* FIELD_INT, FIELD_BOOL, FIELD_DURATION (seconds), FIELD_TIME (wall) */
	enum fields_state state;
	int64_t n;
};
struct fields_object {
	enum fields_state state;
};

enum fields_kind {
	FIELD_END,
	FIELD_TEXT,     /* fields_text: printable, min..max characters */
	FIELD_CHECKED,  /* fields_text: check() decides */
	FIELD_CHOICE,   /* fields_text: one of choices, "a|b|c" */
	FIELD_INT,      /* fields_number: min..max */
	FIELD_BOOL,     /* fields_number */
	FIELD_DURATION, /* fields_number: ISO 8601, min..max seconds */
	FIELD_TIME,     /* fields_number: RFC 3339 */
	FIELD_FIXED,    /* may never be sent: it is immutable */
	FIELD_OBJECT    /* fields_object at `at`; inner's offsets are from the outermost struct */
};

/* Says what is wrong by err_set(); the pointer is the caller's. */
typedef enum rc fields_check(struct str s, struct err *err);

struct field {
	enum fields_kind kind;
	const char *name;
	size_t at;
	bool required; /* on create; a merge patch requires nothing */
	bool nullable; /* null is a value on create too; in a patch null always resets what is not required */
	int64_t min, max;
	const char *choices;
	fields_check *check;
	const struct field *inner;
};

enum fields_mode { FIELDS_CREATE, FIELDS_PATCH };

/* Reads body (an object's text) into *into. *ret_tree holds the bytes that the views point into: the
 * caller drops it when done. Returns false when p says why not. */
MUST_CHECK bool fields_read(struct str body, enum fields_mode mode, const struct field *table,
			    void *into, json_t **ret_tree, struct problem *p);
/* RC_INVALID names the rule: control, bidi, zero-width or other invisible characters; blank; length. */
MUST_CHECK enum rc fields_printable(struct str s, int64_t min, int64_t max, struct err *err);

#endif
