/* Routing compares whole segments of the raw path: nothing can hide in an escape or a double slash. */
#include "api/fields.h"
#include "api/router.h"
#include "api/scope.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct http_reply first(struct http_request *req)
{
	(void)req;
	return (struct http_reply){ .status = 1 };
}

static struct http_reply second(struct http_request *req)
{
	(void)req;
	return (struct http_reply){ .status = 2 };
}

static const struct field NONE[] = { { .kind = FIELD_END } };
static const struct field QUERY[] = {
	{ .kind = FIELD_INT, .name = "limit", .min = 1, .max = INT64_MAX },
	{ .kind = FIELD_TEXT, .name = "name", .max = 80 },
	{ .kind = FIELD_CHOICE, .name = "state", .choices = "on|off" },
	{ .kind = FIELD_ID, .name = "of", .prefix = "conn_" },
	{ .kind = FIELD_BOOL, .name = "gone" },
	{ .kind = FIELD_TIME, .name = "since" },
	{ .kind = FIELD_END },
};

static const struct http_route TABLE[] = {
	{ "GET", "/v1/things", HTTP_PUBLIC, HTTP_ORGANIZATION, 0, HTTP_NO_BODY, QUERY, first },
	{ "POST", "/v1/things/import", HTTP_PUBLIC, HTTP_ORGANIZATION, 0, HTTP_NO_BODY, NONE,
	  second },
	{ "GET", "/v1/things/{id}", HTTP_PUBLIC, HTTP_ORGANIZATION, 0, HTTP_NO_BODY, NONE, first },
	{ "DELETE", "/v1/things/{id}", HTTP_PUBLIC, HTTP_ORGANIZATION, 0, HTTP_NO_BODY, NONE,
	  second },
	{ "GET", "/v1/a/{x}/b/{y}", HTTP_PUBLIC, HTTP_ORGANIZATION, 0, HTTP_NO_BODY, NONE, second },
	{ "GET", "/admin", HTTP_ADMIN, HTTP_OPERATOR, 0, HTTP_NO_BODY, NONE, first },
	{ 0 },
};

static enum router_found match(const char *method, const char *path, struct http_request *req,
			       const char **allow)
{
	return router_match(TABLE, HTTP_PUBLIC, str_c(method), str_c(path), req, allow);
}

static void holes_take_one_segment_each_in_order(void **state)
{
	struct http_request req = { 0 };
	const char *allow = NULL;

	(void)state;
	assert_int_equal(match("GET", "/v1/a/one/b/two", &req, &allow), ROUTER_OK);
	assert_true(str_eq(req.segments[0], S("one")));
	assert_true(str_eq(req.segments[1], S("two")));
	assert_string_equal(req.route->pattern, "/v1/a/{x}/b/{y}");
}

static void other_paths_do_not_exist(void **state)
{
	static const char *const PATHS[] = {
		"",
		"/",
		"/v1",
		"/v1/things/",
		"/v1/things/x/y",
		"/v1//things",
		"/v1/Things",
		"v1/things",
		"/v1/things?x",
		"/v1/a//b/two",
		"/v1/a/one/b/",
		"/v1/a/one/c/two",
		"/v1/thing",
		"/v1/things%2fx/y",
	};
	struct http_request req = { 0 };
	const char *allow = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(PATHS); i++)
		assert_int_equal(match("GET", PATHS[i], &req, &allow), ROUTER_NO_PATH);
}

static void a_listener_has_only_its_own_rows(void **state)
{
	struct http_request req = { 0 };
	const char *allow = NULL;

	(void)state;
	assert_int_equal(match("GET", "/admin", &req, &allow), ROUTER_NO_PATH);
	assert_int_equal(router_match(TABLE, HTTP_ADMIN, S("GET"), S("/admin"), &req, &allow),
			 ROUTER_OK);
	assert_int_equal(router_match(TABLE, HTTP_ADMIN, S("GET"), S("/v1/things"), &req, &allow),
			 ROUTER_NO_PATH);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
	struct http_request req = { 0 };
	const char *allow = NULL;

	(void)state;
	assert_int_equal(match("PATCH", "/v1/things/x", &req, &allow), ROUTER_NO_METHOD);
	assert_string_equal(allow, "GET, DELETE");
	assert_int_equal(match("get", "/v1/things", &req, &allow), ROUTER_NO_METHOD);
	assert_string_equal(allow, "GET");
}

static void a_word_is_meant_before_a_hole(void **state)
{
	struct http_request req = { 0 };
	const char *allow = NULL;

	(void)state;
	assert_int_equal(match("POST", "/v1/things/import", &req, &allow), ROUTER_OK);
	assert_string_equal(req.route->pattern, "/v1/things/import");
	assert_int_equal(match("GET", "/v1/things/import", &req, &allow), ROUTER_NO_METHOD);
	assert_string_equal(allow, "POST");
	assert_int_equal(match("GET", "/v1/things/imports", &req, &allow), ROUTER_OK);
	assert_string_equal(req.route->pattern, "/v1/things/{id}");
}

/* What the rule above needs of the generator. */
static void every_real_row_is_reached(void **state)
{
	(void)state;
	for (const struct http_route *row = ROUTES; row->run; row++) {
		struct http_request req = { 0 };
		const char *allow = NULL;
		enum http_listener on = row->listeners & HTTP_PUBLIC ? HTTP_PUBLIC : HTTP_ADMIN;
		char path[256];
		size_t n = 0;

		for (const char *p = row->pattern; *p; p++) {
			path[n++] = *p == '{' ? 'x' : *p;
			if (*p == '{')
				p = strchr(p, '}');
		}
		path[n] = '\0';
		assert_int_equal(
			router_match(ROUTES, on, str_c(row->method), str_c(path), &req, &allow),
			ROUTER_OK);
		assert_ptr_equal(req.route, row);
	}
}

static enum rc query(const char *raw, struct http_request *req, struct err *err)
{
	*req = (struct http_request){ .route = &TABLE[0] };
	return router_query(str_c(raw), req, err);
}

static void declared_parameters_are_decoded(void **state)
{
	struct http_request req;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(query("name=a%20b+c%2B&limit=5", &req, &err), RC_OK);
	assert_true(str_eq(http_query(&req, "name"), S("a b c+")));
	assert_true(str_eq(http_query(&req, "limit"), S("5")));
	assert_true(str_eq(http_query(&req, "other"), S("")));
	http_request_done(&req);
}

static void a_value_is_what_its_row_says(void **state)
{
	static const char *const GOOD[] = {
		"limit=1",    "limit=99999999999999999999999",
		"state=off",  "of=conn_00000000000000000000000000000001",
		"gone=false", "since=2030-01-31T12:00:00Z",
		"name="
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
		struct http_request req;
		struct err err = { 0 };

		assert_int_equal(query(GOOD[i], &req, &err), RC_OK);
		http_request_done(&req);
	}
}

static void everything_else_in_a_query_is_refused(void **state)
{
	static const char *const BAD[] = { "x=1",
					   "name=1&name=2",
					   "name=%zz",
					   "name=%",
					   "name=%ff",
					   "name=%00",
					   "=1",
					   "Name=1",
					   "na%6de=1",
					   "limit,name=1",
					   "limit=0",
					   "limit=-1",
					   "limit=1.0",
					   "limit=",
					   "limit=x",
					   "limit=0x1",
					   "state=",
					   "state=ON",
					   "state=on|off",
					   "of=conn_1",
					   "of=sync_00000000000000000000000000000001",
					   "of=conn_00000000000000000000000000000000",
					   "gone=1",
					   "gone=True",
					   "since=yesterday" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct http_request req;
		struct err err = { 0 };

		assert_int_equal(query(BAD[i], &req, &err), RC_INVALID);
		assert_int_equal(err.field[0], '?');
		http_request_done(&req);
	}
}

/* A right that the table forgets would be open to everybody. */
static void every_real_row_names_a_listener_and_a_right(void **state)
{
	size_t open = 0;

	(void)state;
	for (const struct http_route *row = ROUTES; row->run; row++) {
		bool admin = strncmp(row->pattern, "/v1/admin/", 10) == 0;
		bool reads = strcmp(row->method, "GET") == 0;

		if (row->need == HTTP_NONE) {
			assert_true(reads && strncmp(row->pattern, "/v1/", 4) != 0);
			open++;
			continue;
		}
		assert_int_equal(row->listeners, admin ? HTTP_ADMIN : HTTP_PUBLIC);
		assert_int_equal(row->need, admin ? HTTP_OPERATOR : HTTP_ORGANIZATION);
		assert_int_equal(__builtin_popcount(row->scope), admin ? 0 : 1);
		if (!admin)
			assert_true(reads == (strstr(scope_text(row->scope), ":read") != NULL));
	}
	assert_true(open >= 3);
}

/* What a role may is a promise to whoever was given such a key. */
static void a_role_is_a_set_of_scopes(void **state)
{
	uint32_t viewer = scope_of_role(S("viewer")), editor = scope_of_role(S("editor"));
	uint32_t owner = scope_of_role(S("owner"));

	(void)state;
	assert_int_equal(scope_of_role(S("root")), 0);
	assert_int_equal(viewer & editor, viewer);
	assert_int_equal(editor & owner, editor);
	assert_int_equal(owner, (1 << SCOPE_COUNT) - 1);
	for (uint32_t bit = 1; bit <= owner; bit <<= 1) {
		if (viewer & bit)
			assert_non_null(strstr(scope_text(bit), ":read"));
		assert_true(scope_of_role(str_c(scope_least_role(bit))) & bit);
	}
	assert_false(viewer & (SCOPE_KEYS_READ | SCOPE_AUDIT_READ | SCOPE_WEBHOOKS_READ));
	assert_false(editor & (SCOPE_KEYS_WRITE | SCOPE_AUDIT_READ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_take_one_segment_each_in_order),
		cmocka_unit_test(other_paths_do_not_exist),
		cmocka_unit_test(a_listener_has_only_its_own_rows),
		cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
		cmocka_unit_test(a_word_is_meant_before_a_hole),
		cmocka_unit_test(every_real_row_is_reached),
		cmocka_unit_test(declared_parameters_are_decoded),
		cmocka_unit_test(a_value_is_what_its_row_says),
		cmocka_unit_test(everything_else_in_a_query_is_refused),
		cmocka_unit_test(every_real_row_names_a_listener_and_a_right),
		cmocka_unit_test(a_role_is_a_set_of_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
