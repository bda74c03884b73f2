/* JSON body -> struct by descriptor table. All failing fields are reported at once; what is stored
 * is the struct, never the JSON. The tables of bodies and of query parameters are generated from the
 * contract (api/bodies.h). */
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
struct fields_tree { /* FIELD_LIST, FIELD_OBJECTS, FIELD_TREE */
	enum fields_state state;
	const json_t *tree; /* borrowed from the JSON tree: a checked array, or a free object */
};

enum fields_kind {
	FIELD_END,
	FIELD_TEXT,     /* fields_text: printable, min..max characters */
	FIELD_CHECKED,  /* fields_text: check() decides */
	FIELD_CHOICE,   /* fields_text: one of choices, "a|b|c" */
	FIELD_ID,       /* fields_text: prefix and 32 hex digits */
	FIELD_INT,      /* fields_number: min..max */
	FIELD_BOOL,     /* fields_number */
	FIELD_DURATION, /* fields_number: ISO 8601, min..max seconds */
	FIELD_TIME,     /* fields_number: RFC 3339 */
	FIELD_LIST,     /* fields_tree: min..max texts or numbers, each as inner[0] says */
	FIELD_OBJECTS, /* fields_tree: min..max objects of inner; each fills a struct of size bytes */
	FIELD_TREE,    /* fields_tree: any object of at most max bytes */
	FIELD_FIXED,   /* may never be sent: it is immutable */
	FIELD_OBJECT /* a struct that begins with its enum fields_state; inner's offsets are its own */
};

/* Says what is wrong by err_set(); the pointer is the caller's. */
typedef enum rc fields_check(struct str s, struct err *err);

struct field {
	enum fields_kind kind;
	const char *name;
	size_t at;
	bool required; /* on create; a merge patch requires nothing */
	bool nullable; /* null is a value; else it is refused */
	bool unique;   /* of a list: no item twice */
	int64_t min, max;
	const char *choices, *prefix;
	fields_check *check;
	const struct field *inner;
	size_t size;
};

enum fields_mode { FIELDS_CREATE, FIELDS_PATCH };

/* Reads body (an object's text) into *into. *ret_tree holds the bytes that the views point into: the
 * caller drops it when done. Returns false when p says why not. */
MUST_CHECK bool fields_read(struct str body, enum fields_mode mode, const struct field *table,
			    void *into, json_t **ret_tree, struct problem *p);
/* The same from an object that is parsed already, such as an item of FIELD_OBJECTS (which was judged
 * with the body and is good). pointer is where it stands: "/targets/0". */
MUST_CHECK bool fields_read_tree(const json_t *object, const char *pointer, enum fields_mode mode,
				 const struct field *table, void *into, struct problem *p);
/* Items of a FIELD_LIST or FIELD_OBJECTS: 0 when it was not sent. */
size_t fields_count(const struct fields_tree *list);
struct str fields_item(const struct fields_tree *list, size_t i);

#endif
