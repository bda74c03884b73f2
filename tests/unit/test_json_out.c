/* What json_out writes is what jansson reads back: the writer checks nothing itself. */
#include "base/json.h"
#include "base/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LIMIT = 4096 };

static void everything_comes_back_as_it_went_in(void **state)
{
	AUTO_JSON json_t *tree = NULL;
	AUTO_JSON json_t *want = json_pack("{s:{}, s:[], s:{s:s, s:[i, n, b, {s:s}]}, s:I, s:b}",
					   "a", "b", "c", "d", "e\"f\\g\n\t\x01 \xc3\xa9", "h", 1,
					   1, "i", "", "j", (json_int_t)INT64_MIN, "k", 0);
	struct json_out o = JSON_OUT_INIT(LIMIT);
	struct err err = { 0 };

	(void)state;
	json_out_begin(&o, NULL, '{');
	json_out_begin(&o, "a", '{');
	json_out_end(&o, '{');
	json_out_begin(&o, "b", '[');
	json_out_end(&o, '[');
	json_out_begin(&o, "c", '{');
	json_out_text(&o, "d", S("e\"f\\g\n\t\x01 \xc3\xa9"));
	json_out_begin(&o, "h", '[');
	json_out_i64(&o, NULL, 1);
	json_out_raw(&o, NULL, S("null"));
	json_out_bool(&o, NULL, true);
	json_out_begin(&o, NULL, '{');
	json_out_text(&o, "i", S(""));
	json_out_end(&o, '{');
	json_out_end(&o, '[');
	json_out_end(&o, '{');
	json_out_i64(&o, "j", INT64_MIN);
	json_out_bool(&o, "k", false);
	json_out_end(&o, '{');
	assert_false(o.full);
	assert_int_equal(json_parse(buf_str(&o.b), JSON_DEPTH_MAX, &tree, &err), RC_OK);
	assert_true(json_equal(tree, want));
	buf_done(&o.b);
}

/* Every byte below 0x20 and both special ones: one that is not escaped would break the answer. */
static void no_byte_breaks_a_text(void **state)
{
	(void)state;
	for (int c = 1; c < 0x80; c++) {
		AUTO_JSON json_t *tree = NULL;
		struct json_out o = JSON_OUT_INIT(LIMIT);
		struct err err = { 0 };
		const char text[] = { 'x', (char)c, (char)c, 'y' };

		json_out_begin(&o, NULL, '{');
		json_out_text(&o, "t", str_n(text, sizeof(text)));
		json_out_end(&o, '{');
		assert_int_equal(json_parse(buf_str(&o.b), JSON_DEPTH_MAX, &tree, &err), RC_OK);
		assert_true(str_eq(json_str(tree, "t"), str_n(text, sizeof(text))));
		buf_done(&o.b);
	}
}

static void past_the_limit_it_says_so(void **state)
{
	struct json_out o = JSON_OUT_INIT(8);

	(void)state;
	json_out_begin(&o, NULL, '[');
	json_out_text(&o, NULL, S("123456789"));
	assert_true(o.full);
	json_out_i64(&o, NULL, 1);
	json_out_end(&o, '[');
	assert_true(o.full && o.b.n <= 8);
	buf_done(&o.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back_as_it_went_in),
		cmocka_unit_test(no_byte_breaks_a_text),
		cmocka_unit_test(past_the_limit_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
