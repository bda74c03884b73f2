/* The rows: each one complete, known to the endpoint table, and compilable into a shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "aws/iam.h"
#include "base/str.h"
#include "workers/aws/endpoint.h"
#include "workers/aws/shape.h"

static void every_row_is_complete(void **state)
{
	size_t n = 0;

	for (const struct aws_op *op; (op = aws_op_at(n)) != NULL; n++) {
		struct shape shape;

		assert_non_null(op->action);
		assert_non_null(endpoint_service(op->service));
		if (op->proto == AWS_QUERY || op->proto == AWS_EC2)
			assert_non_null(op->version);
		if (op->proto == AWS_JSON10 || op->proto == AWS_JSON11)
			assert_non_null(op->target);
		if (op->proto == AWS_REST_JSON || op->proto == AWS_REST_XML)
			assert_non_null(op->path);
		assert_true((op->next_in == NULL) == (op->next_out == NULL));
		assert_true(op->limit_in == NULL || op->limit > 0);
		if (op->next_in != NULL)
			assert_non_null(op->lists);
		shape_compile(&shape, op->lists, op->xml_lists);
		assert_ptr_equal(aws_op_find(op->service, op->action), op);
	}
	assert_true(n > 30);
}

/* What is called is what is asked for: the permission's name follows from the row. */
static void every_row_names_its_permission(void **state)
{
	for (size_t i = 0; aws_op_at(i) != NULL; i++) {
		const struct aws_op *op = aws_op_at(i);
		struct str name = str_c(op->iam_action);

		if (op->anonymous || strcmp(op->action, "GetCallerIdentity") == 0) {
			assert_null(op->iam_action);
			continue;
		}
		assert_true(str_ends(name, str_c(op->action)));
		assert_int_equal(name.p[name.n - strlen(op->action) - 1], ':');
	}
}

static void iam_listings_ask_for_a_thousand(void **state)
{
	for (size_t i = 0; aws_op_at(i) != NULL; i++) {
		const struct aws_op *op = aws_op_at(i);

		if (strcmp(op->service, "iam") != 0 || op->next_in == NULL)
			continue;
		assert_string_equal(op->next_in, "Marker");
		assert_string_equal(op->more, "IsTruncated");
		assert_string_equal(op->limit_in, "MaxItems");
		assert_int_equal(op->limit, 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(every_row_names_its_permission),
		cmocka_unit_test(iam_listings_ask_for_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
