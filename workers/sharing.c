/* Tries every external ID that a trust policy names against the policy itself. Conditions on other keys may or may not hold: an
 * Allow is taken to hold then, a Deny not to. Never calls AWS. */
#include "workers/sharing.h"
#include "workers/sync/policy.h"
#include "workers/sync/trust.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static const char KEY[] = "sts:ExternalId";

void sharing_done(struct sharing *s)
{
	json_decref(s->ids);
	json_decref(s->statement);
	*s = (struct sharing){ .kind = SHARING_NONE };
}

/* In order: of two that must both hold, the lesser counts. */
enum holds { NO, MAYBE, YES };

static enum holds lesser(enum holds a, enum holds b)
{
	return a < b ? a : b;
}

static bool same(char a, char b, bool fold)
{
	return a == b || (fold && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* '*' = any characters, '?' = one. */
static bool is_like(const char *pattern, const char *text, bool fold)
{
	const char *star = NULL, *from = text;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || (*pattern && same(*pattern, *text, fold))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

enum how { EXACT, FOLDED, PATTERN };

static const struct comparison {
	const char *name;
	enum how how;
	bool negated;
} COMPARISONS[] = {
	{ "StringEquals", EXACT, false },
	{ "StringNotEquals", EXACT, true },
	{ "StringEqualsIgnoreCase", FOLDED, false },
	{ "StringNotEqualsIgnoreCase", FOLDED, true },
	{ "StringLike", PATTERN, false },
	{ "StringNotLike", PATTERN, true },
};

/* "ForAnyValue:StringEqualsIfExists" -> "StringEquals": of a key that is there once, all say the same. */
static struct str bare(const char *name)
{
	const struct str set_end = S(":"), if_exists = S("IfExists");
	struct str s = str_c(name);

	if (str_has(s, set_end))
		(void)str_cut(&s, ':');
	if (s.n > if_exists.n &&
	    str_eq_nocase(str_sub(s, s.n - if_exists.n, if_exists.n), if_exists))
		s.n -= if_exists.n;
	return s;
}

/* NULL: it compares no text. */
static const struct comparison *comparison_of(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(COMPARISONS); i++)
		if (str_eq_nocase(bare(name), str_c(COMPARISONS[i].name)))
			return &COMPARISONS[i];
	return NULL;
}

static bool matches(enum how how, const char *value, const char *id)
{
	switch (how) {
	case EXACT: return strcmp(value, id) == 0;
	case FOLDED: return strcasecmp(value, id) == 0;
	case PATTERN: break;
	}
	return is_like(value, id, false);
}

static bool is_first(const json_t *list, const char *value)
{
	const char *first = json_string_value(json_array_get(list, 0));

	return first && strcasecmp(first, value) == 0;
}

static enum holds holds_for(const char *name, const json_t *values, const char *id)
{
	const struct comparison *op = comparison_of(name);
	AUTO_JSON json_t *list = policy_strings(values);
	bool hit = false;
	json_t *v;
	size_t i;

	if (str_eq_nocase(bare(name), S("Null"))) /* an ID is there */
		return is_first(list, "true") ? NO : YES;
	if (!op)
		return MAYBE;
	json_array_foreach (list, i, v)
		hit = hit || matches(op->how, json_string_value(v), id);
	return hit != op->negated ? YES : NO;
}

static enum holds conditions_hold(const json_t *statement, const char *id)
{
	json_t *conditions = policy_member(statement, "Condition"), *block, *values;
	enum holds all = YES;
	const char *name, *key;

	json_object_foreach (conditions, name, block) {
		json_object_foreach (block, key, values) {
			bool about_id = strcasecmp(key, KEY) == 0;

			all = lesser(all, about_id ? holds_for(name, values, id) : MAYBE);
		}
	}
	return all;
}

/* Which user or role of our account we are is not said; so one of them may be us. */
static enum holds element_names(struct str element, const struct sharing_caller *us)
{
	struct trust_principal p = trust_classify(S("AWS"), element);

	if (p.kind == TRUST_PUBLIC)
		return YES;
	if (p.account.n == 0 || !us->is_ours(us->arg, p.account))
		return NO;
	return p.kind == TRUST_ACCOUNT ? YES : MAYBE;
}

static enum holds names_us(const json_t *principal, const struct sharing_caller *us)
{
	const json_t *aws = json_is_object(principal) ? policy_member(principal, "AWS") : principal;
	AUTO_JSON json_t *list = policy_strings(aws);
	enum holds best = NO;
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v) {
		enum holds one = element_names(str_c(json_string_value(v)), us);

		best = one > best ? one : best;
	}
	return best;
}

static enum holds concerns_us(const json_t *statement, const struct sharing_caller *us)
{
	const json_t *exempt = policy_member(statement, "NotPrincipal");
	enum holds named = names_us(exempt ? exempt : policy_member(statement, "Principal"), us);

	if (!exempt || named == MAYBE)
		return named;
	return named == YES ? NO : YES;
}

static enum holds is_about_assuming(const json_t *statement)
{
	const json_t *others = policy_member(statement, "NotAction");
	AUTO_JSON json_t *list =
		policy_strings(others ? others : policy_member(statement, "Action"));
	bool hit = false;
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		hit = hit || is_like(json_string_value(v), "sts:AssumeRole", true);
	return hit != (others != NULL) ? YES : NO;
}

static bool has_effect(const json_t *statement, const char *effect)
{
	const char *is = json_string_value(policy_member(statement, "Effect"));

	return is && strcasecmp(is, effect) == 0;
}

static enum holds applies(const json_t *statement, const struct sharing_caller *us, const char *id)
{
	return lesser(lesser(is_about_assuming(statement), concerns_us(statement, us)),
		      conditions_hold(statement, id));
}

/* *ret: the first statement that lets us in with this ID. */
static bool opens(const json_t *document, const struct sharing_caller *us, const char *id,
		  const json_t **ret)
{
	const json_t *statement;

	*ret = NULL;
	for (size_t i = 0; (statement = policy_statement(document, i)); i++) {
		enum holds held = applies(statement, us, id);

		if (held == YES && has_effect(statement, "Deny"))
			return false;
		if (held != NO && has_effect(statement, "Allow") && !*ret)
			*ret = statement;
	}
	return *ret != NULL;
}

/* An ID that this operator and value would take for right and that is not ours. False: there is none. */
static bool other_id(enum how how, const char *value, const char *ours, char id[SHARING_ID_MAX + 1])
{
	bool folded = how == FOLDED && strcasecmp(value, ours) == 0;

	if (strlen(value) > SHARING_ID_MAX)
		return false;
	(void)snprintf(id, SHARING_ID_MAX + 1, "%s", value);
	for (char *c = id; *c; c++) {
		if (how == PATTERN && (*c == '*' || *c == '?'))
			*c = 'x';
		else if (folded)
			*c = (char)toupper((unsigned char)*c);
	}
	return strcmp(id, ours) != 0;
}

struct trial {
	const json_t *document;
	const struct sharing_caller *us;
	struct sharing *found;
	int tried;
};

static void show(struct sharing *s, const char *value)
{
	json_t *v;
	size_t i;

	json_array_foreach (s->ids, i, v)
		if (strcmp(json_string_value(v), value) == 0)
			return;
	if (json_array_size(s->ids) < SHARING_SHOWN_MAX)
		(void)json_array_append_new(s->ids, json_text_value(str_c(value)));
}

static void try_value(struct trial *t, enum how how, const char *value)
{
	const char *ours = t->us->external_id;
	bool resembles = strcasecmp(value, ours) == 0 || matches(how, value, ours);
	enum sharing_kind kind = resembles ? SHARING_INEXACT : SHARING_OTHERS;
	char id[SHARING_ID_MAX + 1];
	const json_t *by;

	if (t->tried == SHARING_TRIED_MAX || !other_id(how, value, ours, id))
		return;
	t->tried++;
	if (!opens(t->document, t->us, id, &by))
		return;
	show(t->found, value);
	if (kind > t->found->kind)
		t->found->kind = kind;
}

static void try_statement(struct trial *t, const json_t *statement)
{
	json_t *conditions = policy_member(statement, "Condition"), *block, *v;
	const char *name;
	size_t i;

	json_object_foreach (conditions, name, block) {
		const struct comparison *op = comparison_of(name);
		AUTO_JSON json_t *list = policy_strings(policy_member(block, KEY));

		json_array_foreach (list, i, v)
			if (op)
				try_value(t, op->how, json_string_value(v));
	}
}

static void drop_id_conditions(json_t *conditions)
{
	json_t *block, *values;
	const char *name, *key;
	void *next, *inner;

	json_object_foreach_safe (conditions, next, name, block) {
		json_object_foreach_safe (block, inner, key, values) {
			if (strcasecmp(key, KEY) == 0)
				(void)json_object_del(block, key);
		}
		if (json_object_size(block) == 0)
			(void)json_object_del(conditions, name);
	}
}

/* Everything that is said about the ID is replaced; other conditions stay. */
static json_t *corrected(const json_t *statement, const char *ours)
{
	json_t *copy = json_deep_copy(statement), *conditions = policy_member(copy, "Condition");
	json_t *equals;

	if (!json_is_object(conditions)) {
		conditions = json_object();
		(void)json_object_set_new(copy, "Condition", conditions);
	}
	drop_id_conditions(conditions);
	equals = policy_member(conditions, "StringEquals");
	if (!json_is_object(equals)) {
		equals = json_object();
		(void)json_object_set_new(conditions, "StringEquals", equals);
	}
	(void)json_object_set_new(equals, KEY, json_text_value(str_c(ours)));
	return copy;
}

void sharing_judge(const json_t *document, const struct sharing_caller *us, struct sharing *ret)
{
	struct trial t = { .document = document, .us = us, .found = ret };
	const json_t *statement;

	*ret = (struct sharing){ .kind = SHARING_NONE, .ids = json_array() };
	for (size_t i = 0; (statement = policy_statement(document, i)); i++)
		try_statement(&t, statement);
	if (opens(document, us, us->external_id, &statement))
		ret->statement = corrected(statement, us->external_id);
}
