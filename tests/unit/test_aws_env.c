/* The accounts of our own: what is learned while threads run must hold at once, for a role there is never assumed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/aws.h"
#include "base/cdefs.h"
#include <stdio.h>

static struct aws_env *env_with(const char *const *own_accounts)
{
	struct aws_env *env = NULL;
	struct err err = { 0 };

	assert_int_equal(aws_env_new(&(struct aws_settings){ .rates = "",
							     .ca_file = "",
							     .own_accounts = own_accounts },
				     &env, &err),
			 RC_OK);
	return env;
}

static void an_account_learned_later_is_our_own_beside_the_named_ones(void **state)
{
	AUTO(aws_env) struct aws_env *env = env_with((const char *const[]){ "111122223333", NULL });
	struct err err = { 0 };

	assert_true(aws_env_knows_own_account(env));
	assert_false(aws_env_is_own_account(env, S("444455556666")));
	assert_int_equal(aws_env_own_account(env, S("444455556666"), &err), RC_OK);
	assert_true(aws_env_is_own_account(env, S("444455556666")));
	assert_true(aws_env_is_own_account(env, S("111122223333")));
}

static void without_a_name_none_is_known_until_one_is_learned(void **state)
{
	AUTO(aws_env) struct aws_env *env = env_with(NULL);
	struct err err = { 0 };

	assert_false(aws_env_knows_own_account(env));
	assert_int_equal(aws_env_own_account(env, S("444455556666"), &err), RC_OK);
	assert_true(aws_env_knows_own_account(env));
}

static void what_is_no_account_is_not_learned(void **state)
{
	static const char *const WRONG[] = { "", "44445555666", "4444555566667", "44445555666x" };
	AUTO(aws_env) struct aws_env *env = env_with(NULL);

	for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
		struct err err = { 0 };

		assert_int_equal(aws_env_own_account(env, str_c(WRONG[i]), &err), RC_INVALID);
	}
	assert_false(aws_env_knows_own_account(env));
}

/* Every task may learn it again: that must not fill the table. */
static void the_same_account_takes_one_place_and_the_table_has_an_end(void **state)
{
	AUTO(aws_env) struct aws_env *env = env_with(NULL);
	struct err err = { 0 };
	enum rc rc = RC_OK;
	char account[13];
	int n = 0;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(aws_env_own_account(env, S("444455556666"), &err), RC_OK);
	for (; rc == RC_OK; n++) {
		snprintf(account, sizeof(account), "1%011d", n % 1000);
		rc = aws_env_own_account(env, str_c(account), &err);
	}
	assert_int_equal(rc, RC_LIMIT);
	assert_int_equal(n, 64);
	assert_true(aws_env_is_own_account(env, S("444455556666")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_learned_later_is_our_own_beside_the_named_ones),
		cmocka_unit_test(without_a_name_none_is_known_until_one_is_learned),
		cmocka_unit_test(what_is_no_account_is_not_learned),
		cmocka_unit_test(the_same_account_takes_one_place_and_the_table_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
