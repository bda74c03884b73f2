/* Trust edges. Every statement is kept with its effect, its conditions and its place; a Deny is an edge that says Deny and
 * is never read as a way in. Nothing is evaluated here. */
#include "workers/sync/trust.h"
#include "base/awsname.h"

#include <stdio.h>
#include <strings.h>

#define PART "roles"

/* Conditions that change what a principal means, by lower-case key. */
static const char *const MEANINGS[] = {
	"sts:externalid",
	"aws:principalorgid",
	"aws:principalorgpaths",
	"aws:principalaccount",
	"aws:principalarn",
	"aws:sourcearn",
	"aws:sourceaccount",
	"aws:sourceorgid",
	"aws:multifactorauthpresent",
	"saml:aud",
	"saml:sub",
	"sts:rolesessionname",
};

static bool ends_nocase(struct str s, struct str end)
{
	return s.n >= end.n && str_eq_nocase(str_sub(s, s.n - end.n, end.n), end);
}

static bool has_meaning(const char *key)
{
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++) {
		if (strcasecmp(key, MEANINGS[i]) == 0)
			return true;
	}
	return ends_nocase(str_c(key), S(":sub")) || ends_nocase(str_c(key), S(":aud"));
}

static struct trust_principal classify_arn(struct str element)
{
	struct trust_principal p = { .kind = TRUST_UNRESOLVED, .text = element };
	struct awsname_arn a = { 0 };
	struct str rest;

	if (awsname_arn_parse(element, &a) != RC_OK)
		return p;
	p.partition = a.partition;
	p.account = awsname_is_account(a.account) ? a.account : S("");
	if (str_eq(a.service, S("iam")) && str_eq(a.resource, S("root")) && p.account.n > 0)
		p.kind = TRUST_ACCOUNT;
	else if (str_eq(a.service, S("iam")) &&
		 (str_starts(a.resource, S("user/")) || str_starts(a.resource, S("role/"))))
		p.kind = TRUST_IAM;
	else if (str_eq(a.service, S("iam")) && (str_starts(a.resource, S("saml-provider/")) ||
						 str_starts(a.resource, S("oidc-provider/"))))
		p.kind = TRUST_PROVIDER;
	else if (str_eq(a.service, S("sts")) && str_starts(a.resource, S("assumed-role/"))) {
		rest = str_sub(a.resource, S("assumed-role/").n, a.resource.n);
		p.role_name = str_cut(&rest, '/');
		p.kind = TRUST_SESSION;
	}
	return p;
}

struct trust_principal trust_classify(struct str type, struct str element)
{
	struct trust_principal p = { .kind = TRUST_UNRESOLVED, .text = element };

	if (str_eq_nocase(type, S("Service"))) {
		p.kind = TRUST_SERVICE;
		return p;
	}
	if (str_eq_nocase(type, S("Federated"))) {
		p = classify_arn(element);
		if (p.kind !=
		    TRUST_PROVIDER) /* cognito-identity.amazonaws.com, accounts.google.com */
			p.kind = str_has(element, S(":")) ? TRUST_UNRESOLVED : TRUST_SERVICE;
		return p;
	}
	if (!str_eq_nocase(type, S("AWS")))
		return p;
	if (str_eq(element, S("*"))) {
		p.kind = TRUST_PUBLIC;
		return p;
	}
	if (awsname_is_account(element)) {
		p.kind = TRUST_ACCOUNT;
		p.account = element;
		return p;
	}
	return classify_arn(element);
}

static bool is_all_stars(const json_t *v)
{
	const char *c = json_string_value(v);

	return c && c[0] != '\0' && c[strspn(c, "*")] == '\0';
}

static bool binds(const char *operator, const json_t * values)
{
	AUTO_JSON json_t *list = policy_strings(values);
	json_t *v;
	size_t i;

	if (strcasecmp(operator, "StringEquals") != 0 &&
	    strcasecmp(operator, "StringEqualsIgnoreCase") != 0 &&
	    strcasecmp(operator, "StringLike") != 0)
		return false;
	json_array_foreach (list, i, v) {
		if (strcasecmp(operator, "StringLike") == 0 && is_all_stars(v))
			return false;
	}
	return json_array_size(list) > 0;
}

bool trust_needs_external_id(const json_t *statement)
{
	json_t *conditions = policy_member(statement, "Condition"), *block;
	const char *operator;

	json_object_foreach (conditions, operator, block) {
		json_t *values = policy_member(block, "sts:ExternalId");

		if (values && binds(operator, values))
			return true;
	}
	return false;
}

/* { "aws:principalorgid": ["o-..."], ... } over all operators. */
static json_t *meanings(const json_t *conditions)
{
	json_t *out = json_object(), *block, *values;
	const char *operator, * key;

	json_object_foreach ((json_t *)(uintptr_t)conditions, operator, block) {
		json_object_foreach (block, key, values) {
			AUTO_JSON json_t *list = policy_strings(values);
			json_t *known = json_object_get(out, key);

			if (!has_meaning(key))
				continue;
			if (known)
				json_array_extend(known, list);
			else
				json_object_set(out, key, list);
		}
	}
	return out;
}

static void set_strings(json_t *attrs, const char *name, const json_t *value)
{
	if (value)
		json_object_set_new(attrs, name, policy_strings(value));
}

json_t *trust_attrs(const json_t *statement, size_t index, const char *document_sha)
{
	json_t *attrs = json_object();
	const json_t *conditions = policy_member(statement, "Condition");
	const json_t *sid = policy_member(statement, "Sid");
	const json_t *effect = policy_member(statement, "Effect");

	json_object_set_new(attrs, "effect",
			    json_string(json_is_string(effect) ? json_string_value(effect) : ""));
	json_object_set_new(attrs, "statement", json_integer((json_int_t)index));
	json_object_set_new(attrs, "document", json_string(document_sha));
	json_object_set_new(attrs, "external_id_required",
			    json_boolean(trust_needs_external_id(statement)));
	set_strings(attrs, "actions", policy_member(statement, "Action"));
	set_strings(attrs, "not_actions", policy_member(statement, "NotAction"));
	if (json_is_string(sid) && json_string_length(sid) > 0)
		json_object_set_new(attrs, "sid", json_string(json_string_value(sid)));
	if (json_is_object(conditions) && json_object_size(conditions) > 0) {
		json_object_set_new(attrs, "conditions", json_deep_copy(conditions));
		json_object_set_new(attrs, "condition_keys", meanings(conditions));
	}
	return attrs;
}

struct place {
	struct emit *e;
	struct id role;
	json_t *attrs;
	char qualifier[24];
	bool allow;
};

static enum rc edge_from(const struct place *at, struct id src, struct err *err)
{
	return emit_edge(at->e, PART, "trusts", src, at->role, str_c(at->qualifier), at->attrs,
			 err);
}

static enum rc from_stub(const struct place *at, const char *kind, struct str key,
			 struct str account, struct err *err)
{
	struct id src;
	enum rc rc = emit_stub(at->e, kind, key, key, account, &src, err);

	return rc == RC_OK ? edge_from(at, src, err) : rc;
}

/* Whom the provider must have named: the :sub values, and the :aud values. */
static json_t *federation_attrs(const json_t *attrs)
{
	json_t *out = json_deep_copy(attrs), *subjects = json_array(), *audiences = json_array(),
	       *v;
	const char *key;

	json_object_foreach (json_object_get(attrs, "condition_keys"), key, v) {
		if (ends_nocase(str_c(key), S(":sub")))
			json_array_extend(subjects, v);
		else if (ends_nocase(str_c(key), S(":aud")))
			json_array_extend(audiences, v);
	}
	json_object_set_new(out, "subjects", subjects);
	json_object_set_new(out, "audiences", audiences);
	return out;
}

static enum rc from_provider(const struct place *at, const struct trust_principal *p,
			     struct err *err)
{
	AUTO_JSON json_t *attrs = NULL;
	struct id src;
	enum rc rc = emit_arn_stub(at->e, p->text, &src, err);

	if (rc == RC_OK)
		rc = edge_from(at, src, err);
	if (rc != RC_OK || !at->allow)
		return rc;
	attrs = federation_attrs(at->attrs);
	return emit_edge(at->e, PART, "federates", src, at->role, str_c(at->qualifier), attrs, err);
}

/* The path of the role is not in the ARN; the listing of roles knows it, if the role is one of this account. */
static enum rc from_session(const struct place *at, const struct trust_principal *p,
			    struct err *err)
{
	const struct stage_link link = { .known = at->role,
					 .known_is_src = false,
					 .kind = "trusts",
					 .part = PART,
					 .want_kind = "aws.iam_role",
					 .want_name = p->role_name,
					 .qualifier = str_c(at->qualifier),
					 .otherwise = p->text,
					 .attrs = at->attrs };

	if (!str_eq(p->account, str_c(at->e->account)))
		return from_stub(at, "aws.principal_unresolved", p->text, p->account, err);
	return stage_put_link(at->e->stage, &link, err);
}

static enum rc from_element(const struct place *at, struct str type, struct str element,
			    struct err *err)
{
	const struct trust_principal p = trust_classify(type, element);
	struct id src;
	enum rc rc;

	switch (p.kind) {
	case TRUST_ACCOUNT:
		rc = emit_account_stub(at->e, p.partition.n ? p.partition : str_c(at->e->partition),
				       p.account, &src, err);
		return rc == RC_OK ? edge_from(at, src, err) : rc;
	case TRUST_IAM:
		rc = emit_arn_stub(at->e, element, &src, err);
		return rc == RC_OK ? edge_from(at, src, err) : rc;
	case TRUST_SESSION: return from_session(at, &p, err);
	case TRUST_SERVICE: return from_stub(at, "aws.principal_service", element, S(""), err);
	case TRUST_PROVIDER: return from_provider(at, &p, err);
	case TRUST_PUBLIC: return from_stub(at, "aws.principal_public", S("*"), S(""), err);
	case TRUST_UNRESOLVED: break;
	}
	return from_stub(at, "aws.principal_unresolved", element, p.account, err);
}

static enum rc from_list(const struct place *at, struct str type, const json_t *value,
			 struct err *err)
{
	AUTO_JSON json_t *list = policy_strings(value);
	json_t *v;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, v) {
		struct str element = str_n(json_string_value(v), json_string_length(v));

		if (rc == RC_OK && element.n > 0 && element.n <= EMIT_KEY_MAX)
			rc = from_element(at, type, element, err);
	}
	return rc;
}

static enum rc from_principal(const struct place *at, const json_t *principal, struct err *err)
{
	json_t *value;
	const char *type;
	enum rc rc = RC_OK;

	if (json_is_string(principal)) /* "*" */
		return from_list(at, S("AWS"), principal, err);
	json_object_foreach ((json_t *)(uintptr_t)principal, type, value) {
		if (rc == RC_OK)
			rc = from_list(at, str_c(type), value, err);
	}
	return rc;
}

static enum rc from_everyone_but(const struct place *at, const json_t *exempt, struct err *err)
{
	json_object_set_new(at->attrs, "not_principal", json_deep_copy(exempt));
	json_object_set_new(at->attrs, "public_if_not_principal", json_boolean(at->allow));
	return from_stub(at, "aws.principal_public", S("*"), S(""), err);
}

enum rc trust_emit(struct emit *e, struct id role, const struct policy *document, struct err *err)
{
	json_t *statement;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && (statement = policy_statement(document->json, i)); i++) {
		AUTO_JSON json_t *attrs = NULL;
		const json_t *principal = policy_member(statement, "Principal");
		const json_t *exempt = policy_member(statement, "NotPrincipal");
		struct place at = { .e = e, .role = role };

		if (!json_is_object(statement))
			continue;
		attrs = trust_attrs(statement, i, document->sha);
		at.attrs = attrs;
		at.allow = str_eq_nocase(json_str(attrs, "effect"), S("Allow"));
		snprintf(at.qualifier, sizeof(at.qualifier), "%zu", i);
		if (principal)
			rc = from_principal(&at, principal, err);
		if (rc == RC_OK && exempt)
			rc = from_everyone_but(&at, exempt, err);
	}
	return rc;
}
