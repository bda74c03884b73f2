/* The credential report's values: found by column name, with AWS's words for "nothing" understood. */
#include "workers/sync/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void read_two(const char *text, struct csv *c, struct report_header *h)
{
	csv_init(c, str_c(text));
	assert_int_equal(csv_next(c), RC_OK);
	assert_int_equal(report_header(c, h), RC_OK);
	assert_int_equal(csv_next(c), RC_OK);
}

static void columns_are_found_by_name_in_any_order_and_number(void **state)
{
	AUTO(csv) struct csv c;
	struct report_header h;

	read_two("new_column,arn,mfa_active,user,user_creation_time,another\n"
		 "x,arn:aws:iam::111122223333:user/a,true,a,2020-01-02T03:04:05+00:00,y\n",
		 &c, &h);
	assert_true(str_eq(report_value(&h, &c, REPORT_USER), S("a")));
	assert_true(str_eq(report_value(&h, &c, REPORT_MFA), S("true")));
	assert_true(str_eq(report_value(&h, &c, REPORT_KEY1_ROTATED), S("")));
}

static void a_report_without_its_first_columns_is_none(void **state)
{
	static const char *const HEADERS[] = { "user,arn", "arn,user_creation_time",
					       "user,user_creation_time", "<html>",
					       "User,Arn,User_creation_time" };

	for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
		AUTO(csv) struct csv c;
		struct report_header h;

		csv_init(&c, str_c(HEADERS[i]));
		assert_int_equal(csv_next(&c), RC_OK);
		assert_int_equal(report_header(&c, &h), RC_INVALID);
	}
}

static void words_for_nothing_are_nothing(void **state)
{
	static const char *const WORDS[] = { "N/A", "no_information", "not_supported", "" };

	for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
		AUTO(csv) struct csv c;
		AUTO(buf) struct buf text = BUF_INIT(1024);
		AUTO_JSON json_t *attrs = NULL;
		struct report_header h;

		assert_int_equal(buf_printf(&text,
					    "user,arn,user_creation_time,password_enabled,password_"
					    "last_used,password_last_changed,"
					    "mfa_active,cert_1_active\na,b,2020-01-02T03:04:05+00:"
					    "00,%s,%s,%s,%s,%s\n",
					    WORDS[i], WORDS[i], WORDS[i], WORDS[i], WORDS[i]),
				 RC_OK);
		read_two(buf_c(&text), &c, &h);
		attrs = report_attrs(&h, &c, true);
		assert_int_equal(json_object_size(attrs), 0);
	}
}

static void times_and_flags_are_written_as_the_listings_write_them(void **state)
{
	AUTO(csv) struct csv c;
	AUTO_JSON json_t *attrs = NULL;
	struct report_header h;

	read_two("user,arn,user_creation_time,password_enabled,password_last_used,password_last_"
		 "changed,mfa_active\n"
		 "\"frank,contractor\",b,2020-01-02T03:04:05+00:00,TRUE,2021-01-02T03:04:05+00:00,"
		 "2020-05-06T07:08:09+00:00,false\n",
		 &c, &h);
	assert_true(str_eq(report_value(&h, &c, REPORT_USER), S("frank,contractor")));
	attrs = report_attrs(&h, &c, false);
	assert_true(json_is_true(json_object_get(attrs, "password_enabled")));
	assert_true(json_is_false(json_object_get(attrs, "mfa_active")));
	assert_true(str_eq(json_str(attrs, "password_last_changed"), S("2020-05-06T07:08:09Z")));
	assert_null(json_object_get(attrs, "password_last_used"));
	assert_null(json_object_get(attrs, "is_root"));
}

static void the_root_row_is_the_root_user(void **state)
{
	AUTO(csv) struct csv c;
	AUTO_JSON json_t *attrs = NULL;
	struct report_header h;

	read_two("user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,"
		 "access_key_1_active,access_key_2_active\n"
		 "<root_account>,arn:aws:iam::111122223333:root,2014-01-02T03:04:05+00:00,not_"
		 "supported,"
		 "2021-01-02T03:04:05+00:00,true,true,false\n",
		 &c, &h);
	assert_true(report_is_root(&h, &c));
	attrs = report_attrs(&h, &c, true);
	assert_true(json_bool(attrs, "is_root"));
	assert_true(json_bool(attrs, "access_key_1_active"));
	assert_true(str_eq(json_str(attrs, "created"), S("2014-01-02T03:04:05Z")));
	assert_null(json_object_get(attrs, "password_enabled"));
}

static void a_short_row_reads_as_nothing_behind_its_end(void **state)
{
	AUTO(csv) struct csv c;
	struct report_header h;

	read_two("user,arn,user_creation_time,mfa_active\na,b\n", &c, &h);
	assert_true(str_eq(report_value(&h, &c, REPORT_ARN), S("b")));
	assert_true(str_eq(report_value(&h, &c, REPORT_MFA), S("")));
}

static void only_a_row_with_a_name_and_every_column_is_whole(void **state)
{
	static const struct {
		const char *row;
		bool whole;
	} ROWS[] = {
		{ "a,b,2020-01-02T03:04:05+00:00,true\n", true },
		{ "a,b,2020-01-02T03:04:05+00:00,\n", true },
		{ "a,b,2020-01-02T03:04:05+00:00\n", false },
		{ "a,b", false },
		{ "a,b,2020-01-02T03:04:05+00:00,true,more\n", false },
		{ "a,N/A,2020-01-02T03:04:05+00:00,true\n", false },
		{ ",b,2020-01-02T03:04:05+00:00,true\n", false },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO(csv) struct csv c;
		AUTO(buf) struct buf text = BUF_INIT(1024);
		struct report_header h;

		assert_int_equal(buf_printf(&text, "user,arn,user_creation_time,mfa_active\n%s",
					    ROWS[i].row),
				 RC_OK);
		read_two(buf_c(&text), &c, &h);
		assert_int_equal(report_is_whole(&h, &c), ROWS[i].whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_name_in_any_order_and_number),
		cmocka_unit_test(a_report_without_its_first_columns_is_none),
		cmocka_unit_test(words_for_nothing_are_nothing),
		cmocka_unit_test(times_and_flags_are_written_as_the_listings_write_them),
		cmocka_unit_test(the_root_row_is_the_root_user),
		cmocka_unit_test(a_short_row_reads_as_nothing_behind_its_end),
		cmocka_unit_test(only_a_row_with_a_name_and_every_column_is_whole),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
