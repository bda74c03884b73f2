/* Which other external IDs a trust policy lets us in with, and the statement that lets in ours alone. */
#include "workers/sharing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define OURS      "0193c6a0-b7d5-7f3e-8c11-d0a2b3c4d5e8"
#define OTHER     "7d1f0c52-5a0c-4b8e-9a43-3a0a4e4f9d11"
#define US        "'Principal':{'AWS':'arn:aws:iam::469725248735:root'}"
#define THEM      "'Principal':{'AWS':'arn:aws:iam::999999999999:root'}"
#define ALLOW(p)  "{'Effect':'Allow','Action':'sts:AssumeRole'," p
#define DENY(p)   "{'Effect':'Deny','Action':'sts:AssumeRole'," p
#define WHEN(c)   ",'Condition':{" c "}}"
#define EQUALS(v) WHEN("'StringEquals':{'sts:ExternalId':" v "}")
#define ID(id)    "'" id "'"
#define BOTH      "['" OURS "','" OTHER "']"

static bool is_ours(void *arg, struct str account)
{
	return str_eq(account, str_c(arg));
}

static json_t *document(const char *statements)
{
	char text[4096];
	struct err err = { 0 };
	json_t *j = NULL;

	(void)snprintf(text, sizeof(text), "{\"Version\":\"2012-10-17\",\"Statement\":%s}",
		       statements);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	assert_int_equal(json_parse(str_c(text), JSON_DEPTH_MAX, &j, &err), RC_OK);
	return j;
}

static struct sharing judge(const char *statements)
{
	static char account[] = "469725248735";
	AUTO_JSON json_t *j = document(statements);
	struct sharing s;

	sharing_judge(
		j,
		&(struct sharing_caller){ .external_id = OURS, .is_ours = is_ours, .arg = account },
		&s);
	return s;
}

static const struct {
	const char *statements;
	enum sharing_kind kind;
	const char *shown; /* the first of the others */
} ROWS[] = {
	{ ALLOW(US) EQUALS(ID(OURS)), SHARING_NONE, NULL },
	{ ALLOW(US) EQUALS("['" OURS "']"), SHARING_NONE, NULL },
	{ ALLOW(US) EQUALS(BOTH), SHARING_OTHERS, OTHER },
	{ ALLOW(US) EQUALS("['" OTHER "','" OURS "']"), SHARING_OTHERS, OTHER },
	{ "[" ALLOW(US) EQUALS(ID(OURS)) "," ALLOW(US) EQUALS(ID(OTHER)) "]", SHARING_OTHERS,
	  OTHER },
	{ "[" ALLOW("'Principal':'*'") EQUALS(ID(OTHER)) "," ALLOW(US) EQUALS(ID(OURS)) "]",
	  SHARING_OTHERS, OTHER },
	{ "[" ALLOW("'Principal':{'AWS':['1','469725248735']}") EQUALS(BOTH) "]", SHARING_OTHERS,
	  OTHER },
	{ ALLOW("'NotPrincipal':{'AWS':'999999999999'}") EQUALS(BOTH), SHARING_OTHERS, OTHER },
	{ ALLOW("'Principal':{'AWS':'arn:aws:iam::469725248735:user/connectord'}") EQUALS(BOTH),
	  SHARING_OTHERS, OTHER },
	/* Statements about others are others' affair. */
	{ "[" ALLOW(US) EQUALS(ID(OURS)) "," ALLOW(THEM) EQUALS(ID(OTHER)) "]", SHARING_NONE,
	  NULL },
	{ "[" ALLOW(US) EQUALS(ID(OURS)) ",{'Effect':'Allow','Action':'sts:TagSession'," US EQUALS(
		  ID(OTHER)) "]",
	  SHARING_NONE, NULL },
	{ "[" ALLOW(US) EQUALS(ID(OURS)) ",{'Effect':'Allow','Action':'STS:assume*'," US EQUALS(
		  ID(OTHER)) "]",
	  SHARING_OTHERS, OTHER },
	/* Case and patterns. */
	{ ALLOW(US) WHEN("'StringEqualsIgnoreCase':{'sts:externalid':'" OURS "'}"), SHARING_INEXACT,
	  OURS },
	{ ALLOW(US) WHEN("'StringEqualsIgnoreCase':{'sts:ExternalId':" BOTH "}"), SHARING_OTHERS,
	  OURS },
	{ ALLOW(US) WHEN("'StringLike':{'sts:ExternalId':'0193c6a0-*'}"), SHARING_INEXACT,
	  "0193c6a0-*" },
	{ ALLOW(US) WHEN("'StringLike':{'sts:ExternalId':"
			 "'0193c6a0-b7d5-7f3e-8c11-d0a2b3c4d5e?'}"),
	  SHARING_INEXACT, "0193c6a0-b7d5-7f3e-8c11-d0a2b3c4d5e?" },
	{ ALLOW(US) WHEN("'StringLike':{'sts:ExternalId':['" OURS "','7d1f*']}"), SHARING_OTHERS,
	  "7d1f*" },
	{ ALLOW(US) WHEN("'StringLike':{'sts:ExternalId':'" OURS "'}"), SHARING_NONE, NULL },
	{ ALLOW(US) WHEN("'ForAnyValue:StringEquals':{'sts:ExternalId':" BOTH "}"), SHARING_OTHERS,
	  OTHER },
	{ ALLOW(US) WHEN("'StringEqualsIfExists':{'sts:ExternalId':" BOTH "},"
			 "'Null':{'sts:ExternalId':'false'}"),
	  SHARING_OTHERS, OTHER },
	/* All conditions of a statement must hold, those of other keys may. */
	{ ALLOW(US) WHEN("'StringEquals':{'sts:ExternalId':" BOTH "},"
			 "'StringLike':{'sts:ExternalId':'0193*'}"),
	  SHARING_NONE, NULL },
	{ ALLOW(US) WHEN("'StringEquals':{'sts:ExternalId':" BOTH "},"
			 "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}"),
	  SHARING_OTHERS, OTHER },
	/* A Deny counts where it certainly holds. */
	{ "[" ALLOW(US) EQUALS(BOTH) "," DENY("'Principal':'*'")
		  WHEN("'StringNotEquals':{'sts:ExternalId':'" OURS "'}") "]",
	  SHARING_NONE, NULL },
	{ "[" ALLOW(US) EQUALS(BOTH) "," DENY("'Principal':'*'")
		  WHEN("'StringNotEquals':{'sts:ExternalId':" BOTH "}") "]",
	  SHARING_OTHERS, OTHER },
	{ "[" ALLOW(US) EQUALS(BOTH) "," DENY(THEM)
		  WHEN("'StringNotEquals':{'sts:ExternalId':'" OURS "'}") "]",
	  SHARING_OTHERS, OTHER },
	{ "[" ALLOW(US) EQUALS(BOTH) "," DENY("'Principal':'*'")
		  WHEN("'StringNotEquals':{'sts:ExternalId':'" OURS "'},"
		       "'Bool':{'aws:SecureTransport':'false'}") "]",
	  SHARING_OTHERS, OTHER },
};

static void every_form_of_a_shared_policy_is_seen(void **state)
{
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO(sharing) struct sharing s = judge(ROWS[i].statements);
		const char *shown = json_string_value(json_array_get(s.ids, 0));

		if (s.kind != ROWS[i].kind)
			fail_msg("%s: kind %d", ROWS[i].statements, s.kind);
		if (ROWS[i].shown)
			assert_string_equal(shown, ROWS[i].shown);
		else
			assert_null(shown);
	}
}

static void the_corrected_statement_lets_in_ours_alone(void **state)
{
	AUTO(sharing)
	struct sharing s = judge("[" ALLOW(THEM) EQUALS(ID(OTHER)) "," ALLOW(US) WHEN(
		"'StringLike':{'sts:externalID':'0193*'},'Bool':{'aws:SecureTransport':'true'},"
		"'StringEqualsIgnoreCase':{'sts:ExternalId':" BOTH "}") "]");
	AUTO_JSON json_t *want =
		document(ALLOW(US) WHEN("'StringEquals':{'sts:ExternalId':'" OURS
					"'},'Bool':{'aws:SecureTransport':'true'}"));
	AUTO(sharing)
	struct sharing open = judge("{'Effect':'Allow','Action':'sts:AssumeRole'," US "}");

	assert_true(json_equal(s.statement, json_object_get(want, "Statement")));
	assert_string_equal(
		json_string_value(json_at(open.statement, "Condition/StringEquals/sts:ExternalId")),
		OURS);
}

static void what_is_shown_is_bounded(void **state)
{
	char statements[4096] =
		ALLOW(US) ",'Condition':{'StringEquals':{'sts:ExternalId':['" OURS "'";
	size_t n = strlen(statements);

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(statements + n, sizeof(statements) - n, ",'tenant-%d'", i);
	(void)snprintf(statements + n, sizeof(statements) - n, "]}}}");

	AUTO(sharing) struct sharing s = judge(statements);

	assert_int_equal(s.kind, SHARING_OTHERS);
	assert_int_equal(json_array_size(s.ids), SHARING_SHOWN_MAX);
}

static void a_document_of_another_shape_says_nothing(void **state)
{
	static const char *const ODD[] = { "[]",
					   "'x'",
					   "[1,null,[]]",
					   ALLOW(US) ",'Condition':'x'}",
					   ALLOW(US) ",'Condition':{'StringEquals':[1]}}",
					   ALLOW("'Principal':7") EQUALS("{'a':1}") };

	for (size_t i = 0; i < COUNT_OF(ODD); i++) {
		AUTO(sharing) struct sharing s = judge(ODD[i]);

		assert_int_equal(s.kind, SHARING_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_shared_policy_is_seen),
		cmocka_unit_test(the_corrected_statement_lets_in_ours_alone),
		cmocka_unit_test(what_is_shown_is_bounded),
		cmocka_unit_test(a_document_of_another_shape_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
