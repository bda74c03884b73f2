/* Answers: good ones, errors in every protocol's form, and bodies that are not what was promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/ec2.h"
#include "aws/iam.h"
#include "base/mem.h"
#include "base/text.h"
#include "workers/aws/reply.h"

static const struct aws_op JSON_OP = {
	.service = "kms",
	.proto = AWS_JSON11,
	.action = "ListKeys",
	.drop = "Secret",
};
static const struct aws_op REST_OP = {
	.service = "s3",
	.proto = AWS_REST_XML,
	.action = "GetBucketAcl",
	.method = "GET",
	.xml_lists = "AccessControlList:Grant",
};

static bool answer(const struct aws_op *op, const char *head, struct str body, json_t **ret,
		   struct aws_fault *fault)
{
	struct reply r = { 0 };
	struct str lines = str_c(head);
	bool good;

	reply_start(&r, op);
	while (lines.n > 0)
		assert_true(reply_head(&r, str_cut(&lines, '\n')));
	assert_true(reply_body(&r, body));
	good = reply_end(&r, ret, fault);
	reply_done(&r);
	return good;
}

#define OK_HEAD "HTTP/1.1 200 OK\nx-amzn-RequestId: req-1\n"
#define PAGE                                                                                       \
	"<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult>" \
	"<IsTruncated>false</IsTruncated><Users><member><UserName>alice</UserName>"                \
	"<Arn>arn:aws:iam::111122223333:user/alice</Arn></member></Users></ListUsersResult>"       \
	"<ResponseMetadata><RequestId>req-2</RequestId></ResponseMetadata></ListUsersResponse>"

static void the_content_of_the_result_is_the_reply(void **state)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_TEXT char *text = NULL;
	struct aws_fault fault;

	assert_true(answer(&IAM_LIST_USERS, OK_HEAD, S(PAGE), &j, &fault));
	assert_int_equal(fault.class, AWS_OK);
	text = json_text(j);
	assert_string_equal(text,
			    "{\"IsTruncated\":\"false\",\"Users\":[{\"Arn\":\"arn:aws:iam::"
			    "111122223333:user/alice\",\"Tags\":[],\"UserName\":\"alice\"}]}");
}

/* Half a page read as a whole one would delete the other half of an inventory. */
static void a_page_cut_anywhere_is_never_a_good_page(void **state)
{
	const size_t whole = sizeof(PAGE) - 1;

	for (size_t n = 0; n < whole; n++) {
		AUTO_JSON json_t *j = NULL;
		struct aws_fault fault;

		if (answer(&IAM_LIST_USERS, OK_HEAD, str_n(PAGE, n), &j, &fault))
			fail_msg("taken after %zu of %zu bytes", n, whole);
		assert_int_equal(fault.class, AWS_TRANSIENT);
		assert_string_equal(fault.code, "unparsable_reply");
	}
}

static void bodies_of_another_kind_are_transient(void **state)
{
	static const char *const BAD[] = {
		"",
		"Internal Failure",
		"<html><body>busy</body></html>",
		"<ListRolesResponse><ListRolesResult/></ListRolesResponse>",
		"<ListUsersResponse/>",
		("<ListUsersResponse><ListUsersResult>x</ListUsersResult><ListUsersResult/>"
		 "</ListUsersResponse>"),
		"{\"Users\":[]}",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO_JSON json_t *j = NULL;
		struct aws_fault fault;

		if (answer(&IAM_LIST_USERS, OK_HEAD, str_c(BAD[i]), &j, &fault))
			fail_msg("taken: %s", BAD[i]);
		assert_int_equal(fault.class, AWS_TRANSIENT);
		assert_null(j);
	}
}

static const struct {
	const struct aws_op *op;
	const char *head;
	const char *body;
	enum aws_class class;
	const char *code, *message, *request_id;
} ERRORS[] = {
	{ &IAM_LIST_USERS, "HTTP/1.1 403 F\n",
	  "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is "
	  "not "
	  "authorized because no identity-based policy allows it</Message></Error><RequestId>r-1"
	  "</RequestId></ErrorResponse>",
	  AWS_DENIED, "AccessDenied",
	  "User: x is not authorized because no identity-based policy allows it", "r-1" },
	{ &EC2_DESCRIBE_REGIONS, "HTTP/1.1 403 F\n",
	  "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error>"
	  "</Errors><RequestID>r-2</RequestID></Response>",
	  AWS_DENIED, "UnauthorizedOperation", "m", "r-2" },
	{ &REST_OP, "HTTP/1.1 404 N\nx-amz-request-id: r-3\n",
	  "<Error><Code>NoSuchBucket</Code><Message>m</Message><RequestId>other</RequestId></"
	  "Error>",
	  AWS_NOT_FOUND, "NoSuchBucket", "m", "r-3" },
	{ &REST_OP, "HTTP/1.1 200 OK\n",
	  "<Error><Code>InternalError</Code><Message>m</Message></Error>", AWS_TRANSIENT,
	  "InternalError", "m", "" },
	{ &JSON_OP, "HTTP/1.1 400 B\nx-amzn-RequestId: r-4\n",
	  "{\"__type\":\"com.amazonaws.kms#ThrottlingException:http://x/\",\"Message\":\"m\"}",
	  AWS_THROTTLED, "ThrottlingException", "m", "r-4" },
	{ &JSON_OP, "HTTP/1.1 400 B\nx-amzn-ErrorType: AccessDeniedException:http://x/\n", "{}",
	  AWS_DENIED, "AccessDeniedException", "", "" },
	{ &JSON_OP, "HTTP/1.1 400 B\nx-amzn-errortype: AccessDeniedException\n", "not json",
	  AWS_DENIED, "AccessDeniedException", "", "" },
	{ &JSON_OP, "HTTP/1.1 500 E\n", "oops", AWS_TRANSIENT, "http_500", "", "" },
	{ &IAM_LIST_USERS, "HTTP/1.1 500 E\n", "Internal Failure", AWS_TRANSIENT, "http_500", "",
	  "" },
	{ &JSON_OP, "HTTP/1.1 404 N\n", "<html>", AWS_UNSUPPORTED, "http_404", "", "" },
	{ &IAM_LIST_USERS, "HTTP/1.1 301 M\n", "", AWS_BAD_REQUEST, "http_301", "", "" },
};

static void errors_of_every_protocol_are_read(void **state)
{
	for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
		AUTO_JSON json_t *j = NULL;
		struct aws_fault fault;

		assert_false(
			answer(ERRORS[i].op, ERRORS[i].head, str_c(ERRORS[i].body), &j, &fault));
		assert_string_equal(fault.code, ERRORS[i].code);
		assert_int_equal(fault.class, ERRORS[i].class);
		assert_string_equal(fault.message, ERRORS[i].message);
		assert_string_equal(fault.request_id, ERRORS[i].request_id);
		assert_ptr_equal(fault.op, ERRORS[i].op);
	}
}

static void a_denial_keeps_its_cause(void **state)
{
	AUTO_JSON json_t *j = NULL;
	struct aws_fault fault;

	assert_false(answer(ERRORS[0].op, ERRORS[0].head, str_c(ERRORS[0].body), &j, &fault));
	assert_string_equal(fault.deny_cause, "implicit");
}

static void json_replies_are_whole_or_nothing(void **state)
{
	static const char text[] =
		"{\"Keys\":[{\"KeyId\":\"a\",\"Secret\":\"s\"}],\"Truncated\":false}";
	AUTO_JSON json_t *j = NULL;
	AUTO_TEXT char *got = NULL;
	struct aws_fault fault;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		AUTO_JSON json_t *half = NULL;

		assert_false(answer(&JSON_OP, OK_HEAD, str_n(text, n), &half, &fault));
		assert_int_equal(fault.class, AWS_TRANSIENT);
	}
	assert_true(answer(&JSON_OP, OK_HEAD, str_n(text, sizeof(text) - 1), &j, &fault));
	got = json_text(j);
	assert_string_equal(got, "{\"Keys\":[{\"KeyId\":\"a\"}],\"Truncated\":false}");
}

static void heads_are_read_and_bounded(void **state)
{
	struct reply r = { 0 };
	int n = 0;

	reply_start(&r, &JSON_OP);
	assert_true(reply_head(&r, S("HTTP/1.1 100 Continue\r\n")));
	assert_true(reply_head(&r, S("x-amz-retry-after: 7\r\n")));
	assert_true(reply_head(&r, S("HTTP/1.1 429 Too\r\n")));
	assert_int_equal(r.status, 429);
	assert_int_equal(r.retry_after_ms, -1);
	assert_true(reply_head(&r, S("X-Amz-Retry-After: 1500\r\n")));
	assert_true(reply_head(&r, S("Date: Tue, 24 Nov 2026 07:32:27 GMT\r\n")));
	assert_int_equal(r.retry_after_ms, 1500);
	assert_int_equal(r.date_wall / INT64_C(1000000000), 1795505547);
	assert_true(reply_head(&r, S("Date: yesterday\r\n")));
	assert_int_equal(r.date_wall, 0);
	while (reply_head(&r, S("X: y\r\n")))
		n++;
	assert_true(n < REPLY_LINES_MAX);
	assert_non_null(r.cut);
	reply_done(&r);
}

static void messages_are_cleaned_and_bounded(void **state)
{
	AUTO_JSON json_t *j = NULL;
	struct aws_fault fault;
	AUTO(buf) struct buf body = BUF_INIT(1 << 16);

	assert_int_equal(buf_put(&body, S("{\"__type\":\"X\",\"message\":\"a\\nb")), RC_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_put(&body, S("é")), RC_OK);
	assert_int_equal(buf_put(&body, S("\"}")), RC_OK);
	assert_false(answer(&JSON_OP, "HTTP/1.1 400 B\n", buf_str(&body), &j, &fault));
	assert_true(str_starts(str_c(fault.message), S("a bé")));
	assert_true(strlen(fault.message) < AWS_MESSAGE_MAX);
	assert_true(text_is_utf8(str_c(fault.message)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_content_of_the_result_is_the_reply),
		cmocka_unit_test(a_page_cut_anywhere_is_never_a_good_page),
		cmocka_unit_test(bodies_of_another_kind_are_transient),
		cmocka_unit_test(errors_of_every_protocol_are_read),
		cmocka_unit_test(a_denial_keeps_its_cause),
		cmocka_unit_test(json_replies_are_whole_or_nothing),
		cmocka_unit_test(heads_are_read_and_bounded),
		cmocka_unit_test(messages_are_cleaned_and_bounded),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
