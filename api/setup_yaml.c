/* A YAML emitter for the templates: block style, texts always quoted. Knows nothing of CloudFormation; intrinsic functions are
 * written in their long form, which needs no tags. */
#include "api/setup_yaml.h"
#include "base/mem.h"

enum { DEPTH_MAX = 24 };

static bool is_plain(const char *key)
{
	bool good = *key != '\0';

	for (const char *c = key; good && *c; c++)
		good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		       (*c >= '0' && *c <= '9' && c > key);
	return good;
}

static enum rc put_key(struct buf *out, const char *key)
{
	AUTO_JSON json_t *text = NULL;
	enum rc rc;

	if (is_plain(key))
		return buf_printf(out, "%s:", key);
	text = json_string(key);
	rc = json_put(out, text);
	return rc == RC_OK ? buf_putc(out, ':') : rc;
}

static enum rc indent(struct buf *out, int depth)
{
	return buf_printf(out, "%*s", depth * 2, "");
}

static bool is_block(const json_t *v)
{
	return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static enum rc put_object(struct buf *out, const json_t *v, int depth, bool first_inline);

static enum rc put_array(struct buf *out, const json_t *v, int depth)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (v, i, item) {
		if (rc == RC_OK)
			rc = indent(out, depth);
		if (rc == RC_OK)
			rc = buf_put(out, S("- "));
		if (rc == RC_OK && json_is_object(item) && is_block(item))
			rc = put_object(out, item, depth + 1, true);
		else if (rc == RC_OK)
			rc = json_put(out, item); /* a list in a list stays on its line */
		if (rc == RC_OK && !(json_is_object(item) && is_block(item)))
			rc = buf_putc(out, '\n');
	}
	return rc;
}

static enum rc put_value(struct buf *out, const json_t *v, int depth)
{
	enum rc rc;

	if (is_block(v)) {
		rc = buf_putc(out, '\n');
		if (rc != RC_OK)
			return rc;
		return json_is_object(v) ? put_object(out, v, depth, false)
					 : put_array(out, v, depth);
	}
	rc = buf_putc(out, ' ');
	if (rc == RC_OK)
		rc = json_put(out, v);
	return rc == RC_OK ? buf_putc(out, '\n') : rc;
}

/* first_inline: the first member stands behind the dash of a list. */
static enum rc put_object(struct buf *out, const json_t *v, int depth, bool first_inline)
{
	json_t *inner;
	const char *key;
	enum rc rc = depth <= DEPTH_MAX ? RC_OK : RC_LIMIT;

	json_object_foreach ((json_t *)(uintptr_t)v, key, inner) {
		if (rc == RC_OK && !first_inline)
			rc = indent(out, depth);
		first_inline = false;
		if (rc == RC_OK)
			rc = put_key(out, key);
		if (rc == RC_OK)
			rc = put_value(out, inner, depth + 1);
	}
	return rc;
}

enum rc setup_yaml_put(struct buf *out, const json_t *tree)
{
	return put_object(out, tree, 0, false);
}
