/* What is given back to the heap is empty, whoever gives it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sanitized.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(SANITIZED_BUILD)

enum { LINKS = 16 }; /* of a free block, the allocator's own */

/* The same block again, as it was left; the allocator gives back what came last. */
static char *again(uintptr_t place, size_t n)
{
	char *volatile same = malloc(n);

	assert_int_equal((uintptr_t)same, place);
	__asm__ volatile("" : : "r"(same) : "memory");
	return same;
}

static void assert_empty(const char *block, size_t n)
{
	for (size_t i = LINKS; i < n; i++)
		assert_int_equal(block[i], 0);
}

static char *filled(size_t n)
{
	char *volatile block = malloc(n);

	assert_non_null(block);
	memset(block, 's', n);
	__asm__ volatile("" : : "r"(block) : "memory");
	return block;
}

static void freed_block_is_empty(void **state)
{
	static const size_t SIZES[] = { 24, 100, 1000, 5000, 60000 };

	for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
		char *block = filled(SIZES[i]), *guard = malloc(16);
		uintptr_t place = (uintptr_t)block;

		free(block);
		block = again(place, SIZES[i]);
		assert_empty(block, SIZES[i]);
		free(block);
		free(guard);
	}
}

static void block_that_grew_left_nothing(void **state)
{
	char *block = filled(200), *guard = malloc(16), *grown = NULL;
	uintptr_t place = (uintptr_t)block;

	grown = realloc(block, 20000);
	assert_non_null(grown);
	assert_int_not_equal((uintptr_t)grown, place);
	for (int i = 0; i < 200; i++)
		assert_int_equal(grown[i], 's');
	block = again(place, 200);
	assert_empty(block, 200);
	free(block);
	free(grown);
	free(guard);
}

static void block_that_shrank_keeps_its_beginning_only(void **state)
{
	/* volatile: the compiler knows that a block of 3,000 bytes has no more, and we look there all the same. */
	char *block = filled(4000), *volatile less = realloc(block, 3000);

	for (int i = 0; i < 3000; i++)
		assert_int_equal(less[i], 's');
	for (int i = 3000; i < 4000; i++)
		assert_int_equal(less[i], 0);
	less = realloc(less, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(less[i], 's');
	free(less);
}

/* The C library's own calls come here as well, and so do those of every other library. */
static void line_that_getline_grew_left_nothing(void **state)
{
	char text[400], *line = filled(120), *guard = malloc(16), *block = NULL;
	uintptr_t place = (uintptr_t)line;
	size_t room = 120;
	FILE *file = NULL;

	memset(text, 'x', sizeof(text));
	file = fmemopen(text, sizeof(text), "r");
	assert_non_null(file);
	assert_int_equal(getline(&line, &room, file), sizeof(text));
	assert_int_not_equal((uintptr_t)line, place);
	block = again(place, 120);
	assert_empty(block, 120);
	free(block);
	free(line);
	free(guard);
	fclose(file);
}

#endif

static void nothing_and_no_bytes_are_what_they_were(void **state)
{
	char *volatile from_nothing = realloc(NULL, 10);
	volatile size_t none = 0;

	free(NULL);
	assert_non_null(from_nothing);
	assert_null(realloc(from_nothing, none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if !defined(SANITIZED_BUILD)
		cmocka_unit_test(freed_block_is_empty),
		cmocka_unit_test(block_that_grew_left_nothing),
		cmocka_unit_test(block_that_shrank_keeps_its_beginning_only),
		cmocka_unit_test(line_that_getline_grew_left_nothing),
#endif
		cmocka_unit_test(nothing_and_no_bytes_are_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
