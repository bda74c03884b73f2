/* Signatures of webhooks: the published vector, one of another signer, and what is no secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cdefs.h"
#include "workers/notify/sign.h"

#define PUBLISHED "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OURS      "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void the_published_vector_is_met(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(SIGN_HEADER_MAX);

	assert_int_equal(sign_add(&out, S(PUBLISHED), S("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
				  S("{\"test\": 2432232314}"), NULL),
			 RC_OK);
	assert_string_equal(buf_c(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* Made with Python's hmac. */
static void another_signer_agrees(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(SIGN_HEADER_MAX);

	assert_int_equal(
		sign_add(&out, S(OURS), S("evt_0193c6a0b7d57f3e8c11d0a2b3c4d5e6"), 1764000000,
			 S("{\"data\":{},\"timestamp\":\"2026-11-24T10:00:00Z\",\"type\":\"webhook."
			   "test\"}"),
			 NULL),
		RC_OK);
	assert_string_equal(buf_c(&out), "v1,VUW2pHrI9I0CAUQnGcSH3LJ9k9Q+TNDNg+xjDh6XRJk=");
}

/* While a secret is rotated both sign, told apart by a space. */
static void two_secrets_make_two_signatures(void **state)
{
	AUTO(buf) struct buf both = BUF_INIT(SIGN_HEADER_MAX);
	AUTO(buf) struct buf second = BUF_INIT(SIGN_HEADER_MAX);
	struct str rest = S("");

	assert_int_equal(sign_add(&both, S(OURS), S("evt_1"), 1, S("{}"), NULL), RC_OK);
	assert_int_equal(sign_add(&both, S(PUBLISHED), S("evt_1"), 1, S("{}"), NULL), RC_OK);
	assert_int_equal(sign_add(&second, S(PUBLISHED), S("evt_1"), 1, S("{}"), NULL), RC_OK);
	rest = buf_str(&both);
	(void)str_cut(&rest, ' ');
	assert_true(str_eq(rest, buf_str(&second)));
}

static void what_is_no_secret_signs_nothing_and_is_not_repeated(void **state)
{
	static const char *const BAD[] = {
		"",
		"whsec_",
		"whsec_c2hvcnQ=",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
		"whsec_"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAA",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO(buf) struct buf out = BUF_INIT(SIGN_HEADER_MAX);
		struct err err = { 0 };

		assert_int_equal(sign_add(&out, str_c(BAD[i]), S("evt_1"), 1, S("{}"), &err),
				 RC_INVALID);
		assert_int_equal(out.n, 0);
		assert_string_equal(err.code, "invalid_secret");
		if (strlen(BAD[i]) > 6)
			assert_null(strstr(err.text, BAD[i] + 6));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vector_is_met),
		cmocka_unit_test(another_signer_agrees),
		cmocka_unit_test(two_secrets_make_two_signatures),
		cmocka_unit_test(what_is_no_secret_signs_nothing_and_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
