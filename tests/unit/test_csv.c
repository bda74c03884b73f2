/* CSV records as the credential report writes them. */
#include "workers/sync/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every record as "field|field;" */
static void read_all(const char *text, struct buf *out, enum rc end)
{
	AUTO(csv) struct csv c;
	enum rc rc;

	csv_init(&c, str_c(text));
	while ((rc = csv_next(&c)) == RC_OK) {
		for (size_t i = 0; i < c.n; i++) {
			assert_int_equal(buf_put(out, c.fields[i]), RC_OK);
			assert_int_equal(buf_putc(out, i + 1 < c.n ? '|' : ';'), RC_OK);
		}
	}
	assert_int_equal(rc, end);
}

static void records_and_fields_end_where_rfc_4180_says(void **state)
{
	static const struct {
		const char *text, *want;
		enum rc end;
	} ROWS[] = {
		{ "", "", RC_NOT_FOUND },
		{ "a,b\nc,d\n", "a|b;c|d;", RC_NOT_FOUND },
		{ "a,b\r\nc,d", "a|b;c|d;", RC_NOT_FOUND },
		{ "\n\na\n\n\nb\n", "a;b;", RC_NOT_FOUND },
		{ "\"frank,contractor\",x\n", "frank,contractor|x;", RC_NOT_FOUND },
		{ "\"say \"\"hi\"\"\",x", "say \"hi\"|x;", RC_NOT_FOUND },
		{ "\"two\nlines\",x\ny", "two\nlines|x;y;", RC_NOT_FOUND },
		{ "a,,\n", "a||;", RC_NOT_FOUND },
		{ ",", "|;", RC_NOT_FOUND },
		{ "\"\",a", "|a;", RC_NOT_FOUND },
		{ "a\rb,c", "a\rb|c;", RC_NOT_FOUND },
		{ "a\n\"open", "a;", RC_INVALID },
		{ "\"x\"y,z", "xy|z;", RC_NOT_FOUND },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO(buf) struct buf out = BUF_INIT(1024);

		read_all(ROWS[i].text, &out, ROWS[i].end);
		assert_string_equal(buf_c(&out), ROWS[i].want);
	}
}

static void a_record_of_too_many_fields_or_bytes_is_a_limit(void **state)
{
	AUTO(buf) struct buf text = BUF_INIT(2 * CSV_ROW_MAX);
	AUTO(csv) struct csv c;
	AUTO(csv) struct csv d;

	for (int i = 0; i < CSV_FIELDS_MAX; i++)
		assert_int_equal(buf_put(&text, S("a,")), RC_OK);
	csv_init(&c, buf_str(&text));
	assert_int_equal(csv_next(&c), RC_LIMIT);
	buf_cut(&text, 0);
	for (int i = 0; i <= CSV_ROW_MAX; i++)
		assert_int_equal(buf_putc(&text, 'a'), RC_OK);
	csv_init(&d, buf_str(&text));
	assert_int_equal(csv_next(&d), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_and_fields_end_where_rfc_4180_says),
		cmocka_unit_test(a_record_of_too_many_fields_or_bytes_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
