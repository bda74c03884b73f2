/* The transport's refusals: no socket is opened to an address that no AWS endpoint has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "aws/iam.h"
#include "base/clock.h"
#include "workers/aws/transport.h"

/* Sends to e and returns our name of how it ended. */
static const char *send_to(const struct endpoint *e, bool *ret_refused)
{
	struct transport *t = transport_new(1, 5, "");
	struct transfer x = { 0 };
	struct reply reply = { 0 };
	struct request r = { 0 };
	AUTO(buf) struct buf lines = BUF_INIT(1024);
	const int64_t deadline = clock_mono() + 20 * CLOCK_S;
	const char *code = NULL;
	struct err err = { 0 };

	assert_int_equal(request_build(&r, &IAM_LIST_USERS, e, NULL, NULL, &err), RC_OK);
	reply_start(&reply, &IAM_LIST_USERS);
	assert_int_equal(buf_put(&lines, S("host: h\n")), RC_OK);
	assert_int_equal(transport_send(t, &x, &r, e, &lines, &reply, &err), RC_OK);
	while (transport_ended(t, &code) == NULL) {
		assert_true(clock_mono() < deadline);
		transport_turn(t, 10);
	}
	*ret_refused = x.refused;
	transport_close(&x);
	reply_done(&reply);
	request_done(&r);
	transport_free(t);
	return code;
}

/* The name in the URL is judged by what it resolves to. */
static void private_addresses_are_refused_before_a_socket_is_opened(void **state)
{
	static const char *const BASES[] = {
		"https://127.0.0.1:9",     "https://localhost:9",          "https://[::1]:9",
		"https://169.254.169.254", "https://[::ffff:127.0.0.1]:9", "https://0x7f000001:9",
	};

	for (size_t i = 0; i < COUNT_OF(BASES); i++) {
		struct endpoint e = { .host = "h", .region = "us-east-1", .signing_name = "iam" };
		bool refused = false;

		snprintf(e.base, sizeof(e.base), "%s", BASES[i]);
		assert_string_equal(send_to(&e, &refused), "address_refused");
		assert_true(refused);
	}
}

/* The same address as the operator's own choice is tried (and nobody listens there). */
static void the_operators_own_address_is_tried(void **state)
{
	struct endpoint e = {
		.base = "http://127.0.0.1:9",
		.host = "h",
		.region = "us-east-1",
		.signing_name = "iam",
		.overridden = true,
	};
	bool refused = true;

	assert_string_equal(send_to(&e, &refused), "connect_failed");
	assert_false(refused);
}

/* Without an override only https exists, whatever the URL says. */
static void other_schemes_are_refused(void **state)
{
	static const char *const BASES[] = { "http://52.94.0.1", "file:///etc/passwd",
					     "ftp://52.94.0.1" };

	for (size_t i = 0; i < COUNT_OF(BASES); i++) {
		struct endpoint e = { .host = "h", .region = "us-east-1", .signing_name = "iam" };
		bool refused = false;

		snprintf(e.base, sizeof(e.base), "%s", BASES[i]);
		assert_string_equal(send_to(&e, &refused), "scheme_refused");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_addresses_are_refused_before_a_socket_is_opened),
		cmocka_unit_test(the_operators_own_address_is_tried),
		cmocka_unit_test(other_schemes_are_refused),
	};

	json_setup();
	aws_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
