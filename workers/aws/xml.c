/* The XML reader, over expat. Judges form and limits; what an answer means is reply.c's. */
#include "workers/aws/xml.h"
#include "base/mem.h"
#include <expat.h>

struct frame {
	json_t *value; /* object or array once a child has been seen; owned */
	size_t text;   /* where this element's text begins */
	int node;      /* in the shape, or SHAPE_NONE */
	bool is_item;  /* an item of the parent's list */
};

struct xml {
	XML_Parser parser;
	struct xml_rules rules;
	enum rc rc;
	const char *reason;
	size_t fed;
	size_t token; /* where the last token begins that was looked at */
	struct frame frames[XML_DEPTH_MAX];
	int depth;
	int skipped; /* depth inside an element that is not kept */
	struct buf text;
	char root_name[XML_NAME_MAX];
	json_t *root;
};

static void fail(struct xml *x, enum rc rc, const char *reason)
{
	if (x->rc != RC_OK)
		return;
	x->rc = rc;
	x->reason = reason;
	XML_StopParser(x->parser, XML_FALSE);
}

static bool is_dropped(const struct xml *x, struct str name)
{
	struct str rest = str_c(x->rules.drop);

	while (rest.n > 0)
		if (str_eq(str_cut(&rest, ' '), name))
			return true;
	return false;
}

/* Does <name> stand for an item of the list that the parent is? The row's word counts only for the
 * list itself, not for its items, which share its node. A parent that already has members of other
 * names is a structure that happens to have a field of that name. */
static bool is_item(const struct xml *x, const struct frame *parent, struct str name)
{
	struct str element = S("");

	if (parent->node >= 0 && !parent->is_item)
		element = x->rules.shape->nodes[parent->node].element;
	if (element.n > 0)
		return str_eq(element, name);
	return (str_eq(name, S("member")) || str_eq(name, S("item"))) &&
	       !json_is_object(parent->value);
}

static int child_node(const struct xml *x, const struct frame *parent, struct str name, bool item)
{
	if (x->rules.shape == NULL)
		return SHAPE_NONE;
	if (x->depth == 1 && x->rules.result != NULL)
		return str_eq(name, str_c(x->rules.result)) ? SHAPE_ROOT : SHAPE_NONE;
	return item ? parent->node : shape_child(x->rules.shape, parent->node, name);
}

static void open_child(struct xml *x, struct str name)
{
	struct frame *parent = &x->frames[x->depth - 1];
	struct frame *f = &x->frames[x->depth];
	bool item = is_item(x, parent, name);

	if (json_is_array(parent->value) && !item) {
		x->skipped = 1;
		return;
	}
	if (parent->value == NULL)
		parent->value = item ? json_array() : json_object();
	buf_cut(&x->text, parent->text);
	*f = (struct frame){ .text = x->text.n, .is_item = item };
	f->node = child_node(x, parent, name, item);
	x->depth++;
}

static void on_start(void *arg, const XML_Char *raw, const XML_Char **attributes)
{
	struct xml *x = arg;
	struct str name = str_c(raw);
	int n = 0;

	while (attributes[n] != NULL)
		n += 2;
	if (n / 2 > XML_ATTRIBUTES_MAX || name.n >= XML_NAME_MAX ||
	    x->depth + x->skipped >= XML_DEPTH_MAX) {
		fail(x, RC_LIMIT, "too deep, too long a name or too many attributes");
		return;
	}
	if (x->skipped > 0 || (x->depth > 0 && is_dropped(x, name))) {
		x->skipped++;
		return;
	}
	if (x->depth == 0) {
		memcpy(x->root_name, raw, name.n + 1);
		x->frames[0] = (struct frame){
			.node = x->rules.shape != NULL && x->rules.result == NULL ? SHAPE_ROOT
										  : SHAPE_NONE,
		};
		x->depth = 1;
		return;
	}
	open_child(x, name);
	for (n = 0; x->skipped == 0 && attributes[n] != NULL; n += 2) {
		struct frame *f = &x->frames[x->depth - 1];

		if (strcmp(attributes[n], "xsi:type") != 0)
			continue;
		f->value = json_object();
		json_object_set_new_nocheck(f->value, "Type",
					    json_string_nocheck(attributes[n + 1]));
	}
}

/* Declared lists that are absent are empty. */
static void fill_lists(const struct xml *x, const struct frame *f)
{
	const struct shape *s = x->rules.shape;

	if (f->node < 0 || !json_is_object(f->value))
		return;
	for (int i = s->nodes[f->node].first_child; i >= 0; i = s->nodes[i].next) {
		char name[XML_NAME_MAX];

		if (s->nodes[i].kind == SHAPE_STRUCT || s->nodes[i].name.n >= sizeof(name))
			continue;
		memcpy(name, s->nodes[i].name.p, s->nodes[i].name.n);
		name[s->nodes[i].name.n] = '\0';
		if (json_object_get(f->value, name) == NULL)
			json_object_set_new_nocheck(f->value, name, json_array());
	}
}

/* The value of a finished element; a new reference. */
static json_t *close_value(struct xml *x, struct frame *f)
{
	const struct shape *s = x->rules.shape;
	struct str text = str_sub(buf_str(&x->text), f->text, x->text.n - f->text);
	bool list = f->node > SHAPE_ROOT && !f->is_item && s->nodes[f->node].kind == SHAPE_WRAPPED;

	if (f->value == NULL && list)
		f->value = json_array();
	if (f->value == NULL && f->node == SHAPE_ROOT)
		f->value = json_object();
	if (f->value == NULL)
		return json_stringn_nocheck(text.p, text.n);
	fill_lists(x, f);
	return TAKE(f->value);
}

/* obj[name] = value; a name that comes again makes a list of both, so that nothing is lost. */
static void put_member(const struct xml *x, json_t *obj, const char *name, int node, json_t *value)
{
	json_t *old = json_object_get(obj, name);
	json_t *list;

	if (node > SHAPE_ROOT && x->rules.shape->nodes[node].kind == SHAPE_FLAT && old == NULL) {
		old = json_array();
		json_object_set_new_nocheck(obj, name, old);
	}
	if (old == NULL) {
		json_object_set_new_nocheck(obj, name, value);
		return;
	}
	if (!json_is_array(old)) {
		list = json_array();
		json_array_append(list, old);
		json_object_set_new_nocheck(obj, name, list);
		old = list;
	}
	json_array_append_new(old, value);
}

/* <entry><key>k</key><value>v</value></entry> is the member k of the map that the parent is. */
static bool put_entry(json_t *map, const char *name, json_t *value)
{
	const json_t *key = json_object_get(value, "key");
	json_t *content = json_object_get(value, "value");

	if (strcmp(name, "entry") != 0 || !json_is_string(key) || content == NULL)
		return false;
	json_object_set_nocheck(map, json_string_value(key), content);
	json_decref(value);
	return true;
}

static void on_end(void *arg, const XML_Char *name)
{
	struct xml *x = arg;
	struct frame *f;
	struct frame *parent;
	json_t *value;

	if (x->rc != RC_OK)
		return;
	if (x->skipped > 0) {
		x->skipped--;
		return;
	}
	f = &x->frames[--x->depth];
	value = close_value(x, f);
	buf_cut(&x->text, f->text);
	if (x->depth == 0) {
		x->root = value;
		return;
	}
	parent = &x->frames[x->depth - 1];
	if (f->is_item)
		json_array_append_new(parent->value, value);
	else if (!put_entry(parent->value, name, value))
		put_member(x, parent->value, name, f->node, value);
}

static void on_text(void *arg, const XML_Char *bytes, int n)
{
	struct xml *x = arg;

	if (x->skipped > 0 || x->depth == 0 || x->frames[x->depth - 1].value != NULL)
		return;
	if (buf_put(&x->text, str_n(bytes, (size_t)n)) != RC_OK)
		fail(x, RC_LIMIT, "a field is longer than 8 MiB");
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public_id, int internal)
{
	(void)name;
	(void)system;
	(void)public_id;
	(void)internal;
	fail(arg, RC_INVALID, "it has a document type declaration");
}

void xml_free(struct xml *x)
{
	if (x == NULL)
		return;
	XML_ParserFree(x->parser);
	for (int i = 0; i < x->depth; i++)
		json_decref(x->frames[i].value);
	json_decref(x->root);
	if (x->rules.secret)
		buf_wipe(&x->text);
	buf_done(&x->text);
	mem_free(x);
}

struct xml *xml_new(const struct xml_rules *rules)
{
	struct xml *x = MEM_NEW(struct xml);

	x->rules = *rules;
	x->rc = RC_OK;
	x->reason = "";
	x->text = (struct buf)BUF_INIT(XML_FIELD_MAX);
	x->parser = XML_ParserCreate("UTF-8");
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	return x;
}

/* Where expat stands, or stood when it last said so: it puts off looking at a token that grows. */
static void bound_token(struct xml *x)
{
	XML_Index at = XML_GetCurrentByteIndex(x->parser);

	if (at >= 0)
		x->token = (size_t)at;
	if (x->fed - x->token > XML_TAG_MAX)
		fail(x, RC_LIMIT, "a tag is longer than 64 KiB");
}

static enum rc feed(struct xml *x, struct str bytes, bool final)
{
	if (x->rc != RC_OK)
		return x->rc;
	if (bytes.n > XML_PAGE_MAX - x->fed) {
		x->rc = RC_LIMIT;
		x->reason = "it is longer than 64 MiB";
		return x->rc;
	}
	do {
		struct str piece = str_sub(bytes, 0, XML_TAG_MAX);
		bool last = final && piece.n == bytes.n;

		bytes = str_sub(bytes, piece.n, bytes.n);
		x->fed += piece.n;
		if (XML_Parse(x->parser, piece.p, (int)piece.n, last) == XML_STATUS_OK)
			bound_token(x);
		else if (x->rc == RC_OK) {
			x->rc = RC_INVALID;
			x->reason = XML_ErrorString(XML_GetErrorCode(x->parser));
		}
	} while (x->rc == RC_OK && bytes.n > 0);
	return x->rc;
}

enum rc xml_feed(struct xml *x, struct str bytes)
{
	return feed(x, bytes, false);
}

enum rc xml_end(struct xml *x, const char **ret_root, json_t **ret)
{
	enum rc rc = feed(x, S(""), true);

	if (rc != RC_OK)
		return rc;
	*ret_root = x->root_name;
	*ret = json_incref(x->root);
	return RC_OK;
}

const char *xml_reason(const struct xml *x)
{
	return x->reason;
}
