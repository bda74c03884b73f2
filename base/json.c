/* jansson behind limits. The depth is counted before jansson sees the text, and messages name the
 * position only: jansson's own quote the text, which may hold a secret.
 * Never parses without a depth, never prints what it refused. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>

/* A text is at most as long as what was parsed, times the escapes; a tree beyond this is a bug. */
#define JSON_TEXT_MAX   ((size_t)1 << 30)
#define JSON_DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)

/* Byte offset to line and column, both from 1; columns count bytes. */
static void locate(struct str text, size_t at, int *line, int *column)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			(*line)++;
			start = i + 1;
		}
	}
	*column = (int)(at - start) + 1;
}

/* Offset of the first bracket that is deeper than depth_max; text.n when none is. */
static size_t first_too_deep(struct str text, int depth_max)
{
	bool inside = false;
	int depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (inside && c == '\\')
			i++; /* whatever it escapes does not end the string */
		else if (c == '"')
			inside = !inside;
		else if (!inside && (c == '[' || c == '{') && ++depth > depth_max)
			return i;
		else if (!inside && (c == ']' || c == '}'))
			depth--;
	}
	return text.n;
}

size_t json_values(struct str text)
{
	bool inside = false;
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (inside && c == '\\')
			i++;
		else if (c == '"')
			inside = !inside;
		else if (!inside && (c == '[' || c == '{' || c == ',' || c == ':'))
			n++;
	}
	return n;
}

static const char *reason(const json_error_t *e)
{
	enum json_error_code code = json_error_code(e);

	if (code == json_error_premature_end_of_input)
		return "the text ends in the middle of a value";
	if (code == json_error_end_of_input_expected)
		return "something follows the value";
	if (code == json_error_invalid_utf8)
		return "the text is not UTF-8";
	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		return "NUL is not allowed";
	if (code == json_error_duplicate_key)
		return "a key occurs twice in one object";
	if (code == json_error_numeric_overflow)
		return "a number is too large";
	return "the syntax is wrong";
}

enum rc json_parse(struct str text, int depth_max, json_t **ret, struct err *err)
{
	json_error_t e = { 0 };
	int line = 0, column = 0;
	size_t deep = first_too_deep(text, depth_max), at = 0;
	json_t *j = NULL;

	if (deep < text.n) {
		locate(text, deep, &line, &column);
		return err_set(err, RC_LIMIT, "json_too_deep",
			       "the JSON at line %d, column %d is nested deeper than %d levels",
			       line, column, depth_max);
	}
	j = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &e);
	if (!j) {
		at = e.position > 0 ? (size_t)e.position : 0;
		locate(text, at < text.n ? at : text.n, &line, &column);
		return err_set(err, RC_INVALID, "invalid_json",
			       "not valid JSON at line %d, column %d: %s", line, column,
			       reason(&e));
	}
	*ret = j;
	return RC_OK;
}

static int put_chunk(const char *bytes, size_t n, void *arg)
{
	return buf_put(arg, str_n(bytes, n)) == RC_OK ? 0 : -1;
}

enum rc json_put(struct buf *out, const json_t *j)
{
	const size_t before = out->n;

	if (json_dump_callback(j, put_chunk, out, JSON_DUMP_FLAGS) == 0)
		return RC_OK;
	buf_cut(out, before);
	return RC_LIMIT;
}

char *json_text(const json_t *j)
{
	struct buf text = BUF_INIT(JSON_TEXT_MAX);
	enum rc rc = json_put(&text, j);

	assert(rc == RC_OK);
	return buf_take(&text);
}

struct str json_str(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_string(v) ? str_n(json_string_value(v), json_string_length(v)) : S("");
}

int64_t json_i64(const json_t *obj, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool json_bool(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

json_t *json_at(const json_t *obj, const char *path)
{
	struct str rest = str_c(path), step = str_cut(&rest, '/');
	json_t *at = json_object_getn(obj, step.p, step.n);

	while (at && rest.n) {
		step = str_cut(&rest, '/');
		at = json_object_getn(at, step.p, step.n);
	}
	return at;
}

json_t *json_text_value(struct str s)
{
	/* A cleaned text is at most three times as long: U+FFFD for every byte. */
	AUTO(buf) struct buf clean = BUF_INIT(3 * s.n);
	json_t *value = NULL;
	enum rc rc = text_clean(&clean, s);

	assert(rc == RC_OK);
	value = json_stringn(buf_c(&clean), clean.n);
	assert(value);
	return value;
}

void json_set_text(json_t *obj, const char *key, struct str s)
{
	int rc = 0;

	if (s.n == 0)
		return;
	rc = json_object_set_new(obj, key, json_text_value(s));
	assert(rc == 0);
}

void json_setup(void)
{
	/* Request bodies hold secrets: what jansson held of them is zeroed when it lets go. */
	json_set_alloc_funcs(mem_alloc, mem_wipe);
	json_object_seed(0);
}
