/* Parameters as forms: the query protocol's lists, ec2's, and named elements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/aws/form.h"

static enum rc form(const char *params, bool flat, struct buf *out, struct err *err)
{
	AUTO_JSON json_t *j = NULL;

	assert_int_equal(json_parse(str_c(params), 32, &j, err), RC_OK);
	return form_put(out, j, flat, err);
}

static void lists_and_structures_become_dotted_names(void **state)
{
	static const struct {
		const char *params;
		bool flat;
		const char *expected;
	} CASES[] = {
		{ "{\"UserName\":\"a b+c\"}", false, "&UserName=a%20b%2Bc" },
		{ "{\"MaxItems\":1000,\"OnlyAttached\":true}", false,
		  "&MaxItems=1000&OnlyAttached=true" },
		{ "{\"Filter\":[\"User\",\"Group\"]}", false,
		  "&Filter.member.1=User&Filter.member.2=Group" },
		{ "{\"InstanceId\":[\"i-1\",\"i-2\"]}", true,
		  "&InstanceId.1=i-1&InstanceId.2=i-2" },
		{ "{\"Filter\":[{\"Name\":\"n\",\"Value\":[\"v\",\"w\"]}]}", true,
		  "&Filter.1.Name=n&Filter.1.Value.1=v&Filter.1.Value.2=w" },
		{ "{\"Filters:Filter\":[{\"Name\":\"n\",\"Values:Value\":[\"v\"]}]}", false,
		  "&Filters.Filter.1.Name=n&Filters.Filter.1.Values.Value.1=v" },
		{ "{\"A\":null,\"B\":[],\"C\":{\"D\":\"e\"}}", false, "&C.D=e" },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO(buf) struct buf out = BUF_INIT(4096);

		assert_int_equal(form(CASES[i].params, CASES[i].flat, &out, NULL), RC_OK);
		assert_string_equal(buf_c(&out), CASES[i].expected);
	}
}

static void what_a_form_cannot_carry_is_refused(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(4096);
	AUTO(buf) struct buf small = BUF_INIT(8);
	struct err err = { 0 };

	assert_int_equal(form("{\"A\":1.5}", false, &out, &err), RC_INVALID);
	assert_int_equal(form("{\"A\":\"0123456789\"}", false, &small, NULL), RC_LIMIT);
	assert_int_equal(form("{\"A\":[[[[[[[[[[1]]]]]]]]]]}", false, &out, NULL), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_structures_become_dotted_names),
		cmocka_unit_test(what_a_form_cannot_carry_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
