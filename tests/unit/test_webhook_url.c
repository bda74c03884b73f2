/* The text of a receiver's address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/webhook_url.h"
#include "base/cdefs.h"
#include "base/mem.h"

static void ordinary_addresses_are_taken(void **state)
{
	static const char *const GOOD[] = {
		"https://example.com",
		"https://example.com/",
		"https://Example.COM:8443/a/b?c=d&e=%20",
		"https://xn--bcher-kva.example/x",
		"https://192.0.2.7/x",
		"https://[2001:db8::1]:443/x",
		"https://[2001:db8::1]?x",
		"https://localhost:1/",
		"http://example.com/",
		"https://example.com/a@b:c",
		"https://example.com:65535",
	};

	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		if (webhook_url_judge(str_c(GOOD[i]), NULL) != RC_OK)
			fail_msg("%s is refused", GOOD[i]);
}

static void what_two_readers_could_read_differently_is_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		"https:",
		"https://",
		"https:///x",
		"HTTPS://example.com/",
		"ftp://example.com/",
		"file:///etc/passwd",
		"gopher://example.com/",
		"//example.com/",
		"example.com",
		" https://example.com/",
		"https://example.com/ ",
		"https://example.com/a b",
		"https://example.com/\r\nX: y",
		"https://example.com/\x01",
		"https://example.com/\x7f",
		"https://example.com/\xc3\xa4",
		"https://user@example.com/",
		"http://user@example.com/",
		"https://user:pw@example.com/",
		"https://example.com@127.0.0.1/",
		"https://example.com#@127.0.0.1/",
		"https://example.com/#x",
		"https://example.com\\@127.0.0.1/",
		"https://example.com/\\x",
		"https://example.com:0/",
		"https://example.com:65536/",
		"https://example.com:/",
		"https://example.com:+80/",
		"https://example.com:80:80/",
		"https://:443/",
		"https://.example.com/",
		"https://-example.com/",
		"https://example..com/",
		"https://exam_ple.com/",
		"https://exa%6dple.com/",
		"https://[::1",
		"https://::1/",
		"https://[]/",
		"https://[fe80::1%25eth0]/",
		"https://[::1]x/",
		"https://[::1]x:80/",
		"https://example.com/<script>",
		"https://example.com/\"",
		"https://example.com/`",
		"https://example.com/{x}",
		"https://example.com/|",
		"https://example.com/^",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct err err = { 0 };

		if (webhook_url_judge(str_c(BAD[i]), &err) != RC_INVALID)
			fail_msg("%s is taken", BAD[i]);
		assert_string_equal(err.code, "invalid_url");
	}
	assert_int_equal(webhook_url_judge(str_n("https://a\0b/", 12), NULL), RC_INVALID);
}

static void the_longest_address_has_2048_bytes(void **state)
{
	AUTO_TEXT char *url = mem_text("https://example.com/%02028d", 0);

	assert_int_equal(strlen(url), WEBHOOK_URL_MAX);
	assert_int_equal(webhook_url_judge(str_c(url), NULL), RC_OK);
	assert_int_equal(webhook_url_judge(str_n(url, WEBHOOK_URL_MAX - 1), NULL), RC_OK);

	AUTO_TEXT char *longer = mem_text("%s0", url);

	assert_int_equal(webhook_url_judge(str_c(longer), NULL), RC_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_addresses_are_taken),
		cmocka_unit_test(what_two_readers_could_read_differently_is_refused),
		cmocka_unit_test(the_longest_address_has_2048_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
