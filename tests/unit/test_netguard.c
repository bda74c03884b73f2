/* Addresses that a signed request must never reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/cdefs.h"
#include "workers/aws/netguard.h"

static bool allows(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return netguard_allows((const struct sockaddr *)&in, sizeof(in));
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return netguard_allows((const struct sockaddr *)&in6, sizeof(in6));
}

static void private_and_disguised_addresses_are_refused(void **state)
{
	static const char *const BAD[] = {
		"0.0.0.0",
		"10.1.2.3",
		"100.64.0.1",
		"127.0.0.1",
		"127.255.255.254",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.8",
		"192.168.1.1",
		"198.18.0.1",
		"224.0.0.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fe80::1",
		"fc00::1",
		"fd00:ec2::254",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:52.94.0.1",
		"64:ff9b::a9fe:a9fe",
		"2002:7f00:1::",
		"2001:0:1::1",
		"2001:db8::1",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (allows(BAD[i]))
			fail_msg("%s is allowed", BAD[i]);
}

static void public_addresses_are_allowed(void **state)
{
	static const char *const GOOD[] = {
		"52.94.0.1",   "172.32.0.1",    "172.15.255.255", "100.128.0.1",  "169.253.1.1",
		"192.169.0.1", "9.255.255.255", "2600:1f00::1",   "2a05:d018::1",
	};

	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		if (!allows(GOOD[i]))
			fail_msg("%s is refused", GOOD[i]);
}

static void other_families_are_refused(void **state)
{
	struct sockaddr a = { .sa_family = AF_UNIX };

	assert_false(netguard_allows(&a, sizeof(a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_and_disguised_addresses_are_refused),
		cmocka_unit_test(public_addresses_are_allowed),
		cmocka_unit_test(other_families_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
