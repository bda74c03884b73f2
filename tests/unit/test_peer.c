/* server/peer.c: who shares a bucket, and who does not. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/peer.h"

static struct id of(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = 7 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = 7 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return peer_of((const struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return peer_of((const struct sockaddr *)&v6);
}

static void addresses_of_one_client_are_one(void **state)
{
	(void)state;
	assert_true(id_eq(of("192.0.2.1"), of("192.0.2.1")));
	assert_true(id_eq(of("192.0.2.1"), of("::ffff:192.0.2.1")));
	assert_true(id_eq(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9")));
}

static void addresses_of_two_clients_are_two(void **state)
{
	(void)state;
	assert_false(id_eq(of("192.0.2.1"), of("192.0.2.2")));
	assert_false(id_eq(of("::ffff:192.0.2.1"), of("::ffff:192.0.2.2")));
	assert_false(id_eq(of("2001:db8:1:2::1"), of("2001:db8:1:3::1")));
}

static void a_unix_socket_has_none(void **state)
{
	const struct sockaddr local = { .sa_family = AF_UNIX };
	const struct id zero = { { 0 } };

	(void)state;
	assert_true(id_eq(peer_of(&local), zero));
	assert_true(id_eq(peer_of(NULL), zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_one_client_are_one),
		cmocka_unit_test(addresses_of_two_clients_are_two),
		cmocka_unit_test(a_unix_socket_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
