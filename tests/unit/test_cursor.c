/* A cursor continues exactly the list that gave it. */
#include "api/cursor.h"
#include "api/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct field QUERY[] = {
	{ .kind = FIELD_TEXT, .name = "kind" },
	{ .kind = FIELD_TEXT, .name = "name" },
	{ .kind = FIELD_INT, .name = "limit" },
	{ .kind = FIELD_TEXT, .name = "cursor" },
	{ .kind = FIELD_END },
};
static const struct http_route ROUTE = { .query = QUERY };

static struct http_request request(char *kind, char *cursor)
{
	static char kind_name[] = "kind", cursor_name[] = "cursor";
	struct http_request req = { .route = &ROUTE, .path = S("/v1/things") };

	req.query[0] = (struct http_pair){ cursor_name, cursor };
	req.query_n = 1;
	if (kind) {
		req.query[1] = (struct http_pair){ kind_name, kind };
		req.query_n = 2;
	}
	return req;
}

static enum rc back(const struct http_request *req, struct cursor *c)
{
	struct err err = { 0 };
	enum rc rc = cursor_read(req, c, &err);

	if (rc != RC_OK)
		assert_string_equal(err.code, "invalid_cursor");
	return rc;
}

static void a_position_comes_back_in_the_same_list(void **state)
{
	char text[CURSOR_TEXT_MAX] = "", kind[] = "user";
	struct http_request req = request(kind, text);
	struct cursor c = { 0 };

	(void)state;
	cursor_text(&req, S("conn_1\nx\n"), text);
	assert_int_equal(back(&req, &c), RC_OK);
	assert_string_equal(c.position, "conn_1\nx\n");
	assert_int_equal(c.limit, CURSOR_LIMIT);
}

static void another_filter_path_or_organization_refuses_it(void **state)
{
	char text[CURSOR_TEXT_MAX] = "", kind[] = "user", other[] = "role";
	struct http_request req = request(kind, text), changed;
	struct cursor c = { 0 };

	(void)state;
	cursor_text(&req, S("p"), text);
	changed = request(other, text);
	assert_int_equal(back(&changed, &c), RC_INVALID);
	changed = request(NULL, text);
	assert_int_equal(back(&changed, &c), RC_INVALID);
	changed = req;
	changed.path = S("/v1/others");
	assert_int_equal(back(&changed, &c), RC_INVALID);
	changed = req;
	changed.caller.org_id.b[0] = 1;
	assert_int_equal(back(&changed, &c), RC_INVALID);
}

static void every_changed_digit_refuses_it(void **state)
{
	char text[CURSOR_TEXT_MAX] = "";
	struct http_request req = request(NULL, text);
	struct cursor c = { 0 };
	size_t n = 0;

	(void)state;
	cursor_text(&req, S("position"), text);
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		char kept = text[i];

		text[i] = kept == 'a' ? 'b' : 'a';
		assert_int_equal(back(&req, &c), RC_INVALID);
		text[i] = 'A';
		assert_int_equal(back(&req, &c), RC_INVALID);
		text[i] = kept;
	}
}

/* An odd digit more than the longest cursor was written behind the buffer. */
static void text_of_any_length_is_refused_in_its_bounds(void **state)
{
	char text[2 * CURSOR_TEXT_MAX];
	struct http_request req = request(NULL, text);
	struct cursor c = { 0 };

	(void)state;
	for (size_t n = 1; n < sizeof(text); n++) {
		memset(text, 'f', n);
		text[n] = '\0';
		assert_int_equal(back(&req, &c), RC_INVALID);
	}
}

static enum rc with_limit(const char *limit, struct cursor *c)
{
	static char name[] = "limit";
	char value[64];
	struct http_request req = request(NULL, value);
	struct err err = { 0 };

	(void)snprintf(value, sizeof(value), "%s", limit);
	req.query[0].name = name;
	return cursor_read(&req, c, &err);
}

static void a_limit_of_any_size_is_the_largest_there_is(void **state)
{
	struct cursor c = { 0 };

	(void)state;
	assert_int_equal(with_limit("501", &c), RC_OK);
	assert_int_equal(c.limit, CURSOR_LIMIT_MAX);
	assert_int_equal(with_limit("2147483648", &c), RC_OK);
	assert_int_equal(c.limit, CURSOR_LIMIT_MAX);
	assert_int_equal(with_limit("99999999999999999999999999", &c), RC_OK);
	assert_int_equal(c.limit, CURSOR_LIMIT_MAX);
	assert_int_equal(with_limit("9999999999999999999999999x", &c), RC_INVALID);
	assert_int_equal(with_limit("-99999999999999999999999999", &c), RC_INVALID);
	assert_int_equal(with_limit("0", &c), RC_INVALID);
	assert_int_equal(with_limit("00000000000000000000000000", &c), RC_INVALID);
}

/* The hash is no secret: whoever forges a cursor must still not reach the database with it. */
static void positions_that_are_no_text_are_refused(void **state)
{
	static const struct str BAD[] = {
		{ "\xff", 1 }, { "a\0b", 3 }, { "\xc3(", 2 }, { "conn\x01", 5 }, { "a\x7f", 2 }
	};
	char text[CURSOR_TEXT_MAX] = "";
	struct http_request req = request(NULL, text);
	struct cursor c = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		cursor_text(&req, BAD[i], text);
		assert_int_equal(back(&req, &c), RC_INVALID);
	}
}

static void a_forged_moment_is_refused(void **state)
{
	static const char *const BAD[] = {
		"9223372036854775807:1",  "-1:1",  "0:1", "1:-1", "1:", ":1", "1",
		"99999999999999999999:1", "1:2:3", "x:1", "1:x"
	};
	struct cursor c = { 0 };
	struct err err = { 0 };
	int64_t us = 0, id = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		(void)snprintf(c.position, sizeof(c.position), "%s", BAD[i]);
		err_clear(&err);
		assert_int_equal(cursor_moment(&c, &us, &id, &err), RC_INVALID);
		assert_string_equal(err.code, "invalid_cursor");
	}
	(void)snprintf(c.position, sizeof(c.position), "1795505547000000:12");
	assert_int_equal(cursor_moment(&c, &us, &id, &err), RC_OK);
	assert_true(us == 1795505547000000 && id == 12);
	c.position[0] = '\0';
	assert_int_equal(cursor_moment(&c, &us, &id, &err), RC_OK);
	assert_true(us == 0 && id == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_comes_back_in_the_same_list),
		cmocka_unit_test(another_filter_path_or_organization_refuses_it),
		cmocka_unit_test(every_changed_digit_refuses_it),
		cmocka_unit_test(text_of_any_length_is_refused_in_its_bounds),
		cmocka_unit_test(a_limit_of_any_size_is_the_largest_there_is),
		cmocka_unit_test(positions_that_are_no_text_are_refused),
		cmocka_unit_test(a_forged_moment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
