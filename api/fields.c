/* Reads JSON bodies into structs by descriptor, collecting every failing field.
 * Never keeps what no descriptor names, never puts a value into a message. */
#include "api/fields.h"
#include "api/duration.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>

enum { POINTER_MAX = 96, NEST_MAX = 4 };

struct reading {
	enum fields_mode mode;
	char *into;
	struct problem *p;
};

static void read_object(const struct reading *r, const struct field *table, const json_t *object,
			const char *prefix, int depth);

/* Characters that make two names look alike or a line read otherwise than it is stored. */
static bool is_invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x34f || c == 0x61c ||
	       c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
	       (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 ||
	       (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff) ||
	       (c & 0xfffe) == 0xfffe;
}

enum rc fields_printable(struct str s, int64_t min, int64_t max, struct err *err)
{
	int64_t count = 0;
	bool blank = true;

	for (size_t at = 0; at < s.n; count++) {
		uint32_t c = 0;
		size_t n = text_next(str_sub(s, at, s.n), &c);

		if (n == 0)
			return err_set(err, RC_INVALID, "not_text", "The value is not UTF-8 text.");
		if (is_invisible(c))
			return err_set(
				err, RC_INVALID, "invisible_character",
				"Character %lld is a control, direction or invisible character.",
				(long long)count + 1);
		blank = blank &&
			(c == ' ' || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a));
		at += n;
	}
	if (count < min || count > max)
		return err_set(err, RC_INVALID, "wrong_length",
			       "The value has %lld characters; %lld to %lld are allowed.",
			       (long long)count, (long long)min, (long long)max);
	if (blank && min > 0)
		return err_set(err, RC_INVALID, "blank", "The value is blank.");
	return RC_OK;
}

static enum rc check_choice(struct str s, const char *choices, struct err *err)
{
	struct str rest = str_c(choices);

	while (rest.n > 0)
		if (str_eq(str_cut(&rest, '|'), s) && s.n > 0)
			return RC_OK;
	return err_set(err, RC_INVALID, "unknown_choice", "The value is one of %s.", choices);
}

static bool wrong_type(const struct reading *r, const char *pointer, const char *want)
{
	problem_field(r->p, pointer, "wrong_type", "The value must be %s.", want);
	return false;
}

static bool read_text(const struct reading *r, const struct field *f, const json_t *value,
		      const char *pointer)
{
	struct fields_text *to = (struct fields_text *)(void *)(r->into + f->at);
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (!json_is_string(value))
		return wrong_type(r, pointer, "a string");
	to->s = str_n(json_string_value(value), json_string_length(value));
	if (f->kind == FIELD_TEXT)
		rc = fields_printable(to->s, f->min, f->max, &err);
	else if (f->kind == FIELD_CHOICE)
		rc = check_choice(to->s, f->choices, &err);
	else
		rc = f->check(to->s, &err);
	if (rc != RC_OK)
		problem_field_err(r->p, pointer, &err);
	to->state = FIELDS_SET;
	return rc == RC_OK;
}

static bool read_stamp(const struct reading *r, const struct field *f, const json_t *value,
		       const char *pointer, int64_t *ret)
{
	struct str s = S("");

	if (!json_is_string(value))
		return wrong_type(r, pointer, "a string");
	s = str_n(json_string_value(value), json_string_length(value));
	if (f->kind == FIELD_DURATION) {
		if (duration_parse(s, ret) == RC_OK)
			return true;
		problem_field(r->p, pointer, "invalid_duration",
			      "The value must be an ISO 8601 duration such as PT6H or P1D.");
		return false;
	}
	if (clock_parse_iso(s, ret) == RC_OK)
		return true;
	problem_field(r->p, pointer, "invalid_time",
		      "The value must be a time such as 2030-01-31T12:00:00Z.");
	return false;
}

static bool read_number(const struct reading *r, const struct field *f, const json_t *value,
			const char *pointer)
{
	struct fields_number *to = (struct fields_number *)(void *)(r->into + f->at);

	if (f->kind == FIELD_BOOL) {
		if (!json_is_boolean(value))
			return wrong_type(r, pointer, "true or false");
		to->n = json_is_true(value);
	} else if (f->kind == FIELD_INT) {
		if (!json_is_integer(value))
			return wrong_type(r, pointer, "a whole number");
		to->n = json_integer_value(value);
	} else if (!read_stamp(r, f, value, pointer, &to->n)) {
		return false;
	}
	if ((f->kind == FIELD_INT || f->kind == FIELD_DURATION) &&
	    (to->n < f->min || to->n > f->max)) {
		problem_field(r->p, pointer, "out_of_range", "The value must be %lld to %lld%s.",
			      (long long)f->min, (long long)f->max,
			      f->kind == FIELD_DURATION ? " seconds long" : "");
		return false;
	}
	to->state = FIELDS_SET;
	return true;
}

/* Every target begins with its state. */
static void set_state(const struct reading *r, const struct field *f, enum fields_state state)
{
	memcpy(r->into + f->at, &state, sizeof(state));
}

static void read_null(const struct reading *r, const struct field *f, const char *pointer)
{
	if (f->nullable || (r->mode == FIELDS_PATCH && !f->required))
		set_state(r, f, FIELDS_NULL);
	else
		problem_field(r->p, pointer, "null_value", "The value must not be null.");
}

static void read_field(const struct reading *r, const struct field *f, const json_t *value,
		       const char *pointer, int depth)
{
	if (f->kind == FIELD_FIXED) {
		problem_field(r->p, pointer, "immutable", "The field never changes.");
		return;
	}
	if (json_is_null(value)) {
		read_null(r, f, pointer);
		return;
	}
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_CHECKED:
	case FIELD_CHOICE: (void)read_text(r, f, value, pointer); break;
	case FIELD_INT:
	case FIELD_BOOL:
	case FIELD_DURATION:
	case FIELD_TIME: (void)read_number(r, f, value, pointer); break;
	case FIELD_OBJECT:
		set_state(r, f, FIELDS_SET);
		if (json_is_object(value))
			read_object(r, f->inner, value, pointer, depth + 1);
		else
			(void)wrong_type(r, pointer, "an object");
		break;
	case FIELD_FIXED:
	case FIELD_END: break;
	}
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
	size_t n = (size_t)snprintf(out, POINTER_MAX, "%s/", prefix);
	struct str rest = str_c(name);
	uint32_t c = 0;

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

static void read_object(const struct reading *r, const struct field *table, const json_t *object,
			const char *prefix, int depth)
{
	char pointer[POINTER_MAX];
	const char *name = NULL;
	void *at = NULL;
	json_t *tree = json_incref((json_t *)(uintptr_t)object);

	for (at = json_object_iter(tree); at && depth < NEST_MAX;
	     at = json_object_iter_next(tree, at)) {
		name = json_object_iter_key(at);
		point_at(prefix, name, pointer);
		if (!find(table, name))
			problem_unknown(r->p, pointer);
	}
	for (const struct field *f = table; f->kind != FIELD_END; f++) {
		const json_t *value = json_object_get(tree, f->name);

		(void)snprintf(pointer, sizeof(pointer), "%s/%s", prefix, f->name);
		if (value)
			read_field(r, f, value, pointer, depth);
		else if (f->required && r->mode == FIELDS_CREATE)
			problem_field(r->p, pointer, "required", "The field is required.");
	}
	json_decref(tree);
}

bool fields_read(struct str body, enum fields_mode mode, const struct field *table, void *into,
		 json_t **ret_tree, struct problem *p)
{
	const struct reading r = { .mode = mode, .into = into, .p = p };
	struct err err = { 0 };
	AUTO_JSON json_t *tree = NULL;

	if (json_parse(body, JSON_DEPTH_MAX, &tree, &err) != RC_OK) {
		problem_set(p, 400, "malformed_json", "The body is not acceptable JSON: %s",
			    err.text);
		return false;
	}
	if (!json_is_object(tree)) {
		problem_set(p, 400, "malformed_json", "The body must be a JSON object.");
		return false;
	}
	read_object(&r, table, tree, "", 0);
	*ret_tree = TAKE(tree);
	return p->status == 0;
}
