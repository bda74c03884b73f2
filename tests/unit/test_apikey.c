/* Keys: what is made is read back, and one changed character is never a key. */
#include "api/apikey.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct http_env ENV = { .key_prefix = "cnd", .key_env = "live" };

static void a_made_key_is_read_back(void **state)
{
	char text[APIKEY_TEXT_MAX];
	unsigned char made[KEYS_HASH], read[KEYS_HASH];
	struct id id = id_new(), found = { { 0 } };

	(void)state;
	apikey_make(&ENV, KEYS_ORGANIZATION, id, text, made);
	assert_true(apikey_parse(&ENV, KEYS_ORGANIZATION, str_c(text), &found, read));
	assert_true(id_eq(id, found));
	assert_memory_equal(made, read, KEYS_HASH);
	assert_true(str_starts(str_c(text), S("cnd_live_")));
}

static void any_changed_byte_or_length_is_no_key(void **state)
{
	char text[APIKEY_TEXT_MAX];
	unsigned char hash[KEYS_HASH];
	struct id id = { { 0 } };
	size_t n = 0;

	(void)state;
	apikey_make(&ENV, KEYS_ORGANIZATION, id_new(), text, hash);
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		char kept = text[i];

		text[i] = kept == '0' ? '1' : '0';
		assert_false(apikey_parse(&ENV, KEYS_ORGANIZATION, str_n(text, n), &id, hash));
		text[i] = kept;
		assert_false(apikey_parse(&ENV, KEYS_ORGANIZATION, str_n(text, i), &id, hash));
	}
	text[n] = '0';
	assert_false(apikey_parse(&ENV, KEYS_ORGANIZATION, str_n(text, n + 1), &id, hash));
}

static void keys_of_another_deployment_are_not_ours(void **state)
{
	static const struct http_env OTHER = { .key_prefix = "cnd", .key_env = "test" };
	char text[APIKEY_TEXT_MAX];
	unsigned char hash[KEYS_HASH];
	struct id id = { { 0 } };

	(void)state;
	apikey_make(&OTHER, KEYS_ORGANIZATION, id_new(), text, hash);
	assert_false(apikey_parse(&ENV, KEYS_ORGANIZATION, str_c(text), &id, hash));
}

static void a_key_of_one_kind_is_none_of_the_other(void **state)
{
	char text[APIKEY_TEXT_MAX];
	unsigned char made[KEYS_HASH], read[KEYS_HASH];
	struct id id = id_new(), found = { { 0 } };

	(void)state;
	apikey_make(&ENV, KEYS_SERVICE, id, text, made);
	assert_true(str_starts(str_c(text), S("cndsvc_live_")));
	assert_false(apikey_parse(&ENV, KEYS_ORGANIZATION, str_c(text), &found, read));
	assert_true(apikey_parse(&ENV, KEYS_SERVICE, str_c(text), &found, read));
	assert_true(id_eq(id, found));
	assert_memory_equal(made, read, KEYS_HASH);
	apikey_make(&ENV, KEYS_ORGANIZATION, id, text, made);
	assert_false(apikey_parse(&ENV, KEYS_SERVICE, str_c(text), &found, read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_made_key_is_read_back),
		cmocka_unit_test(any_changed_byte_or_length_is_no_key),
		cmocka_unit_test(keys_of_another_deployment_are_not_ours),
		cmocka_unit_test(a_key_of_one_kind_is_none_of_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
