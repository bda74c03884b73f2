/* Allocation: zeroed, overflow-checked, never NULL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dies.h"

#include <string.h>

static void new_memory_is_zero(void **state)
{
	static const char zero[4096];
	char *p = mem_alloc(sizeof(zero));

	assert_memory_equal(p, zero, sizeof(zero));
	mem_free(p);
	p = mem_array(64, 64);
	assert_memory_equal(p, zero, sizeof(zero));
	mem_free(p);
}

static void nothing_has_an_address_of_its_own(void **state)
{
	char *a = mem_alloc(0), *b = mem_array(0, 8);

	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	mem_free(a);
	mem_free(b);
	mem_free(NULL);
}

/* count * size wraps to 16: a short block under a long loop. */
static void product_that_overflows_ends_the_process(void **state)
{
	const size_t count = SIZE_MAX / 16 + 2;

	ASSERT_DIES(mem_free(mem_array(count, 16)));
	ASSERT_DIES(mem_free(mem_resize(NULL, count, 16)));
}

/* The block comes back from the allocator, whose own words are its first 16 bytes; behind them
 * nothing of the secret may be left. */
static void wiped_block_is_freed_without_its_content(void **state)
{
	mem_wipe(NULL);
	for (size_t n = 32; n < 1000; n += 7) {
		char *p = mem_alloc(n);

		memset(p, 's', n);
		mem_wipe(p);
		p = mem_resize(NULL, n, 1);
		assert_null(memchr(p + 16, 's', n - 16));
		mem_free(p);
	}
}

static void resize_keeps_what_was_there(void **state)
{
	char *p = mem_copy("hello");

	p = mem_resize(p, 10000, 1);
	assert_string_equal(p, "hello");
	p = mem_resize(p, 6, 1);
	assert_string_equal(p, "hello");
	mem_free(p);
}

static void text_and_copy_make_strings(void **state)
{
	AUTO_TEXT char *text = mem_text("%s-%d", "x", 5);
	AUTO_TEXT char *copy = mem_copy(NULL);

	assert_string_equal(text, "x-5");
	assert_string_equal(copy, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_zero),
		cmocka_unit_test(nothing_has_an_address_of_its_own),
		cmocka_unit_test(product_that_overflows_ends_the_process),
		cmocka_unit_test(wiped_block_is_freed_without_its_content),
		cmocka_unit_test(resize_keeps_what_was_there),
		cmocka_unit_test(text_and_copy_make_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
