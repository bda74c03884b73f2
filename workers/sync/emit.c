/* Entities and edges into the stage. Keys and ids are made here and nowhere else, so that every collector and every sync
 * means the same thing by the same name. Never calls AWS. */
#include "workers/sync/emit.h"
#include "base/awsname.h"
#include "base/clock.h"

#include <stdio.h>

void emit_init(struct emit *e, struct stage *stage, struct id org, const char *account,
	       const char *partition)
{
	char key[EMIT_TIME_MAX + 40];

	*e = (struct emit){ .stage = stage, .account = account, .partition = partition };
	id_uuid(org, e->org);
	snprintf(key, sizeof(key), "aws:account:%s:%s", partition, account);
	e->account_id = emit_id(e, "aws.account", str_c(key));
}

struct id emit_id(const struct emit *e, const char *kind, struct str key)
{
	const struct str parts[] = { str_c(e->org), str_c(kind), key };

	return id_hash(parts, COUNT_OF(parts));
}

struct id emit_edge_id(const struct emit *e, const char *kind, struct id src, struct id dst,
		       struct str qualifier)
{
	char from[ID_UUID_TEXT], to[ID_UUID_TEXT];
	const struct str parts[] = { str_c(e->org), str_c(kind), str_n(from, ID_UUID_TEXT - 1),
				     str_n(to, ID_UUID_TEXT - 1), qualifier };

	id_uuid(src, from);
	id_uuid(dst, to);
	return id_hash(parts, COUNT_OF(parts));
}

enum rc emit_entity(struct emit *e, const struct emit_entity *in, json_t *attrs, struct err *err)
{
	AUTO_JSON json_t *owned = attrs;
	struct stage_entity row = { .id = emit_id(e, in->kind, in->key),
				    .kind = in->kind,
				    .part = in->part,
				    .region = "global",
				    .key = in->key,
				    .name = in->name,
				    .account_id = in->foreign ? S("aws") : str_c(e->account),
				    .incarnation = in->incarnation,
				    .born = in->born,
				    .rank = in->rank,
				    .attrs = owned };
	enum rc rc = stage_put_entity(e->stage, &row, err);

	if (rc != RC_OK || in->rank != STAGE_FOUND || in->loose || in->foreign)
		return rc;
	return emit_edge(e, in->part, "contains", e->account_id, row.id, S(""), NULL, err);
}

enum rc emit_account(struct emit *e, json_t *attrs, struct err *err)
{
	char key[80];
	struct emit_entity row = {
		.kind = "aws.account",
		.part = "account", /* no listing of this scope decides whether an account exists */
		.name = str_c(e->account),
		.loose = true
	};

	snprintf(key, sizeof(key), "aws:account:%s:%s", e->partition, e->account);
	row.key = str_c(key);
	return emit_entity(e, &row, attrs, err);
}

enum rc emit_stub(struct emit *e, const char *kind, struct str key, struct str name,
		  struct str account, struct id *ret_id, struct err *err)
{
	struct id id = emit_id(e, kind, key);
	struct id *slot = &e->seen[id.b[0] % EMIT_SEEN];
	const struct stage_entity row = { .id = id,
					  .kind = kind,
					  .part = "",
					  .region = "global",
					  .key = key,
					  .name = name,
					  .account_id = account,
					  .rank = STAGE_STUB };

	*ret_id = id;
	if (id_eq(*slot, id))
		return RC_OK;
	*slot = id;
	return stage_put_entity(e->stage, &row, err);
}

enum rc emit_edge(struct emit *e, const char *part, const char *kind, struct id src, struct id dst,
		  struct str qualifier, const json_t *attrs, struct err *err)
{
	const struct stage_edge row = { .id = emit_edge_id(e, kind, src, dst, qualifier),
					.src = src,
					.dst = dst,
					.kind = kind,
					.part = part,
					.qualifier = qualifier,
					.attrs = attrs };

	return stage_put_edge(e->stage, &row, err);
}

enum rc emit_account_stub(struct emit *e, struct str partition, struct str account,
			  struct id *ret_id, struct err *err)
{
	char key[80];

	snprintf(key, sizeof(key), "aws:account:%.*s:%.*s", STR_FMT(str_sub(partition, 0, 20)),
		 STR_FMT(str_sub(account, 0, 20)));
	return emit_stub(e, "aws.account", str_c(key), account, account, ret_id, err);
}

enum rc emit_arn_stub(struct emit *e, struct str arn, struct id *ret_id, struct err *err)
{
	static const struct {
		struct str type;
		const char *kind;
	} TYPES[] = {
		{ { "user/", 5 }, "aws.iam_user" },
		{ { "role/", 5 }, "aws.iam_role" },
		{ { "group/", 6 }, "aws.iam_group" },
		{ { "policy/", 7 }, "aws.iam_policy" },
		{ { "saml-provider/", 14 }, "aws.saml_provider" },
		{ { "oidc-provider/", 14 }, "aws.oidc_provider" },
		{ { "instance-profile/", 17 }, "aws.instance_profile" },
	};
	struct awsname_arn a = { 0 };

	if (awsname_arn_parse(arn, &a) != RC_OK || !str_eq(a.service, S("iam")))
		return RC_NOT_FOUND;
	for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
		if (!str_starts(a.resource, TYPES[i].type))
			continue;
		struct str rest = str_sub(a.resource, TYPES[i].type.n, a.resource.n);
		struct str name = i == 5 ? rest : emit_last(rest, '/');

		return emit_stub(e, TYPES[i].kind, arn, name, a.account, ret_id, err);
	}
	return RC_NOT_FOUND;
}

struct str emit_time_text(struct str iso, char out[EMIT_TIME_MAX])
{
	char text[CLOCK_TEXT_MAX];
	int64_t wall = 0;

	out[0] = '\0';
	if (iso.n == 0 || clock_parse_iso(iso, &wall) != RC_OK)
		return S("");
	clock_rfc3339(wall, text);
	if (wall % CLOCK_S == 0 && strlen(text) > 20)
		memcpy(text + 19, "Z", 2);
	snprintf(out, EMIT_TIME_MAX, "%s", text);
	return str_c(out);
}

void emit_time(json_t *attrs, const char *key, struct str iso)
{
	char text[EMIT_TIME_MAX];

	json_set_text(attrs, key, emit_time_text(iso, text));
}

void emit_int(json_t *attrs, const char *key, struct str digits)
{
	int64_t v;

	if (str_to_i64(digits, &v))
		json_object_set_new(attrs, key, json_integer(v));
}

void emit_flag(json_t *attrs, const char *key, struct str word)
{
	if (str_eq_nocase(word, S("true")))
		json_object_set_new(attrs, key, json_true());
	else if (str_eq_nocase(word, S("false")))
		json_object_set_new(attrs, key, json_false());
}

void emit_tags(json_t *attrs, const json_t *tags)
{
	json_t *out = NULL, *tag;
	size_t i;

	json_array_foreach (tags, i, tag) {
		AUTO_JSON json_t *key = json_text_value(json_str(tag, "Key"));

		if (!out)
			out = json_object();
		json_object_set_new(out, json_string_value(key),
				    json_text_value(json_str(tag, "Value")));
	}
	if (out)
		json_object_set_new(attrs, "tags", out);
}

struct str emit_last(struct str path, char sep)
{
	for (size_t i = path.n; i > 0; i--) {
		if (path.p[i - 1] == sep)
			return str_sub(path, i, path.n - i);
	}
	return path;
}
