/* The lists of a reply by path, compiled from a row's `lists` and `xml_lists` (notation: aws/op.h).
 * XML does not say what a list is; the row does. */
#ifndef WORKERS_AWS_SHAPE_H
#define WORKERS_AWS_SHAPE_H

#include "base/str.h"

enum { SHAPE_NODES_MAX = 96, SHAPE_NONE = -1, SHAPE_ROOT = 0 };

enum shape_kind { SHAPE_STRUCT, SHAPE_WRAPPED, SHAPE_FLAT };

struct shape_node {
	struct str name;
	struct str element; /* SHAPE_WRAPPED: name of the items; empty = member or item */
	enum shape_kind kind;
	int parent;
	int first_child; /* SHAPE_NONE ends */
	int next;
};

struct shape {
	struct shape_node nodes[SHAPE_NODES_MAX];
	int n;
};

/* Asserts on a row that does not fit: rows are ours. Views stay borrowed from the row. */
void shape_compile(struct shape *s, const char *lists, const char *xml_lists);
int shape_child(const struct shape *s, int node, struct str name); /* SHAPE_NONE: not declared */

#endif
