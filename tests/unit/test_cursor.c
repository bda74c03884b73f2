/* A cursor continues exactly the list that gave it. */
#include "api/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct http_route ROUTE = { .query = "kind,name,limit,cursor" };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_comes_back_in_the_same_list),
		cmocka_unit_test(another_filter_path_or_organization_refuses_it),
		cmocka_unit_test(every_changed_digit_refuses_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
