/* Errors: the first detail wins, is bounded, and stays one clean line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "base/text.h"
#include "dies.h"

#include <stdio.h>

static void set_returns_its_rc_and_fills_the_detail(void **state)
{
	struct err err = { 0 };

	assert_int_equal(err_set(&err, RC_DENIED, "denied", "no %s for %d", "way", 7), RC_DENIED);
	assert_int_equal(err.rc, RC_DENIED);
	assert_string_equal(err.code, "denied");
	assert_string_equal(err.text, "no way for 7");
	assert_string_equal(err.field, "");
}

/* The fact is known where it happened; what a caller would add is less. */
static void first_detail_wins(void **state)
{
	struct err err = { 0 };

	(void)err_set(&err, RC_RETRY, "first", "first");
	assert_int_equal(err_set(&err, RC_BROKEN, "second", "second"), RC_BROKEN);
	assert_int_equal(err.rc, RC_RETRY);
	assert_string_equal(err.code, "first");
	assert_string_equal(err.text, "first");
}

static void null_detail_is_allowed(void **state)
{
	assert_int_equal(err_set(NULL, RC_LIMIT, "x", "x"), RC_LIMIT);
	err_clear(NULL);
}

static void field_names_the_pointer_and_is_invalid(void **state)
{
	struct err err = { 0 };

	assert_int_equal(err_field(&err, "/role_arn", "invalid_role_arn", "bad"), RC_INVALID);
	assert_int_equal(err.rc, RC_INVALID);
	assert_string_equal(err.field, "/role_arn");
}

static void clear_makes_room_for_a_new_detail(void **state)
{
	struct err err = { 0 };

	(void)err_set(&err, RC_RETRY, "first", "first");
	err_clear(&err);
	(void)err_set(&err, RC_LIMIT, "second", "second");
	assert_string_equal(err.code, "second");
}

/* Messages quote what peers sent; a newline would forge a log line. */
static void control_characters_become_spaces(void **state)
{
	struct err err = { 0 };

	(void)err_set(&err, RC_INVALID, "x", "a%sb", "\r\n\x1b[2J\x7f");
	assert_string_equal(err.text, "a   [2J b");
}

static void long_text_is_cut_between_characters(void **state)
{
	/* Each character is cut in turn at every one of its bytes. */
	static const char *const CHARACTERS[] = { "x", "é", "€", "😀" };

	for (size_t i = 0; i < COUNT_OF(CHARACTERS); i++) {
		for (int lead = 0; lead < 4; lead++) {
			struct err err = { 0 };
			char many[1024] = "";

			memset(many, '.', (size_t)lead);
			for (size_t n = (size_t)lead; n + 8 < sizeof(many);)
				n += (size_t)snprintf(many + n, sizeof(many) - n, "%s",
						      CHARACTERS[i]);
			(void)err_set(&err, RC_INVALID, "x", "%s", many);
			assert_true(strlen(err.text) >= ERR_TEXT_MAX - 4);
			assert_true(text_is_utf8(str_c(err.text)));
		}
	}
}

static void whole_characters_at_the_end_stay(void **state)
{
	static const char *const TEXTS[] = { "", "a", "é", "a€", "b😀" };

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		struct err err = { 0 };

		(void)err_set(&err, RC_INVALID, "x", "%s", TEXTS[i]);
		assert_string_equal(err.text, TEXTS[i]);
	}
}

static void every_rc_has_a_name_and_a_status(void **state)
{
	assert_string_equal(err_rc_name(RC_OK), "OK");
	assert_string_equal(err_rc_name(RC_NOT_FOUND), "NOT_FOUND");
	assert_int_equal(err_http_status(RC_OK), 200);
	assert_int_equal(err_http_status(RC_NOT_FOUND), 404);
	assert_int_equal(err_http_status(RC_CONFLICT), 409);
	assert_int_equal(err_http_status(RC_INVALID), 422);
	assert_int_equal(err_http_status(RC_DENIED), 403);
	assert_int_equal(err_http_status(RC_RETRY), 503);
	assert_int_equal(err_http_status(RC_LIMIT), 413);
	assert_int_equal(err_http_status(RC_BROKEN), 500);
}

static void success_is_no_error(void **state)
{
	struct err err = { 0 };

	ASSERT_DIES((void)err_set(&err, RC_OK, "x", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_its_rc_and_fills_the_detail),
		cmocka_unit_test(first_detail_wins),
		cmocka_unit_test(null_detail_is_allowed),
		cmocka_unit_test(field_names_the_pointer_and_is_invalid),
		cmocka_unit_test(clear_makes_room_for_a_new_detail),
		cmocka_unit_test(control_characters_become_spaces),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(whole_characters_at_the_end_stay),
		cmocka_unit_test(every_rc_has_a_name_and_a_status),
		cmocka_unit_test(success_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
