/* Borrowed bytes: cutting, comparing and numbers at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

static void assert_str(struct str got, const char *want)
{
	assert_true(str_eq(got, str_c(want)));
}

static void equality_is_bytes_and_length(void **state)
{
	assert_true(str_eq(S("a\0b"), S("a\0b")));
	assert_false(str_eq(S("a\0b"), S("a\0c")));
	assert_false(str_eq(S("a"), S("ab")));
	assert_true(str_eq(str_c(NULL), S("")));
	assert_true(str_eq((struct str){ NULL, 0 }, S("")));
}

/* A locale's rules (Turkish i, Kelvin sign) must not make two header names alike. */
static void nocase_is_ascii_only(void **state)
{
	assert_true(str_eq_nocase(S("Content-TYPE"), S("content-type")));
	assert_false(str_eq_nocase(S("\xc3\x89"), S("\xc3\xa9")));
	assert_false(str_eq_nocase(S("@"), S("`")));
	assert_false(str_eq_nocase(S("["), S("{")));
}

static void order_is_unsigned_bytes_then_length(void **state)
{
	assert_true(str_cmp(S("a"), S("b")) < 0);
	assert_true(str_cmp(S("a"), S("\xff")) < 0);
	assert_true(str_cmp(S("a"), S("ab")) < 0);
	assert_true(str_cmp(S("ab"), S("a")) > 0);
	assert_int_equal(str_cmp(S(""), S("")), 0);
}

static void starts_ends_and_has(void **state)
{
	assert_true(str_starts(S("arn:aws"), S("arn:")));
	assert_true(str_starts(S("a"), S("")));
	assert_false(str_starts(S("ar"), S("arn")));
	assert_true(str_ends(S("a-s3alias"), S("-s3alias")));
	assert_true(str_ends(S(""), S("")));
	assert_false(str_ends(S("s"), S("ss")));
	assert_true(str_has(S("abc"), S("bc")));
	assert_true(str_has(S(""), S("")));
	assert_false(str_has(S("abc"), S("abcd")));
}

static void sub_is_clamped(void **state)
{
	assert_str(str_sub(S("hello"), 1, 3), "ell");
	assert_str(str_sub(S("hello"), 3, 100), "lo");
	assert_str(str_sub(S("hello"), 3, SIZE_MAX), "lo");
	assert_str(str_sub(S("hello"), 5, 1), "");
	assert_str(str_sub(S("hello"), SIZE_MAX, SIZE_MAX), "");
}

static void cut_walks_to_the_end(void **state)
{
	struct str rest = S("a,,b");

	assert_str(str_cut(&rest, ','), "a");
	assert_str(str_cut(&rest, ','), "");
	assert_str(str_cut(&rest, ','), "b");
	assert_int_equal(rest.n, 0);
	assert_str(str_cut(&rest, ','), "");
}

static void trim_is_ascii_white_space(void **state)
{
	assert_str(str_trim(S(" \t\r\n\v\fa b\n")), "a b");
	assert_str(str_trim(S("   ")), "");
	assert_str(str_trim(S("\xc2\xa0x")), "\xc2\xa0x");
}

static const struct {
	const char *text;
	bool good;
	int64_t value;
} I64[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "007", true, 7 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "+1", false, 0 },
	{ "--1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1\n", false, 0 },
	{ "0x10", false, 0 },
	{ "1e3", false, 0 },
	{ "1.0", false, 0 },
	{ "\xd9\xa1", false, 0 },
};

static void i64_is_the_whole_string_or_nothing(void **state)
{
	for (size_t i = 0; i < COUNT_OF(I64); i++) {
		int64_t v = 42;

		assert_int_equal(str_to_i64(str_c(I64[i].text), &v), I64[i].good);
		assert_int_equal(v, I64[i].good ? I64[i].value : 42);
	}
}

static void u64_has_no_sign_and_reaches_its_maximum(void **state)
{
	uint64_t v = 42;

	assert_true(str_to_u64(S("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	v = 42;
	assert_false(str_to_u64(S("18446744073709551616"), &v));
	assert_false(str_to_u64(S("-1"), &v));
	assert_false(str_to_u64(S("1\0"), &v));
	assert_false(str_to_u64(S(""), &v));
	assert_true(v == 42);
}

static void dup_ends_in_nul(void **state)
{
	char *copy = str_dup(str_n("hello", 4));

	assert_string_equal(copy, "hell");
	mem_free(copy);
	copy = str_dup((struct str){ NULL, 0 });
	assert_string_equal(copy, "");
	mem_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_is_bytes_and_length),
		cmocka_unit_test(nocase_is_ascii_only),
		cmocka_unit_test(order_is_unsigned_bytes_then_length),
		cmocka_unit_test(starts_ends_and_has),
		cmocka_unit_test(sub_is_clamped),
		cmocka_unit_test(cut_walks_to_the_end),
		cmocka_unit_test(trim_is_ascii_white_space),
		cmocka_unit_test(i64_is_the_whole_string_or_nothing),
		cmocka_unit_test(u64_has_no_sign_and_reaches_its_maximum),
		cmocka_unit_test(dup_ends_in_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
