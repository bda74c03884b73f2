/* Flattening of JSON parameters. Knows no operation. */
#include "workers/aws/form.h"
#include "base/text.h"
#include <stdio.h>

struct form {
	struct buf *out;
	struct err *err;
	bool flat;
	int depth;
	char name[FORM_NAME_MAX]; /* the dotted name that is being written */
	size_t n;
};

static enum rc put_value(struct form *f, const json_t *value);

static enum rc too_long(struct form *f)
{
	return err_set(f->err, RC_LIMIT, "request_too_long",
		       "the parameters of an AWS call are too long or too deep");
}

static enum rc put_scalar(struct form *f, struct str value)
{
	if (buf_putc(f->out, '&') != RC_OK ||
	    text_percent_encode(f->out, str_n(f->name, f->n), false) != RC_OK ||
	    buf_putc(f->out, '=') != RC_OK || text_percent_encode(f->out, value, false) != RC_OK)
		return too_long(f);
	return RC_OK;
}

/* Appends ".part" (or "part" at the start) to the name. */
static enum rc push(struct form *f, struct str part)
{
	size_t dot = f->n > 0 ? 1 : 0;

	if (f->n + dot + part.n >= sizeof(f->name))
		return too_long(f);
	if (dot)
		f->name[f->n] = '.';
	memcpy(f->name + f->n + dot, part.p, part.n);
	f->n += dot + part.n;
	return RC_OK;
}

static enum rc put_list(struct form *f, const json_t *list, struct str element)
{
	size_t named = f->n;
	size_t before;
	size_t i;
	json_t *item;
	enum rc rc = RC_OK;

	if (element.n > 0)
		rc = push(f, element);
	before = f->n;
	json_array_foreach (list, i, item) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", i + 1);
		if (rc == RC_OK)
			rc = push(f, str_c(number));
		if (rc == RC_OK)
			rc = put_value(f, item);
		f->n = before;
		if (rc != RC_OK)
			break;
	}
	f->n = named;
	return rc;
}

static enum rc put_object(struct form *f, const json_t *object)
{
	size_t before = f->n;
	const char *key;
	json_t *value;

	/* jansson's iterator asks for a mutable object; nothing is changed. */
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		struct str rest = str_c(key);
		struct str name = str_cut(&rest, ':');
		enum rc rc = push(f, name);

		if (rc == RC_OK && json_is_array(value)) {
			if (rest.n == 0 && !f->flat)
				rest = S("member");
			rc = put_list(f, value, rest);
		} else if (rc == RC_OK) {
			rc = put_value(f, value);
		}
		f->n = before;
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc put_value(struct form *f, const json_t *value)
{
	char number[40];
	enum rc rc;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return put_scalar(f, str_n(json_string_value(value), json_string_length(value)));
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		return put_scalar(f, str_c(number));
	case JSON_TRUE: return put_scalar(f, S("true"));
	case JSON_FALSE: return put_scalar(f, S("false"));
	case JSON_NULL: return RC_OK;
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (++f->depth > FORM_DEPTH_MAX)
			return too_long(f);
		rc = json_is_object(value) ? put_object(f, value) : put_list(f, value, S(""));
		f->depth--;
		return rc;
	case JSON_REAL: break;
	}
	return err_set(f->err, RC_INVALID, "invalid_parameter",
		       "parameter %.*s is of a kind that a form cannot carry", (int)f->n, f->name);
}

enum rc form_put(struct buf *out, const json_t *params, bool flat, struct err *err)
{
	struct form f = { .out = out, .err = err, .flat = flat };

	return params == NULL ? RC_OK : put_object(&f, params);
}
