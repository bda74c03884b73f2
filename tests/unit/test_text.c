/* Text hygiene and encodings, against the tables that hostile senders use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

/* A literal with its length, in a table. */
#define L(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

/* text, is it UTF-8 without NUL, what cleaning makes of it */
static const struct {
	struct str text;
	bool good;
	const char *clean;
} UTF8[] = {
	{ L(""), true, "" },
	{ L("plain\t\r\n"), true, "plain\t\r\n" },
	{ L("\xc2\x80"), true, "\xc2\x80" },
	{ L("\xdf\xbf"), true, "\xdf\xbf" },
	{ L("\xe0\xa0\x80"), true, "\xe0\xa0\x80" },
	{ L("\xed\x9f\xbf"), true, "\xed\x9f\xbf" },
	{ L("\xee\x80\x80"), true, "\xee\x80\x80" },
	{ L("\xef\xbf\xbf"), true, "\xef\xbf\xbf" },
	{ L("\xf0\x90\x80\x80"), true, "\xf0\x90\x80\x80" },
	{ L("\xf4\x8f\xbf\xbf"), true, "\xf4\x8f\xbf\xbf" },
	{ L("a\0b"), false, "ab" },
	{ L("\0"), false, "" },
	{ L("\x80"), false, "#" },
	{ L("\xc0\x80"), false, "##" },
	{ L("\xc1\xbf"), false, "##" },
	{ L("\xe0\x9f\xbf"), false, "###" },
	{ L("\xf0\x8f\xbf\xbf"), false, "####" },
	{ L("\xed\xa0\x80"), false, "###" },
	{ L("\xed\xbf\xbf"), false, "###" },
	{ L("\xf4\x90\x80\x80"), false, "####" },
	{ L("\xf8\x88\x80\x80\x80"), false, "#####" },
	{ L("\xff\xfe"), false, "##" },
	{ L("a\xc3"), false, "a#" },
	{ L("\xe2\x82"), false, "##" },
	{ L("\xf0\x9f\x98"), false, "###" },
	{ L("\xc3("), false, "#(" },
	{ L("\xe2\x82(x"), false, "##(x" },
	{ L("\xc3\xa9\xff\xe2\x82\xac"), false, "\xc3\xa9#\xe2\x82\xac" },
};

static void utf8_is_judged_by_the_standard(void **state)
{
	for (size_t i = 0; i < COUNT_OF(UTF8); i++)
		assert_int_equal(text_is_utf8(UTF8[i].text), UTF8[i].good);
}

static void cleaning_drops_nul_and_replaces_each_bad_byte(void **state)
{
	for (size_t i = 0; i < COUNT_OF(UTF8); i++) {
		AUTO(buf) struct buf got = BUF_INIT(100), want = BUF_INIT(100);

		for (const char *c = UTF8[i].clean; *c; c++)
			assert_int_equal(
				buf_put(&want, *c == '#' ? S("\xef\xbf\xbd") : str_n(c, 1)), RC_OK);
		assert_int_equal(text_clean(&got, UTF8[i].text), RC_OK);
		assert_string_equal(buf_c(&got), buf_c(&want));
	}
}

/* Whatever arrives, what leaves can be stored; and cleaning twice changes nothing. */
static void cleaned_bytes_are_always_utf8(void **state)
{
	uint32_t seed = 1;

	for (int round = 0; round < 5000; round++) {
		AUTO(buf) struct buf once = BUF_INIT(200), twice = BUF_INIT(200);
		char bytes[24];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (char)(seed >> 24);
		}
		assert_int_equal(text_clean(&once, str_n(bytes, sizeof(bytes))), RC_OK);
		assert_true(text_is_utf8(buf_str(&once)));
		assert_int_equal(text_clean(&twice, buf_str(&once)), RC_OK);
		assert_true(str_eq(buf_str(&once), buf_str(&twice)));
	}
}

static void next_tells_code_points(void **state)
{
	uint32_t point = 0;

	assert_int_equal(text_next(S("\xf0\x9f\x98\x80x"), &point), 4);
	assert_int_equal(point, 0x1f600);
	assert_int_equal(text_next(S("\0"), &point), 1);
	assert_int_equal(point, 0);
	assert_int_equal(text_next(S(""), &point), 0);
}

static const struct {
	const char *in;
	enum rc rc;
	const char *out;
} DECODE[] = {
	{ "", RC_OK, "" },
	{ "a+b", RC_OK, "a+b" },
	{ "%41%4a%4A", RC_OK, "AJJ" },
	{ "%C3%A9", RC_OK, "\xc3\xa9" },
	{ "%2525", RC_OK, "%25" },
	{ "%", RC_INVALID, "" },
	{ "%4", RC_INVALID, "" },
	{ "a%4", RC_INVALID, "" },
	{ "%4g", RC_INVALID, "" },
	{ "%g4", RC_INVALID, "" },
	{ "%%41", RC_INVALID, "" },
	{ "% 1", RC_INVALID, "" },
	{ "%+1", RC_INVALID, "" },
	{ "good%zz", RC_INVALID, "" },
};

static void percent_escapes_are_decoded_or_all_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(DECODE); i++) {
		AUTO(buf) struct buf out = BUF_INIT(100);

		assert_int_equal(buf_put(&out, S("-")), RC_OK);
		assert_int_equal(text_percent_decode(&out, str_c(DECODE[i].in)), DECODE[i].rc);
		assert_string_equal(buf_c(&out) + 1, DECODE[i].out);
	}
	AUTO(buf) struct buf out = BUF_INIT(100);
	assert_int_equal(text_percent_decode(&out, S("a%00b")), RC_OK);
	assert_true(str_eq(buf_str(&out), S("a\0b")));
}

static void percent_encoding_is_rfc_3986_in_upper_case(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(1000);

	assert_int_equal(text_percent_encode(&out, S("AZaz09-._~ /+*é:"), false), RC_OK);
	assert_string_equal(buf_c(&out), "AZaz09-._~%20%2F%2B%2A%C3%A9%3A");
	buf_cut(&out, 0);
	assert_int_equal(text_percent_encode(&out, S("a/b\0"), true), RC_OK);
	assert_string_equal(buf_c(&out), "a/b%00");
}

static void percent_encoding_comes_back_for_every_byte(void **state)
{
	AUTO(buf) struct buf encoded = BUF_INIT(1000), decoded = BUF_INIT(300);
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_int_equal(text_percent_encode(&encoded, str_n(all, 256), false), RC_OK);
	assert_int_equal(text_percent_decode(&decoded, buf_str(&encoded)), RC_OK);
	assert_true(str_eq(buf_str(&decoded), str_n(all, 256)));
}

/* A half-written value in a buffer that goes on to be signed or stored would be a wrong one. */
static void encoder_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(5);

	assert_int_equal(buf_put(&out, S("ab")), RC_OK);
	assert_int_equal(text_percent_encode(&out, S("a "), false), RC_LIMIT);
	assert_int_equal(text_percent_decode(&out, S("abcd")), RC_LIMIT);
	assert_int_equal(text_hex(&out, S("\1\2")), RC_LIMIT);
	assert_int_equal(text_base64(&out, S("a")), RC_LIMIT);
	assert_int_equal(text_base64_decode(&out, S("YWJjZA==")), RC_LIMIT);
	assert_int_equal(text_clean(&out, S("a\xff")), RC_LIMIT);
	assert_string_equal(buf_c(&out), "ab");
}

static void hex_is_lower_case(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(100);

	assert_int_equal(text_hex(&out, S("\0\x0f\xa5\xff")), RC_OK);
	assert_string_equal(buf_c(&out), "000fa5ff");
}

/* RFC 4648 section 10, and what is not base64. */
static const struct {
	const char *text;
	enum rc rc;
	const char *bytes;
} BASE64[] = {
	{ "", RC_OK, "" },
	{ "Zg==", RC_OK, "f" },
	{ "Zm8=", RC_OK, "fo" },
	{ "Zm9v", RC_OK, "foo" },
	{ "Zm9vYg==", RC_OK, "foob" },
	{ "Zm9vYmE=", RC_OK, "fooba" },
	{ "Zm9vYmFy", RC_OK, "foobar" },
	{ "Zg", RC_OK, "f" },
	{ "Zm8", RC_OK, "fo" },
	{ " Zm9v\r\nYmFy\t", RC_OK, "foobar" },
	{ "Zg=", RC_INVALID, "" },
	{ "Zg===", RC_INVALID, "" },
	{ "Z", RC_INVALID, "" },
	{ "Z===", RC_INVALID, "" },
	{ "=", RC_INVALID, "" },
	{ "Zm9v=", RC_INVALID, "" },
	{ "Zg==Zg==", RC_INVALID, "" },
	{ "Zh==", RC_INVALID, "" },
	{ "Zm-_", RC_INVALID, "" },
	{ "Zm9v!", RC_INVALID, "" },
	{ "Zm\xc3\xa9v", RC_INVALID, "" },
};

static void base64_is_decoded_or_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BASE64); i++) {
		AUTO(buf) struct buf out = BUF_INIT(100);

		assert_int_equal(text_base64_decode(&out, str_c(BASE64[i].text)), BASE64[i].rc);
		assert_string_equal(buf_c(&out), BASE64[i].bytes);
	}
}

static void base64_comes_back_at_every_length(void **state)
{
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(all); n++) {
		AUTO(buf) struct buf text = BUF_INIT(400), bytes = BUF_INIT(256);

		assert_int_equal(text_base64(&text, str_n(all, n)), RC_OK);
		assert_int_equal(text.n, (n + 2) / 3 * 4);
		assert_int_equal(text_base64_decode(&bytes, buf_str(&text)), RC_OK);
		assert_true(str_eq(buf_str(&bytes), str_n(all, n)));
	}
}

static void sha256_gives_the_published_values(void **state)
{
	char hex[TEXT_SHA256_HEX];
	AUTO_TEXT char *million = mem_alloc(1000000);

	text_sha256_hex((struct str){ NULL, 0 }, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	text_sha256_hex(S("abc"), hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(million, 'a', 1000000);
	text_sha256_hex(str_n(million, 1000000), hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void hmac_gives_the_published_values(void **state)
{
	unsigned char out[TEXT_SHA256];
	char key[131];
	AUTO(buf) struct buf hex = BUF_INIT(200);

	memset(key, 0x0b, 20);
	text_hmac_sha256(str_n(key, 20), S("Hi There"), out);
	assert_int_equal(text_hex(&hex, str_n(out, sizeof(out))), RC_OK);
	assert_string_equal(buf_c(&hex),
			    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	buf_cut(&hex, 0);
	text_hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), out);
	assert_int_equal(text_hex(&hex, str_n(out, sizeof(out))), RC_OK);
	assert_string_equal(buf_c(&hex),
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	buf_cut(&hex, 0);
	memset(key, 0xaa, sizeof(key));
	text_hmac_sha256(str_n(key, sizeof(key)),
			 S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	assert_int_equal(text_hex(&hex, str_n(out, sizeof(out))), RC_OK);
	assert_string_equal(buf_c(&hex),
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_judged_by_the_standard),
		cmocka_unit_test(cleaning_drops_nul_and_replaces_each_bad_byte),
		cmocka_unit_test(cleaned_bytes_are_always_utf8),
		cmocka_unit_test(next_tells_code_points),
		cmocka_unit_test(percent_escapes_are_decoded_or_all_is_refused),
		cmocka_unit_test(percent_encoding_is_rfc_3986_in_upper_case),
		cmocka_unit_test(percent_encoding_comes_back_for_every_byte),
		cmocka_unit_test(encoder_that_does_not_fit_leaves_the_buffer_as_it_was),
		cmocka_unit_test(hex_is_lower_case),
		cmocka_unit_test(base64_is_decoded_or_refused),
		cmocka_unit_test(base64_comes_back_at_every_length),
		cmocka_unit_test(sha256_gives_the_published_values),
		cmocka_unit_test(hmac_gives_the_published_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
