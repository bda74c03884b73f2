/* Addresses that a signed request must never reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "aws/netguard.h"
#include "base/cdefs.h"

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

static bool opens(enum netguard_door door, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return netguard_opens(door, (const struct sockaddr *)&v4, sizeof(v4));
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return netguard_opens(door, (const struct sockaddr *)&v6, sizeof(v6));
}

/* The doors of the operator's own credentials, each to its agents and to nobody else. */
static void a_door_opens_to_its_agents_only(void **state)
{
	static const char *const CONTAINER[] = {
		"127.0.0.1", "127.1.2.3", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"
	};
	static const char *const INSTANCE[] = { "127.0.0.1", "::1", "169.254.169.254",
						"fd00:ec2::254" };
	static const char *const NOBODY[] = { "10.0.0.1",
					      "169.254.170.1",
					      "169.254.0.1",
					      "192.168.0.1",
					      "52.94.0.1",
					      "0.0.0.0",
					      "::",
					      "fd00:ec2::",
					      "fd00:ec2::1:23",
					      "fd00:ec3::254",
					      "2600:1f00::254",
					      "::ffff:127.0.0.1" };

	for (size_t i = 0; i < COUNT_OF(CONTAINER); i++)
		assert_true(opens(NETGUARD_CONTAINER, CONTAINER[i]));
	for (size_t i = 0; i < COUNT_OF(INSTANCE); i++)
		assert_true(opens(NETGUARD_INSTANCE, INSTANCE[i]));
	for (size_t i = 0; i < COUNT_OF(NOBODY); i++) {
		assert_false(opens(NETGUARD_CONTAINER, NOBODY[i]));
		assert_false(opens(NETGUARD_INSTANCE, NOBODY[i]));
	}
	assert_false(opens(NETGUARD_CONTAINER, "169.254.169.254"));
	assert_false(opens(NETGUARD_CONTAINER, "fd00:ec2::254"));
	assert_false(opens(NETGUARD_INSTANCE, "169.254.170.2"));
	assert_false(opens(NETGUARD_INSTANCE, "fd00:ec2::23"));
	assert_false(opens(NETGUARD_INSTANCE, "169.254.170.23"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_and_disguised_addresses_are_refused),
		cmocka_unit_test(public_addresses_are_allowed),
		cmocka_unit_test(other_families_are_refused),
		cmocka_unit_test(a_door_opens_to_its_agents_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
