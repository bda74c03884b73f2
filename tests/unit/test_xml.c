/* The XML reader: what becomes what, and what must never be taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "workers/aws/xml.h"

/* Parses in pieces of step bytes. */
static enum rc parse(struct str text, size_t step, const struct xml_rules *rules, json_t **ret)
{
	AUTO(xml) struct xml *x = xml_new(rules);
	const char *root = NULL;

	for (size_t i = 0; i < text.n; i += step) {
		enum rc rc = xml_feed(x, str_sub(text, i, step));

		if (rc != RC_OK) {
			assert_true(*xml_reason(x) != '\0');
			return rc;
		}
	}
	return xml_end(x, &root, ret);
}

static void becomes(const char *text, const char *lists, const char *xml_lists,
		    const char *expected)
{
	struct shape shape;
	const struct xml_rules rules = { .shape = &shape, .drop = "Seed QRCodePNG" };

	shape_compile(&shape, lists, xml_lists);
	for (size_t step = 1; step < 12; step += 5) {
		AUTO_JSON json_t *j = NULL;
		AUTO_TEXT char *got = NULL;

		assert_int_equal(parse(str_c(text), step, &rules, &j), RC_OK);
		got = json_text(j);
		assert_string_equal(got, expected);
	}
}

static void declared_lists_are_arrays_of_any_length(void **state)
{
	becomes("<R><Users><member><N>a</N><Tags/></member></Users></R>", "Users", "Users/Tags",
		"{\"Users\":[{\"N\":\"a\",\"Tags\":[]}]}");
	becomes("<R><Users/></R>", "Users", "Users/Tags", "{\"Users\":[]}");
	becomes("<R><A>1</A></R>", "Users", "Users/Tags", "{\"A\":\"1\",\"Users\":[]}");
	becomes("<R><U><Tags><member><K>k</K></member></Tags></U></R>", NULL, "U/Tags",
		"{\"U\":{\"Tags\":[{\"K\":\"k\"}]}}");
	becomes("<R><U><Tags/></U></R>", NULL, "U/Tags", "{\"U\":{\"Tags\":[]}}");
	becomes("<R><Names><member>a</member><member/></Names></R>", "Names", NULL,
		"{\"Names\":[\"a\",\"\"]}");
}

static void named_elements_and_lists_without_wrapper_are_arrays(void **state)
{
	becomes("<R><DBs><DB><Id>1</Id><TagList><Tag><K>k</K></Tag></TagList></DB></DBs></R>",
		"DBs:DB", "DBs/TagList:Tag",
		"{\"DBs\":[{\"Id\":\"1\",\"TagList\":[{\"K\":\"k\"}]}]}");
	becomes("<R><DBs><DB/></DBs></R>", "DBs:DB", "DBs/TagList:Tag", "{\"DBs\":[\"\"]}");
	becomes("<R><Contents><Key>a</Key></Contents></R>", "Contents:", NULL,
		"{\"Contents\":[{\"Key\":\"a\"}]}");
	becomes("<R><Contents><Key>a</Key></Contents><x/><Contents><Key>b</Key></Contents></R>",
		"Contents:", NULL, "{\"Contents\":[{\"Key\":\"a\"},{\"Key\":\"b\"}],\"x\":\"\"}");
}

static void undeclared_lists_are_recognized_by_their_items(void **state)
{
	becomes("<R><S><item><a>1</a></item><item><a>2</a></item></S></R>", NULL, NULL,
		"{\"S\":[{\"a\":\"1\"},{\"a\":\"2\"}]}");
	/* A structure may have a field of that name. */
	becomes("<R><S><a>1</a><member>2</member></S></R>", NULL, NULL,
		"{\"S\":{\"a\":\"1\",\"member\":\"2\"}}");
	/* A name that repeats loses nothing. */
	becomes("<R><a>1</a><a>2</a><a>3</a></R>", NULL, NULL, "{\"a\":[\"1\",\"2\",\"3\"]}");
}

static void entries_are_the_members_of_a_map(void **state)
{
	becomes("<R><M><entry><key>Users</key><value>3</value></entry>"
		"<entry><key>Groups</key><value>1</value></entry></M></R>",
		NULL, NULL, "{\"M\":{\"Groups\":\"1\",\"Users\":\"3\"}}");
}

static void text_survives_and_white_space_between_elements_does_not(void **state)
{
	becomes("<R>\n  <a> x &lt;&amp;&#x41;&gt; </a>\n  <b><![CDATA[<c>]]></b>\n</R>", NULL, NULL,
		"{\"a\":\" x <&A> \",\"b\":\"<c>\"}");
	becomes("<?xml version=\"1.0\"?><!-- c --><R xmlns=\"u\"><?pi d?><a>é</a></R>", NULL, NULL,
		"{\"a\":\"é\"}");
}

static void a_grantees_type_is_kept(void **state)
{
	becomes("<R xmlns:xsi=\"u\"><G xsi:type=\"Group\"><URI>x</URI></G></R>", NULL, NULL,
		"{\"G\":{\"Type\":\"Group\",\"URI\":\"x\"}}");
}

static void dropped_members_never_appear(void **state)
{
	becomes("<R><a><Seed>secret<b/></Seed><c>1</c></a><QRCodePNG>x</QRCodePNG></R>", NULL, NULL,
		"{\"a\":{\"c\":\"1\"}}");
}

static enum rc refused(struct str text)
{
	struct shape shape;
	const struct xml_rules rules = { .shape = &shape };
	AUTO_JSON json_t *j = NULL;
	enum rc rc;

	shape_compile(&shape, "Users", NULL);
	rc = parse(text, 1 << 16, &rules, &j);
	assert_null(j);
	return rc;
}

static void broken_and_hostile_documents_are_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		"Internal Failure",
		"<R>",
		"<R><a></R>",
		"<R><a></b></R>",
		"<R/><R/>",
		"<R>&unknown;</R>",
		"<R>&#0;</R>",
		"<R>&#x110000;</R>",
		"<R>&#xD800;</R>",
		"<R><a>]]></a></R>",
		"<R><!-- a -- b --></R>",
		"<R a=\"1\" a=\"2\"/>",
		"<R>\xff\xfe</R>",
		"<R>\xed\xa0\x80</R>",
		"<R>\xc0\x80</R>",
		"\xff\xfe<\0R\0/\0>\0",
		"<!DOCTYPE R><R/>",
		"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><R/>",
		"<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://x/\">%p;]><R/>",
		"<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><R>&b;</R>",
		"<!DOCTYPE html><html><body>error</body></html>",
		"<html><br></html>",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (refused(str_c(BAD[i])) != RC_INVALID)
			fail_msg("taken: %s", BAD[i]);
}

static void limits_hold(void **state)
{
	AUTO(buf) struct buf deep = BUF_INIT(1 << 20);
	AUTO(buf) struct buf wide = BUF_INIT(1 << 20);
	AUTO(buf) struct buf name = BUF_INIT(1 << 20);

	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_put(&deep, S("<a>")), RC_OK);
	assert_int_equal(refused(buf_str(&deep)), RC_LIMIT);
	assert_int_equal(buf_put(&wide, S("<R ")), RC_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&wide, "a%d='' ", i), RC_OK);
	assert_int_equal(buf_put(&wide, S("/>")), RC_OK);
	assert_int_equal(refused(buf_str(&wide)), RC_LIMIT);
	assert_int_equal(buf_printf(&name, "<R><%0200d/></R>", 0), RC_OK);
	name.p[4] = 'n';
	assert_int_equal(refused(buf_str(&name)), RC_LIMIT);
}

/* Attributes and comments are kept until their end is seen, however long that takes: the reader gives up early. */
static void a_tag_without_end_is_refused_before_it_is_kept(void **state)
{
	enum { ATTRIBUTES = 1000000, MOST = 3 * XML_TAG_MAX };
	static const char *const BEGINS[] = { "<R ", "<R><a ", "<R><a><b ", "<!--", "<R><?p " };
	static const size_t STEPS[] = { 100, 16 * 1024, 1 << 24 };
	struct shape shape = { .n = 0 };
	const struct xml_rules rules = { .shape = &shape };
	AUTO(buf) struct buf many = BUF_INIT(1 << 24);

	shape_compile(&shape, NULL, NULL);
	for (int n = 0; n < ATTRIBUTES; n++)
		assert_int_equal(buf_printf(&many, "a%d='' ", n), RC_OK);
	for (size_t i = 0; i < COUNT_OF(BEGINS) * COUNT_OF(STEPS); i++) {
		AUTO(xml) struct xml *x = xml_new(&rules);
		size_t fed = 0, step = STEPS[i / COUNT_OF(BEGINS)];
		enum rc rc = xml_feed(x, str_c(BEGINS[i % COUNT_OF(BEGINS)]));

		for (; rc == RC_OK && fed < many.n; fed += step)
			rc = xml_feed(x, str_sub(buf_str(&many), fed, step));
		assert_int_equal(rc, RC_LIMIT);
		assert_string_equal(xml_reason(x), "a tag is longer than 64 KiB");
		assert_true(fed <= MOST || step > MOST);
	}
}

static void a_field_and_a_page_have_a_greatest_length(void **state)
{
	struct shape shape = { .n = 0 };
	const struct xml_rules rules = { .shape = &shape };
	AUTO_TEXT char *chunk = mem_alloc(1 << 20);
	AUTO(xml) struct xml *field = xml_new(&rules);
	AUTO(xml) struct xml *page = xml_new(&rules);
	size_t fed = 0;
	enum rc rc;

	shape_compile(&shape, NULL, NULL);
	rc = xml_feed(field, S("<R><a>"));
	memset(chunk, 'x', 1 << 20);
	for (; rc == RC_OK && fed <= 2 * (size_t)XML_FIELD_MAX; fed += 1 << 20)
		rc = xml_feed(field, str_n(chunk, 1 << 20));
	assert_int_equal(rc, RC_LIMIT);
	assert_true(fed <= XML_FIELD_MAX + (1 << 20));

	/* White space between elements is no field: only the page's length stops it. */
	memset(chunk, ' ', 1 << 20);
	rc = xml_feed(page, S("<R><a/>"));
	for (fed = 0; rc == RC_OK && fed <= 2 * (size_t)XML_PAGE_MAX; fed += 1 << 20)
		rc = xml_feed(page, str_n(chunk, 1 << 20));
	assert_int_equal(rc, RC_LIMIT);
	assert_true(fed <= XML_PAGE_MAX + (1 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declared_lists_are_arrays_of_any_length),
		cmocka_unit_test(named_elements_and_lists_without_wrapper_are_arrays),
		cmocka_unit_test(undeclared_lists_are_recognized_by_their_items),
		cmocka_unit_test(entries_are_the_members_of_a_map),
		cmocka_unit_test(text_survives_and_white_space_between_elements_does_not),
		cmocka_unit_test(a_grantees_type_is_kept),
		cmocka_unit_test(dropped_members_never_appear),
		cmocka_unit_test(broken_and_hostile_documents_are_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_tag_without_end_is_refused_before_it_is_kept),
		cmocka_unit_test(a_field_and_a_page_have_a_greatest_length),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
