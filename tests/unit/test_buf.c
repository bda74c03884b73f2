/* The growing buffer: its maximum, its NUL, its ownership. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dies.h"

/* The bound is the point of struct buf: a peer may send anything, we keep max bytes. */
static void put_past_bound_is_limit_and_keeps_content(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(8);

	assert_int_equal(buf_put(&b, S("1234567")), RC_OK);
	assert_int_equal(buf_put(&b, S("89")), RC_LIMIT);
	assert_string_equal(b.p, "1234567");
	assert_int_equal(buf_putc(&b, '8'), RC_OK);
	assert_int_equal(buf_putc(&b, '9'), RC_LIMIT);
	assert_int_equal(buf_printf(&b, "%d", 9), RC_LIMIT);
	assert_string_equal(b.p, "12345678");
	assert_int_equal(b.n, 8);
	assert_true(b.cap <= 9);
}

static void content_always_ends_in_nul(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(100000);

	assert_string_equal(buf_c(&b), "");
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(buf_put(&b, S("ab")), RC_OK);
		assert_int_equal(b.p[b.n], '\0');
	}
	assert_int_equal(strlen(b.p), 10000);
	buf_cut(&b, 3);
	assert_string_equal(buf_c(&b), "aba");
}

static void empty_put_makes_an_empty_string(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(0);

	assert_int_equal(buf_put(&b, S("")), RC_OK);
	assert_string_equal(b.p, "");
	assert_int_equal(buf_putc(&b, 'x'), RC_LIMIT);
}

static void nul_bytes_are_kept(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(10);

	assert_int_equal(buf_put(&b, S("a\0b")), RC_OK);
	assert_true(str_eq(buf_str(&b), S("a\0b")));
}

static void own_content_can_be_put_again(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(1000);

	assert_int_equal(buf_put(&b, S("0123456789abcdef0123456789abcdef")), RC_OK);
	assert_int_equal(buf_put(&b, buf_str(&b)), RC_OK);
	assert_int_equal(buf_put(&b, str_sub(buf_str(&b), 32, 32)), RC_OK);
	assert_int_equal(b.n, 96);
	assert_memory_equal(b.p + 64, "0123456789abcdef0123456789abcdef", 32);
}

static void printf_appends(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(1000);

	assert_int_equal(buf_printf(&b, "%s=%d", "a", 1), RC_OK);
	assert_int_equal(buf_printf(&b, "&%0*d", 100, 2), RC_OK);
	assert_int_equal(b.n, 104);
	assert_string_equal(b.p + 102, "02");
}

static void take_hands_the_content_over(void **state)
{
	struct buf b = BUF_INIT(10);
	char *content = NULL;

	assert_int_equal(buf_put(&b, S("abc")), RC_OK);
	content = buf_take(&b);
	assert_string_equal(content, "abc");
	assert_null(b.p);
	mem_free(content);
	content = buf_take(&b);
	assert_string_equal(content, "");
	mem_free(content);
}

static void done_buffer_is_used_again_with_its_maximum(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(3);

	assert_int_equal(buf_put(&b, S("abc")), RC_OK);
	buf_wipe(&b);
	assert_int_equal(buf_str(&b).n, 0);
	assert_int_equal(buf_put(&b, S("abcd")), RC_LIMIT);
	assert_int_equal(buf_put(&b, S("abc")), RC_OK);
}

static void cut_past_the_end_is_a_bug(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(3);

	ASSERT_DIES(buf_cut(&b, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_past_bound_is_limit_and_keeps_content),
		cmocka_unit_test(content_always_ends_in_nul),
		cmocka_unit_test(empty_put_makes_an_empty_string),
		cmocka_unit_test(nul_bytes_are_kept),
		cmocka_unit_test(own_content_can_be_put_again),
		cmocka_unit_test(printf_appends),
		cmocka_unit_test(take_hands_the_content_over),
		cmocka_unit_test(done_buffer_is_used_again_with_its_maximum),
		cmocka_unit_test(cut_past_the_end_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
