/* SAML metadata: who it is and its certificates; hostile documents are malformed and nothing else. */
#include "workers/sync/saml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_issuer_and_the_fingerprints_are_read_under_any_prefix(void **state)
{
	static const char METADATA[] =
		"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		"entityID=\"https://idp.example.com/x\">"
		"<ds:X509Certificate xmlns:ds=\"d\"> YWJj\n "
		"</ds:X509Certificate><X509Certificate>!!</X509Certificate>"
		"</md:EntityDescriptor>";
	AUTO_JSON json_t *attrs = json_object();

	saml_attrs(str_c(METADATA), attrs);
	assert_true(str_eq(json_str(attrs, "metadata_state"), S("ok")));
	assert_true(str_eq(json_str(attrs, "entity_id"), S("https://idp.example.com/x")));
	assert_int_equal(json_array_size(json_object_get(attrs, "certificates")), 1);
	/* SHA-256 of "abc" */
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(attrs, "certificates"), 0)),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void what_is_no_metadata_or_brings_a_dtd_is_malformed(void **state)
{
	static const char *const BAD[] = {
		"",
		"<a>",
		"not xml",
		"<a></b>",
		"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO_JSON json_t *attrs = json_object();

		saml_attrs(str_c(BAD[i]), attrs);
		assert_true(str_eq(json_str(attrs, "metadata_state"), S("malformed")));
		assert_int_equal(json_array_size(json_object_get(attrs, "certificates")), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_issuer_and_the_fingerprints_are_read_under_any_prefix),
		cmocka_unit_test(what_is_no_metadata_or_brings_a_dtd_is_malformed),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
