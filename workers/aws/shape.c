/* Compiles list paths into a tree of names. */
#include "workers/aws/shape.h"
#include <assert.h>

static int add(struct shape *s, int parent, struct str name)
{
	struct shape_node *node = &s->nodes[s->n];

	assert(s->n < SHAPE_NODES_MAX);
	*node = (struct shape_node){
		.name = name,
		.parent = parent,
		.first_child = SHAPE_NONE,
		.next = SHAPE_NONE,
	};
	if (parent >= 0) {
		node->next = s->nodes[parent].first_child;
		s->nodes[parent].first_child = s->n;
	}
	return s->n++;
}

int shape_child(const struct shape *s, int node, struct str name)
{
	if (node < 0)
		return SHAPE_NONE;
	for (int i = s->nodes[node].first_child; i >= 0; i = s->nodes[i].next)
		if (str_eq(s->nodes[i].name, name))
			return i;
	return SHAPE_NONE;
}

static void add_path(struct shape *s, struct str path)
{
	int node = SHAPE_ROOT;
	struct shape_node *leaf;
	struct str element = S("");
	bool colon = false;

	while (path.n > 0) {
		struct str rest = str_cut(&path, '/');
		size_t whole = rest.n;
		struct str name = str_cut(&rest, ':');
		int child = shape_child(s, node, name);

		colon = name.n < whole;
		element = rest;
		node = child >= 0 ? child : add(s, node, name);
	}
	leaf = &s->nodes[node];
	leaf->kind = colon && element.n == 0 ? SHAPE_FLAT : SHAPE_WRAPPED;
	leaf->element = element;
}

static void add_paths(struct shape *s, const char *list, char separator)
{
	struct str rest = str_c(list);

	while (rest.n > 0) {
		struct str path = str_cut(&rest, separator);

		if (path.n > 0)
			add_path(s, path);
	}
}

void shape_compile(struct shape *s, const char *lists, const char *xml_lists)
{
	s->n = 0;
	add(s, SHAPE_NONE, S(""));
	add_paths(s, lists, '|');
	add_paths(s, xml_lists, ' ');
}
