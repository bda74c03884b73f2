/* The grammar of policy documents as far as the model needs it. What cannot be parsed is kept as text and says so; nothing
 * here decides what a policy allows. */
#include "workers/sync/policy.h"

#include <stdio.h>
#include <strings.h>

void policy_done(struct policy *p)
{
	json_decref(p->json);
	p->json = NULL;
}

void policy_parse(struct str text, struct policy *ret)
{
	struct err ignored = { 0 };

	ret->json = NULL;
	ret->malformed = json_parse(text, POLICY_DEPTH_MAX, &ret->json, &ignored) != RC_OK ||
			 !json_is_object(ret->json);
	if (ret->malformed)
		policy_done(ret);
}

static enum rc decode(struct buf *out, struct str encoded, bool *ret_bad)
{
	AUTO(buf) struct buf raw = BUF_INIT(POLICY_BYTES_MAX);
	enum rc rc = text_percent_decode(&raw, encoded);

	*ret_bad = rc == RC_INVALID;
	if (rc == RC_INVALID)
		return text_clean(out, encoded);
	if (rc != RC_OK)
		return rc;
	if (!text_is_utf8(buf_str(&raw)))
		*ret_bad = true;
	return text_clean(out, buf_str(&raw));
}

enum rc policy_read(struct stage *stage, struct str encoded, struct policy *ret, struct err *err)
{
	/* Each invalid byte becomes three. */
	AUTO(buf) struct buf text = BUF_INIT(3 * POLICY_BYTES_MAX);
	struct stage_document doc = { .malformed = false };
	enum rc rc = decode(&text, encoded, &doc.malformed);

	if (rc != RC_OK)
		return err_set(err, RC_LIMIT, "document_too_large",
			       "a policy document of %zu bytes is larger than any that AWS allows",
			       encoded.n);
	policy_parse(buf_str(&text), ret);
	if (doc.malformed)
		policy_done(ret);
	ret->malformed = ret->malformed || doc.malformed;
	doc.malformed = ret->malformed;
	doc.body = buf_str(&text);
	text_sha256(doc.body, doc.sha256);
	text_sha256_hex(doc.body, ret->sha);
	return stage_put_document(stage, &doc, err);
}

void policy_attrs(json_t *attrs, const char *key, const struct policy *p)
{
	char state[64];

	snprintf(state, sizeof(state), "%s_state", key);
	json_object_set_new(attrs, key, json_string(p->sha));
	json_object_set_new(attrs, state, json_string(p->malformed ? "malformed" : "ok"));
}

json_t *policy_member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name), *v;
	const char *key;

	if (value)
		return value;
	json_object_foreach ((json_t *)(uintptr_t)object, key, v) {
		if (strcasecmp(key, name) == 0)
			return v;
	}
	return NULL;
}

json_t *policy_statement(const json_t *document, size_t i)
{
	json_t *all = policy_member(document, "Statement");

	if (json_is_object(all))
		return i == 0 ? all : NULL;
	return json_array_get(all, i);
}

static void put_string(json_t *out, const json_t *v)
{
	char number[32];

	if (json_is_string(v)) {
		json_array_append_new(out, json_string_nocheck(json_string_value(v)));
	} else if (json_is_boolean(v)) {
		json_array_append_new(out, json_string(json_is_true(v) ? "true" : "false"));
	} else if (json_is_integer(v)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		json_array_append_new(out, json_string(number));
	}
}

json_t *policy_strings(const json_t *value)
{
	json_t *out = json_array(), *v;
	size_t i;

	if (!json_is_array(value)) {
		put_string(out, value);
		return out;
	}
	json_array_foreach (value, i, v)
		put_string(out, v);
	return out;
}
