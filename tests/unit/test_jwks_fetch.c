/* Which keys of a set can verify, and which addresses a set may come from. */
#include "server/jwks_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define EC "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\""

/* Keys that are kept of a set; -1: the set is refused. */
static int kept(const char *set)
{
	AUTO_JSON json_t *keys = NULL;
	struct err err = { 0 };

	return jwks_fetch_read(str_c(set), &keys, &err) == RC_OK ? (int)json_array_size(keys) : -1;
}

static void keys_that_cannot_verify_are_left_out(void **state)
{
	(void)state;
	assert_int_equal(kept("{\"keys\":[{" EC "}]}"), 1);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"use\":\"sig\",\"key_ops\":[\"verify\"]}]}"), 1);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"use\":\"enc\"}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"use\":1}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"key_ops\":[\"sign\"]}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"key_ops\":\"verify\"}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{" EC ",\"d\":\"AA\"}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"), 0);
	assert_int_equal(kept("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}"), 0);
	assert_int_equal(kept("{\"keys\":[7, null, \"x\", [], {}, {" EC "}]}"), 1);
	assert_int_equal(kept("{\"keys\":[]}"), 0);
}

static void what_is_no_set_is_refused(void **state)
{
	(void)state;
	assert_int_equal(kept(""), -1);
	assert_int_equal(kept("[]"), -1);
	assert_int_equal(kept("{}"), -1);
	assert_int_equal(kept("{\"keys\":{}}"), -1);
	assert_int_equal(kept("{\"keys\":[],\"keys\":[]}"), -1);
}

static void a_set_has_a_hundred_keys_at_most(void **state)
{
	AUTO(buf) struct buf set = BUF_INIT(64 * 1024);

	(void)state;
	assert_int_equal(buf_put(&set, S("{\"keys\":[{" EC "}")), RC_OK);
	for (int i = 1; i < JWKS_FETCH_KEYS; i++)
		assert_int_equal(buf_put(&set, S(",{" EC "}")), RC_OK);
	assert_int_equal(buf_put(&set, S("]}")), RC_OK);
	assert_int_equal(kept(buf_c(&set)), JWKS_FETCH_KEYS);
	buf_cut(&set, set.n - 2);
	assert_int_equal(buf_put(&set, S(",{}]}")), RC_OK);
	assert_int_equal(kept(buf_c(&set)), -1);
}

static void plain_http_is_asked_for(void **state)
{
	struct jwks_settings s = { .url = "http://127.0.0.1/jwks", .file = "", .ca_file = "" };

	(void)state;
	assert_false(jwks_fetch_is_url(&s));
	s.allow_http = true;
	assert_true(jwks_fetch_is_url(&s));
	s.url = "file:///etc/passwd";
	assert_false(jwks_fetch_is_url(&s));
	s.url = "https://login.example.com/jwks";
	s.allow_http = false;
	assert_true(jwks_fetch_is_url(&s));
}

static void plain_http_stays_on_this_machine(void **state)
{
	struct jwks_settings s = {
		.url = "http://198.51.100.1/jwks", .file = "", .ca_file = "", .allow_http = true
	};
	AUTO_JSON json_t *keys = NULL;
	struct err err = { 0 };
	const atomic_bool stop = false;

	(void)state;
	assert_int_equal(jwks_fetch(&s, &stop, &keys, &err), RC_RETRY);
	assert_true(str_has(str_c(err.text), S("plain http may not leave it")));
	/* Nobody listens there, but it is asked. */
	s.url = "http://127.0.0.1:1/jwks";
	err_clear(&err);
	assert_int_equal(jwks_fetch(&s, &stop, &keys, &err), RC_RETRY);
	assert_false(str_has(str_c(err.text), S("plain http may not leave it")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_cannot_verify_are_left_out),
		cmocka_unit_test(what_is_no_set_is_refused),
		cmocka_unit_test(a_set_has_a_hundred_keys_at_most),
		cmocka_unit_test(plain_http_is_asked_for),
		cmocka_unit_test(plain_http_stays_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
