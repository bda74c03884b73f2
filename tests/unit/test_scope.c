/* Scopes: names, sets and roles, and that a key never has more than its role. */
#include "api/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void names_and_bits_are_the_same_thing(void **state)
{
	char names[SCOPE_NAMES_MAX];
	uint32_t all = scope_of_role(S("owner"));

	(void)state;
	scope_names(all, names);
	assert_int_equal(scope_of_names(str_c(names)), all);
	for (int i = 0; i < SCOPE_COUNT; i++)
		assert_int_equal(scope_of_name(str_c(scope_text(1u << i))), 1u << i);
	scope_names(0, names);
	assert_string_equal(names, "");
	assert_int_equal(scope_of_names(S("")), 0);
}

static void what_is_no_name_counts_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(scope_of_name(S("connections:rea")), 0);
	assert_int_equal(scope_of_name(S("connections:read ")), 0);
	assert_int_equal(scope_of_name(S("*")), 0);
	assert_int_equal(scope_of_names(S("  openid syncs:read  x")), SCOPE_SYNCS_READ);
}

static void roles_contain_each_other(void **state)
{
	uint32_t viewer = scope_of_role(S("viewer")), editor = scope_of_role(S("editor")),
		 owner = scope_of_role(S("owner"));

	(void)state;
	assert_int_equal(viewer & ~editor, 0);
	assert_int_equal(editor & ~owner, 0);
	assert_int_not_equal(viewer, editor);
	assert_int_not_equal(editor, owner);
	assert_int_equal(scope_of_role(S("Owner")), 0);
	assert_int_equal(scope_of_role(S("")), 0);
}

static void a_key_has_a_part_of_its_role(void **state)
{
	(void)state;
	assert_int_equal(scope_of_key(S("viewer"), S("")), scope_of_role(S("viewer")));
	assert_int_equal(scope_of_key(S("viewer"), S("keys:write syncs:read")), SCOPE_SYNCS_READ);
	assert_int_equal(scope_of_key(S("viewer"), S("gone:read")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_bits_are_the_same_thing),
		cmocka_unit_test(what_is_no_name_counts_for_nothing),
		cmocka_unit_test(roles_contain_each_other),
		cmocka_unit_test(a_key_has_a_part_of_its_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
