/* server/trace.c: whose trace a request belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/trace.h"

#define ID   "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void a_valid_parent_gives_its_trace_and_flag(void **state)
{
	static const char *const GOOD[] = { "00-" ID "-" SPAN "-01", "cc-" ID "-" SPAN "-01",
					    "cc-" ID "-" SPAN "-01-more" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
		struct trace t = trace_begin(str_c(GOOD[i]));

		assert_string_equal(t.id, ID);
		assert_int_equal(strlen(t.response), 55);
		assert_memory_equal(t.response, "00-" ID "-", 36);
		assert_string_equal(t.response + 52, "-01");
		assert_true(strncmp(t.response + 36, SPAN, 16) != 0);
	}
}

/* The specification's words: what is not valid is ignored, and a new trace begins. */
static void anything_else_begins_a_new_one(void **state)
{
	static const char *const BAD[] = {
		"",
		"00",
		"ff-" ID "-" SPAN "-01",
		"00-" ID "-" SPAN "-01-more",
		"cc-" ID "-" SPAN "-01x",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" ID "-0000000000000000-01",
		"00_" ID "-" SPAN "-01",
		"00-" ID "-" SPAN "-0g",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct trace t = trace_begin(str_c(BAD[i])), u = trace_begin(str_c(BAD[i]));

		assert_string_not_equal(t.id, ID);
		assert_string_not_equal(t.id, u.id);
		assert_int_equal(strlen(t.id), 32);
		assert_string_equal(t.response + 52, "-00");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_parent_gives_its_trace_and_flag),
		cmocka_unit_test(anything_else_begins_a_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
