/* Looks into the permission catalogue and writes policy documents of it. The catalogue itself is base/permission.yaml; no
 * action is named here. Never widens: a hole without a value is refused, not filled with a wildcard. */
#include "base/permission.h"
#include "base/mem.h"

#include <stdlib.h>

enum {
	RESOURCE_MAX = 2048,
	RESOURCES_TEXT_MAX = 16 * 1024, /* of all resources of one action */
};

/* A name that begins like another one stands before it. */
static const struct {
	struct str name;
	size_t at;
} HOLES[] = {
	{ { "PARTITION", 9 }, offsetof(struct permission_places, partition) },
	{ { "TRAIL_PREFIX", 12 }, offsetof(struct permission_places, trail_prefix) },
	{ { "PREFIX", 6 }, offsetof(struct permission_places, prefix) },
	{ { "BUCKET", 6 }, offsetof(struct permission_places, bucket) },
	{ { "KEY_ARN", 7 }, offsetof(struct permission_places, key_arn) },
};

bool permission_is_prefix(struct str s)
{
	bool good = s.n > 0 && s.n <= PERMISSION_PREFIX_MAX && s.p[s.n - 1] != '-' &&
		    !str_has(s, S("--"));

	for (size_t i = 0; good && i < s.n; i++) {
		bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
		bool digit = (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-';

		good = letter || (i > 0 && digit);
	}
	return good;
}

const struct permission_action *permission_find(struct str action)
{
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		if (str_eq(str_c(PERMISSION_ACTIONS[i].action), action))
			return &PERMISSION_ACTIONS[i];
	}
	return NULL;
}

const struct permission_capability *permission_capability_find(struct str name)
{
	for (size_t i = 0; i < PERMISSION_CAPABILITIES_N; i++) {
		if (str_eq(str_c(PERMISSION_CAPABILITIES[i].name), name))
			return &PERMISSION_CAPABILITIES[i];
	}
	return NULL;
}

const char *permission_need_name(enum permission_need need)
{
	switch (need) {
	case PERMISSION_REQUIRED: return "required";
	case PERMISSION_ORGANIZATION: return "organization";
	case PERMISSION_IDENTITY_CENTER: return "identity_center";
	case PERMISSION_OPTIONAL: break;
	}
	return "optional";
}

/* The hole that rest begins with, or NULL. */
static const struct str *hole_at(struct str rest, const struct permission_places *places,
				 struct str *ret_value)
{
	for (size_t i = 0; i < COUNT_OF(HOLES); i++) {
		if (!str_starts(rest, HOLES[i].name))
			continue;
		*ret_value =
			*(const struct str *)((const void *)((const char *)places + HOLES[i].at));
		return &HOLES[i].name;
	}
	return NULL;
}

const char *permission_hole(const char *resource, const struct permission_places *places)
{
	struct str rest = str_c(resource), value = { 0 };

	while (rest.n > 0) {
		const struct str *hole = hole_at(rest, places, &value);

		if (hole && value.n == 0)
			return hole->p;
		rest = str_sub(rest, hole ? hole->n : 1, rest.n);
	}
	return NULL;
}

static enum rc fill(const struct permission_action *row, const struct permission_places *places,
		    char **ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT(RESOURCE_MAX);
	struct str rest = str_c(row->resource), value = { 0 };
	const char *missing = permission_hole(row->resource, places);
	enum rc rc = RC_OK;

	if (missing)
		return err_set(err, RC_INVALID, "unfilled_hole",
			       "%s cannot be granted while its %s is unknown.", row->action,
			       missing);
	while (rc == RC_OK && rest.n > 0) {
		const struct str *hole = hole_at(rest, places, &value);

		rc = hole ? buf_put(&b, value) : buf_putc(&b, rest.p[0]);
		rest = str_sub(rest, hole ? hole->n : 1, rest.n);
	}
	if (rc != RC_OK)
		return err_set(err, RC_INVALID, "resource_too_long",
			       "The resource of %s has more than %d characters.", row->action,
			       RESOURCE_MAX);
	*ret = buf_take(&b);
	return RC_OK;
}

struct grant {
	const char *action;
	char *resource;
};

struct grants {
	struct grant *list;
	size_t n;
};

static void grants_done(struct grants *g)
{
	for (size_t i = 0; i < g->n; i++)
		mem_free(g->list[i].resource);
	mem_free(g->list);
}
DEFINE_AUTO_VALUE(grants, grants_done)

/* "*" sorts before every ARN, so that the first resource of an action tells whether others matter. */
static int by_action(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int order = strcmp(x->action, y->action);

	return order ? order : strcmp(x->resource, y->resource);
}

/* The resources of the action at g->list[from], one a line; returns where the next action begins. */
static size_t resources_of(const struct grants *g, size_t from, struct buf *out, enum rc *rc)
{
	const struct grant *first = &g->list[from];
	bool all = strcmp(first->resource, "*") == 0;
	size_t i = from;

	for (; i < g->n && strcmp(g->list[i].action, first->action) == 0; i++) {
		if (i > from && (all || strcmp(g->list[i].resource, g->list[i - 1].resource) == 0))
			continue;
		if (*rc == RC_OK && out->n > 0)
			*rc = buf_putc(out, '\n');
		if (*rc == RC_OK)
			*rc = buf_put(out, str_c(g->list[i].resource));
	}
	return i;
}

static json_t *resource_value(const char *lines)
{
	struct str rest = str_c(lines);
	json_t *list = json_array(), *one = NULL;

	while (rest.n > 0)
		json_array_append_new(list, json_text_value(str_cut(&rest, '\n')));
	if (json_array_size(list) != 1)
		return list;
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* by_resource: resources, one a line -> sorted actions. */
static json_t *document_of(const json_t *by_resource)
{
	json_t *statements = json_array(), *actions;
	size_t n = json_object_size(by_resource), i = 0;
	const char **keys = mem_array(n ? n : 1, sizeof(*keys)), *key;

	json_object_foreach ((json_t *)(uintptr_t)by_resource, key, actions)
		keys[i++] = key;
	qsort(keys, n, sizeof(*keys), by_name);
	for (i = 0; i < n; i++)
		json_array_append_new(statements,
				      json_pack("{s:s, s:O, s:o}", "Effect", "Allow", "Action",
						json_object_get(by_resource, keys[i]), "Resource",
						resource_value(keys[i])));
	mem_free(keys);
	return json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
}

static enum rc write_document(const struct grants *g, json_t **ret, struct err *err)
{
	AUTO_JSON json_t *by_resource = json_object();
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < g->n;) {
		AUTO(buf) struct buf lines = BUF_INIT(RESOURCES_TEXT_MAX);
		const char *action = g->list[i].action;
		json_t *actions;

		i = resources_of(g, i, &lines, &rc);
		actions = json_object_get(by_resource, buf_c(&lines));
		if (!actions) {
			actions = json_array();
			json_object_set_new(by_resource, buf_c(&lines), actions);
		}
		json_array_append_new(actions, json_string(action));
	}
	if (rc != RC_OK)
		return err_set(err, RC_LIMIT, "too_many_resources",
			       "The resources of one action have more than %d characters.",
			       RESOURCES_TEXT_MAX);
	*ret = document_of(by_resource);
	return RC_OK;
}

enum rc permission_policy_of(const struct permission_action *const *rows, size_t n,
			     const struct permission_places *places, json_t **ret, struct err *err)
{
	AUTO(grants) struct grants g = { .list = mem_array(n ? n : 1, sizeof(struct grant)) };

	for (size_t i = 0; i < n; i++) {
		enum rc rc = fill(rows[i], places, &g.list[i].resource, err);

		if (rc != RC_OK)
			return rc;
		g.list[i].action = rows[i]->action;
		g.n++;
	}
	qsort(g.list, g.n, sizeof(g.list[0]), by_action);
	return write_document(&g, ret, err);
}

enum rc permission_policy(const char *const *actions, size_t n,
			  const struct permission_places *places, json_t **ret, struct err *err)
{
	AUTO_JSON json_t *asked = json_object();
	const struct permission_action **rows = NULL;
	size_t count = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++) {
		if (!permission_find(str_c(actions[i])))
			return err_set(err, RC_INVALID, "unknown_action",
				       "%s is not an action of the catalogue.", actions[i]);
		json_object_set_new(asked, actions[i], json_true());
	}
	rows = mem_array(PERMISSION_ACTIONS_N, sizeof(*rows));
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_action *row = &PERMISSION_ACTIONS[i];

		if (json_object_get(asked, row->action) &&
		    row->capability == permission_find(str_c(row->action))->capability)
			rows[count++] = row;
	}
	rc = permission_policy_of(rows, count, places, ret, err);
	mem_free(rows);
	return rc;
}
