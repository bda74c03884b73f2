/* Networks that the operator opens for webhooks: each opens itself and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/cdefs.h"
#include "workers/notify/allow.h"

static bool allows(const char *list, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct allow allow;

	assert_int_equal(allow_parse(str_c(list), &allow, NULL), RC_OK);
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return allow_address(&allow, (const struct sockaddr *)&in, sizeof(in));
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return allow_address(&allow, (const struct sockaddr *)&in6, sizeof(in6));
}

static void without_a_list_only_public_addresses_are_allowed(void **state)
{
	static const char *const BAD[] = {
		"127.0.0.1", "10.0.0.1", "172.16.3.4",     "192.168.0.9", "169.254.169.254",
		"0.0.0.0",   "::1",      "::ffff:1.1.1.1", "fd00::1",     "64:ff9b::7f00:1",
		"fe80::1",   "ff02::1",  "100.64.0.1",     "224.0.0.1",   "::ffff:127.0.0.1",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_false(allows("", BAD[i]));
	assert_true(allows("", "1.1.1.1"));
	assert_true(allows("", "2606:4700::1111"));
}

static void a_network_opens_its_addresses_and_no_others(void **state)
{
	static const struct {
		const char *list, *address;
		bool open;
	} CASES[] = {
		{ "127.0.0.0/8", "127.0.0.1", true },
		{ "127.0.0.0/8", "127.255.255.255", true },
		{ "127.0.0.0/8", "10.0.0.1", false },
		{ "127.0.0.0/8", "::1", false },
		{ "127.0.0.0/8", "::ffff:127.0.0.1", false },
		{ "::ffff:127.0.0.0/104", "::ffff:127.0.0.1", true },
		{ "10.1.2.0/23", "10.1.3.255", true },
		{ "10.1.2.0/23", "10.1.4.0", false },
		{ "10.1.2.3/32", "10.1.2.3", true },
		{ "10.1.2.3/32", "10.1.2.2", false },
		{ "fd00::/8,10.0.0.0/8", "fdff::1", true },
		{ "fd00::/8 , 10.0.0.0/8", "10.9.9.9", true },
		{ "fd00::/8", "fc00::1", false },
		{ "::1/128", "::1", true },
		{ "::1/128", "::2", false },
		{ "0.0.0.0/0", "192.168.1.1", true },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (allows(CASES[i].list, CASES[i].address) != CASES[i].open)
			fail_msg("%s with %s", CASES[i].address, CASES[i].list);
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const BAD[] = {
		"127.0.0.1",  "10.0.0.0/33", "10.0.0.1/8",
		"fd00::/129", "localhost/8", "10.0.0.0/8,,",
		"10.0.0.0/",  "/8",          "10.0.0.0/8 1.1.1.1/32",
		"fd00::1/8",  "10.0.0.0/-1",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct allow allow;
		struct err err = { 0 };

		assert_int_equal(allow_parse(str_c(BAD[i]), &allow, &err), RC_INVALID);
		assert_non_null(strstr(err.text, "webhook_allow_private"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_list_only_public_addresses_are_allowed),
		cmocka_unit_test(a_network_opens_its_addresses_and_no_others),
		cmocka_unit_test(what_is_no_network_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
