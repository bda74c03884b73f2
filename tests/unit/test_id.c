/* Identifiers: their form, their order, and one spelling each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/id.h"
#include "dies.h"

static const struct id ID = { { 0x01, 0x92, 0xf0, 0xc1, 0x23, 0x45, 0x7a, 0xbc, 0x8d, 0xef, 0x01,
				0x23, 0x45, 0x67, 0x89, 0xab } };

static void uuid_and_prefixed_text_are_canonical(void **state)
{
	char uuid[ID_UUID_TEXT], text[ID_TEXT_MAX];

	id_uuid(ID, uuid);
	assert_string_equal(uuid, "0192f0c1-2345-7abc-8def-0123456789ab");
	id_text(ID, "conn_", text);
	assert_string_equal(text, "conn_0192f0c123457abc8def0123456789ab");
}

static void written_ids_are_read_back(void **state)
{
	for (int i = 0; i < 1000; i++) {
		struct id id = i % 2 ? id_new() : id_random(), again = { 0 };
		char uuid[ID_UUID_TEXT], text[ID_TEXT_MAX];

		id_uuid(id, uuid);
		assert_int_equal(id_parse_uuid(str_c(uuid), &again), RC_OK);
		assert_true(id_eq(id, again));
		id_text(id, "sync_", text);
		again = (struct id){ 0 };
		assert_int_equal(id_parse(str_c(text), "sync_", &again), RC_OK);
		assert_true(id_eq(id, again));
	}
}

static void version_and_variant_are_set(void **state)
{
	for (int i = 0; i < 1000; i++) {
		struct id seven = id_new(), four = id_random();

		assert_int_equal(seven.b[6] >> 4, 7);
		assert_int_equal(seven.b[8] >> 6, 2);
		assert_int_equal(four.b[6] >> 4, 4);
		assert_int_equal(four.b[8] >> 6, 2);
	}
}

static int64_t milliseconds(struct id id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	return ms;
}

/* Rows made one after another lie one after another in their index. */
static void new_ids_carry_the_time_and_are_in_order(void **state)
{
	int64_t before = clock_wall() / CLOCK_MS;
	struct id last = id_new();

	for (int i = 0; i < 2000; i++) {
		struct id next = { 0 };

		/* 244 ns is one step of the fraction. */
		for (int64_t from = clock_mono(); clock_mono() - from < 1000;)
			continue;
		next = id_new();
		assert_true(memcmp(last.b, next.b, 8) < 0);
		last = next;
	}
	assert_true(milliseconds(last) >= before);
	assert_true(milliseconds(last) <= clock_wall() / CLOCK_MS);
}

static void upper_case_is_a_uuid_but_no_prefixed_id(void **state)
{
	struct id id = { 0 };

	assert_int_equal(id_parse_uuid(S("0192F0C1-2345-7ABC-8DEF-0123456789AB"), &id), RC_OK);
	assert_true(id_eq(id, ID));
	assert_int_equal(id_parse(S("conn_0192F0C123457ABC8DEF0123456789AB"), "conn_", &id),
			 RC_INVALID);
}

static const char *const BAD_UUIDS[] = {
	"",
	"0192f0c1-2345-7abc-8def-0123456789a",
	"0192f0c1-2345-7abc-8def-0123456789abc",
	"0192f0c123457abc8def0123456789ab",
	"{0192f0c1-2345-7abc-8def-0123456789ab}",
	"0192f0c1-2345-7abc-8def-0123456789ag",
	"0192f0c1-2345-7abc-8def-0123456789a\n",
	"0192f0c1-2345-7abc-8def 0123456789ab",
	"0192f0c12-345-7abc-8def-0123456789ab",
	"-192f0c1-2345-7abc-8def-0123456789ab",
	"+192f0c1-2345-7abc-8def-0123456789ab",
	"0x92f0c1-2345-7abc-8def-0123456789ab",
};

static void uuid_look_alikes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_UUIDS); i++) {
		struct id id = ID;

		assert_int_equal(id_parse_uuid(str_c(BAD_UUIDS[i]), &id), RC_INVALID);
		assert_true(id_eq(id, ID));
	}
	struct id id = ID;
	assert_int_equal(id_parse_uuid(S("0192f0c1-2345-7abc-8def-0123456789a\0"), &id),
			 RC_INVALID);
}

static const char *const BAD_IDS[] = {
	"",
	"conn_",
	"sync_0192f0c123457abc8def0123456789ab",
	"conn_0192f0c123457abc8def0123456789a",
	"conn_0192f0c123457abc8def0123456789abc",
	"conn_0192f0c123457abc8def0123456789ag",
	"conn_0192f0c1-2345-7abc-8def-0123456789ab",
	"CONN_0192f0c123457abc8def0123456789ab",
	"conn-0192f0c123457abc8def0123456789ab",
	" conn_0192f0c123457abc8def0123456789a",
	"0192f0c123457abc8def0123456789ab",
};

static void prefixed_look_alikes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_IDS); i++) {
		struct id id = ID;

		assert_int_equal(id_parse(str_c(BAD_IDS[i]), "conn_", &id), RC_INVALID);
		assert_true(id_eq(id, ID));
	}
}

/* Stored entity ids are made of this: the values come from another implementation of BLAKE2b. */
static void hash_of_parts_never_changes(void **state)
{
	const struct str parts[] = { S("org"), S("aws:123456789012"), S("iam_user") };
	const struct str empty[] = { S("") };
	char text[ID_TEXT_MAX];

	id_text(id_hash(parts, COUNT_OF(parts)), "", text);
	assert_string_equal(text, "ac603389cf9a7edeb6afad325649530e");
	id_text(id_hash(NULL, 0), "", text);
	assert_string_equal(text, "0e5751c026e543b2e8ab2eb06099daa1");
	id_text(id_hash(empty, 1), "", text);
	assert_string_equal(text, "81e47a19e6b29b0a65b9591762ce5143");
}

static void hash_keeps_parts_apart(void **state)
{
	const struct str one[] = { S("ab"), S("c") }, two[] = { S("a"), S("bc") };

	assert_false(id_eq(id_hash(one, 2), id_hash(two, 2)));
}

static void prefix_that_cannot_fit_is_a_bug(void **state)
{
	char text[ID_TEXT_MAX];

	ASSERT_DIES(id_text(ID, "a_prefix_of_far_too_many_letters", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_and_prefixed_text_are_canonical),
		cmocka_unit_test(written_ids_are_read_back),
		cmocka_unit_test(version_and_variant_are_set),
		cmocka_unit_test(new_ids_carry_the_time_and_are_in_order),
		cmocka_unit_test(upper_case_is_a_uuid_but_no_prefixed_id),
		cmocka_unit_test(uuid_look_alikes_are_refused),
		cmocka_unit_test(prefixed_look_alikes_are_refused),
		cmocka_unit_test(hash_of_parts_never_changes),
		cmocka_unit_test(hash_keeps_parts_apart),
		cmocka_unit_test(prefix_that_cannot_fit_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
