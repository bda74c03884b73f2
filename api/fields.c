/* Reads JSON bodies into structs by descriptor, collecting every failing field.
 * Never keeps what no descriptor names, never puts a value into a message. */
#include "api/fields.h"
#include "api/value.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>

enum { POINTER_MAX = 96, INDEX_MAX = 24 };

struct reading {
	enum fields_mode mode;
	struct problem *p;
};

static void read_object(const struct reading *r, const struct field *table, const json_t *object,
			void *into, const char *prefix);

static struct str text_of(const json_t *value)
{
	return str_n(json_string_value(value), json_string_length(value));
}

static bool wrong_type(const struct reading *r, const char *pointer, const char *want)
{
	problem_field(r->p, pointer, "wrong_type", "The value must be %s.", want);
	return false;
}

static bool told(const struct reading *r, const char *pointer, enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		problem_field_err(r->p, pointer, err);
	return rc == RC_OK;
}

static void read_text(const struct reading *r, const struct field *f, const json_t *value,
		      struct fields_text *to, const char *pointer)
{
	struct err err = { 0 };

	if (!json_is_string(value)) {
		(void)wrong_type(r, pointer, "a string");
		return;
	}
	to->s = text_of(value);
	(void)told(r, pointer, value_text(f, to->s, &err), &err);
	to->state = FIELDS_SET;
}

static bool read_n(const struct reading *r, const struct field *f, const json_t *value,
		   const char *pointer, int64_t *ret)
{
	struct err err = { 0 };

	if (f->kind == FIELD_BOOL) {
		*ret = json_is_true(value);
		return json_is_boolean(value) || wrong_type(r, pointer, "true or false");
	}
	if (f->kind == FIELD_INT) {
		*ret = json_integer_value(value);
		return json_is_integer(value) || wrong_type(r, pointer, "a whole number");
	}
	if (!json_is_string(value))
		return wrong_type(r, pointer, "a string");
	return told(r, pointer, value_stamp(f, text_of(value), ret, &err), &err);
}

static void read_number(const struct reading *r, const struct field *f, const json_t *value,
			struct fields_number *to, const char *pointer)
{
	bool ranged = f->kind == FIELD_INT || f->kind == FIELD_DURATION;
	struct err err = { 0 };
	int64_t n = 0;

	if (!read_n(r, f, value, pointer, &n))
		return;
	if (ranged && !told(r, pointer, value_range(f, n, &err), &err))
		return;
	to->n = n;
	to->state = FIELDS_SET;
}

/* Every target begins with its state. */
static void set_state(char *into, const struct field *f, enum fields_state state)
{
	memcpy(into + f->at, &state, sizeof(state));
}

/* An object of a list is read into a struct that is thrown away: all faults of a body are told at
 * once, and the handler reads what is known to be good. */
static void read_item(const struct reading *r, const struct field *f, const json_t *item,
		      const char *pointer)
{
	struct err err = { 0 };
	struct fields_number number;

	if (f->kind == FIELD_LIST && f->inner->kind == FIELD_INT) {
		read_number(r, f->inner, item, &number, pointer);
	} else if (f->kind == FIELD_LIST && !json_is_string(item)) {
		(void)wrong_type(r, pointer, "a string");
	} else if (f->kind == FIELD_LIST) {
		(void)told(r, pointer, value_text(f->inner, text_of(item), &err), &err);
	} else if (!json_is_object(item)) {
		(void)wrong_type(r, pointer, "an object");
	} else {
		void *scratch = mem_alloc(f->size);

		read_object(r, f->inner, item, scratch, pointer);
		mem_free(scratch);
	}
}

static bool is_repeated(const json_t *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (json_equal(json_array_get(list, j), json_array_get(list, i)))
			return true;
	return false;
}

static void read_list(const struct reading *r, const struct field *f, const json_t *list,
		      struct fields_tree *to, const char *pointer)
{
	size_t n = json_array_size(list);
	char at[POINTER_MAX + INDEX_MAX];

	if (!json_is_array(list)) {
		(void)wrong_type(r, pointer, "a list");
		return;
	}
	if ((int64_t)n < f->min || (int64_t)n > f->max) {
		problem_field(r->p, pointer, "wrong_length",
			      "The list has %zu items; %lld to %lld are allowed.", n,
			      (long long)f->min, (long long)f->max);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "%s/%zu", pointer, i);
		read_item(r, f, json_array_get(list, i), at);
		if (f->unique && is_repeated(list, i))
			problem_field(r->p, at, "repeated_item", "The item is in the list before.");
	}
	*to = (struct fields_tree){ .state = FIELDS_SET, .tree = list };
}

static void read_tree(const struct reading *r, const struct field *f, const json_t *value,
		      struct fields_tree *to, const char *pointer)
{
	size_t n = json_dumpb(value, NULL, 0, JSON_COMPACT);

	if (!json_is_object(value))
		(void)wrong_type(r, pointer, "an object");
	else if (n > (size_t)f->max)
		problem_field(r->p, pointer, "wrong_length",
			      "The object has %zu bytes; %lld are allowed.", n, (long long)f->max);
	else
		*to = (struct fields_tree){ .state = FIELDS_SET, .tree = value };
}

/* Which of the three targets a kind fills stands in fields.h. */
static void read_value(const struct reading *r, const struct field *f, const json_t *value,
		       char *into, const char *pointer)
{
	void *to = into + f->at;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_CHECKED:
	case FIELD_ID:
	case FIELD_CHOICE: read_text(r, f, value, to, pointer); break;
	case FIELD_INT:
	case FIELD_BOOL:
	case FIELD_DURATION:
	case FIELD_TIME: read_number(r, f, value, to, pointer); break;
	case FIELD_LIST:
	case FIELD_OBJECTS: read_list(r, f, value, to, pointer); break;
	case FIELD_TREE: read_tree(r, f, value, to, pointer); break;
	case FIELD_OBJECT:
		set_state(into, f, FIELDS_SET);
		if (json_is_object(value))
			read_object(r, f->inner, value, to, pointer);
		else
			(void)wrong_type(r, pointer, "an object");
		break;
	case FIELD_FIXED:
	case FIELD_END: break;
	}
}

static void read_field(const struct reading *r, const struct field *f, const json_t *value,
		       char *into, const char *pointer)
{
	if (f->kind == FIELD_FIXED)
		problem_field(r->p, pointer, "immutable", "The field never changes.");
	else if (!json_is_null(value))
		read_value(r, f, value, into, pointer);
	else if (f->nullable)
		set_state(into, f, FIELDS_NULL);
	else
		problem_field(r->p, pointer, "null_value", "The value must not be null.");
}

static const struct field *find(const struct field *table, const char *name)
{
	for (const struct field *f = table; f->kind != FIELD_END; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* prefix/name, the name escaped as JSON Pointer wants it and cut at a character's end. */
static void point_at(const char *prefix, const char *name, char out[POINTER_MAX])
{
	struct str rest = str_c(name), start = str_sub(str_c(prefix), 0, POINTER_MAX - 2);
	size_t n = start.n;
	uint32_t c = 0;

	memcpy(out, start.p, n);
	out[n++] = '/';
	for (size_t size = text_next(rest, &c); size > 0; size = text_next(rest, &c)) {
		const char *escape = *rest.p == '~' ? "~0" : *rest.p == '/' ? "~1" : NULL;
		struct str part = escape ? str_c(escape) : str_sub(rest, 0, size);

		if (n + part.n >= POINTER_MAX)
			break;
		memcpy(out + n, part.p, part.n);
		n += part.n;
		rest = str_sub(rest, size, rest.n);
	}
	out[n] = '\0';
}

/* It nests as deep as the tables do. */
static void read_object(const struct reading *r, const struct field *table, const json_t *object,
			void *into, const char *prefix)
{
	char pointer[POINTER_MAX];
	const char *name = NULL;
	void *at = NULL;
	json_t *tree = json_incref((json_t *)(uintptr_t)object);

	for (at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
		name = json_object_iter_key(at);
		point_at(prefix, name, pointer);
		if (!find(table, name))
			problem_unknown(r->p, pointer);
	}
	for (const struct field *f = table; f->kind != FIELD_END; f++) {
		const json_t *value = json_object_get(tree, f->name);

		(void)snprintf(pointer, sizeof(pointer), "%s/%s", prefix, f->name);
		if (value)
			read_field(r, f, value, into, pointer);
		else if (f->required && r->mode == FIELDS_CREATE)
			problem_field(r->p, pointer, "required", "The field is required.");
	}
	json_decref(tree);
}

bool fields_read_tree(const json_t *object, const char *pointer, enum fields_mode mode,
		      const struct field *table, void *into, struct problem *p)
{
	const struct reading r = { .mode = mode, .p = p };

	read_object(&r, table, object, into, pointer);
	return p->status == 0;
}

bool fields_read(struct str body, enum fields_mode mode, const struct field *table, void *into,
		 json_t **ret_tree, struct problem *p)
{
	struct err err = { 0 };
	AUTO_JSON json_t *tree = NULL;

	if (json_values(body) > JSON_VALUES_MAX) {
		problem_set(p, 400, "malformed_json",
			    "The body is not acceptable JSON: it has more than %d values.",
			    JSON_VALUES_MAX);
		return false;
	}
	if (json_parse(body, JSON_DEPTH_MAX, &tree, &err) != RC_OK) {
		problem_set(p, 400, "malformed_json", "The body is not acceptable JSON: %s",
			    err.text);
		return false;
	}
	if (!json_is_object(tree)) {
		problem_set(p, 400, "malformed_json", "The body must be a JSON object.");
		return false;
	}
	(void)!fields_read_tree(tree, "", mode, table, into, p);
	*ret_tree = TAKE(tree);
	return p->status == 0;
}

size_t fields_count(const struct fields_tree *list)
{
	return list->state == FIELDS_SET ? json_array_size(list->tree) : 0;
}

struct str fields_item(const struct fields_tree *list, size_t i)
{
	return text_of(json_array_get(list->tree, i));
}
