/* Operations with parameters as HTTP requests, in every protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/iam.h"
#include "base/mem.h"
#include "workers/aws/request.h"

static const struct endpoint IAM = {
	.base = "https://iam.amazonaws.com",
	.host = "iam.amazonaws.com",
	.region = "us-east-1",
	.signing_name = "iam",
};
static const struct endpoint S3 = {
	.base = "https://s3.eu-west-1.amazonaws.com",
	.host = "s3.eu-west-1.amazonaws.com",
	.region = "eu-west-1",
	.signing_name = "s3",
};

static const struct aws_op KMS_LIST = {
	.service = "kms",
	.proto = AWS_JSON11,
	.action = "ListKeys",
	.target = "TrentService",
	.next_in = "Marker",
	.limit_in = "Limit",
	.limit = 100,
};
static const struct aws_op TAGS = {
	.service = "lambda",
	.proto = AWS_REST_JSON,
	.action = "ListTags",
	.method = "GET",
	.path = "/2017-03-31/tags/{Resource}",
};
static const struct aws_op AGENTS = {
	.service = "bedrock-agent",
	.proto = AWS_REST_JSON,
	.action = "ListAgents",
	.path = "/agents/",
	.limit_in = "maxResults",
	.limit = 100,
};
static const struct aws_op POLICY = {
	.service = "s3",
	.proto = AWS_REST_XML,
	.action = "GetBucketPolicy",
	.method = "GET",
	.path = "/{Bucket}?policy",
};
static const struct aws_op OBJECTS = {
	.service = "s3",
	.proto = AWS_REST_XML,
	.action = "ListObjectsV2",
	.method = "GET",
	.path = "/{Bucket}?list-type=2",
};
static const struct aws_op OBJECT = {
	.service = "s3",
	.proto = AWS_REST_XML,
	.action = "GetObject",
	.method = "GET",
	.path = "/{Bucket}/{Key+}",
};

static enum rc build(struct request *r, const struct aws_op *op, const struct endpoint *e,
		     const char *params, const char *token, struct err *err)
{
	AUTO_JSON json_t *j = NULL;

	if (params != NULL)
		assert_int_equal(json_parse(str_c(params), 8, &j, NULL), RC_OK);
	return request_build(r, op, e, j, token, err);
}

static const char *header(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->headers_n; i++)
		if (str_eq(r->headers[i].name, str_c(name)))
			return r->headers[i].value.p;
	return "";
}

static void every_protocol_has_its_form(void **state)
{
	static const struct {
		const struct aws_op *op;
		const struct endpoint *e;
		const char *params, *token, *method, *url, *body, *content_type;
	} CASES[] = {
		{ &IAM_LIST_USERS, &IAM, NULL, NULL, "POST", "https://iam.amazonaws.com/",
		  "Action=ListUsers&Version=2010-05-08&MaxItems=1000",
		  "application/x-www-form-urlencoded; charset=utf-8" },
		{ &IAM_LIST_USERS, &IAM, "{\"MaxItems\":5}", "a/b", "POST",
		  "https://iam.amazonaws.com/",
		  "Action=ListUsers&Version=2010-05-08&MaxItems=5&Marker=a%2Fb",
		  "application/x-www-form-urlencoded; charset=utf-8" },
		{ &KMS_LIST, &IAM, NULL, NULL, "POST", "https://iam.amazonaws.com/",
		  "{\"Limit\":100}", "application/x-amz-json-1.1" },
		{ &TAGS, &IAM, "{\"Resource\":\"arn:aws:lambda:r:1:function:f\"}", NULL, "GET",
		  "https://iam.amazonaws.com/2017-03-31/tags/"
		  "arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Af",
		  "", "" },
		{ &AGENTS, &IAM, NULL, NULL, "POST", "https://iam.amazonaws.com/agents/",
		  "{\"maxResults\":100}", "application/json" },
		{ &POLICY, &S3, "{\"Bucket\":\"b.c\"}", NULL, "GET",
		  "https://s3.eu-west-1.amazonaws.com/b.c?policy", "", "" },
		{ &OBJECTS, &S3, "{\"Bucket\":\"b\",\"prefix\":\"a/é\"}", NULL, "GET",
		  "https://s3.eu-west-1.amazonaws.com/b?list-type=2&prefix=a%2F%C3%A9", "", "" },
		{ &OBJECT, &S3, "{\"Bucket\":\"b\",\"Key\":\"a/../c d\"}", NULL, "GET",
		  "https://s3.eu-west-1.amazonaws.com/b/a/../c%20d", "", "" },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO(request) struct request r = { 0 };

		assert_int_equal(
			build(&r, CASES[i].op, CASES[i].e, CASES[i].params, CASES[i].token, NULL),
			RC_OK);
		assert_string_equal(r.method, CASES[i].method);
		assert_string_equal(buf_c(&r.url), CASES[i].url);
		assert_string_equal(buf_c(&r.body), CASES[i].body);
		assert_string_equal(header(&r, "content-type"), CASES[i].content_type);
	}
}

static void a_json_call_names_its_target(void **state)
{
	AUTO(request) struct request r = { 0 };

	assert_int_equal(build(&r, &KMS_LIST, &IAM, NULL, NULL, NULL), RC_OK);
	assert_string_equal(header(&r, "x-amz-target"), "TrentService.ListKeys");
}

static void parameters_that_would_break_out_are_refused(void **state)
{
	AUTO(request) struct request r = { 0 };
	struct err err = { 0 };

	assert_int_equal(build(&r, &POLICY, &S3, "{}", NULL, &err), RC_INVALID);
	assert_string_equal(err.code, "missing_parameter");
	err_clear(&err);
	assert_int_equal(build(&r, &POLICY, &S3,
			       "{\"Bucket\":\"b\",\"x-amz-account-id\":\"1\\r\\nx: y\"}", NULL,
			       &err),
			 RC_INVALID);
	assert_int_equal(build(&r, &POLICY, &S3, "{\"Bucket\":\"../x?y#z\"}", NULL, NULL), RC_OK);
	assert_string_equal(buf_c(&r.url),
			    "https://s3.eu-west-1.amazonaws.com/..%2Fx%3Fy%23z?policy");
}

static void lines_carry_token_and_hash_and_end_in_the_signature(void **state)
{
	AUTO(request) struct request r = { 0 };
	AUTO(sigv4) struct sigv4 *signer = sigv4_new();
	AUTO(creds) struct creds *creds = creds_new(S("AKIA"), S("secret"), S("token"));
	AUTO(buf) struct buf lines = BUF_INIT(REQUEST_LINES_MAX);

	assert_int_equal(build(&r, &POLICY, &S3, "{\"Bucket\":\"b\",\"x-amz-account-id\":\"1\"}",
			       NULL, NULL),
			 RC_OK);
	assert_int_equal(request_sign(&r, &S3, creds, signer, 0, &lines, NULL), RC_OK);
	assert_true(str_has(buf_str(&lines), S("x-amz-security-token: token\n")));
	assert_true(str_has(buf_str(&lines), S("x-amz-content-sha256: e3b0c442")));
	assert_true(str_has(buf_str(&lines), S("host: s3.eu-west-1.amazonaws.com\n")));
	assert_true(str_has(buf_str(&lines),
			    S("SignedHeaders=host;x-amz-account-id;x-amz-content-sha256;x-amz-date;"
			      "x-amz-security-token, ")));
	assert_false(str_has(buf_str(&lines), S("secret:")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_its_form),
		cmocka_unit_test(a_json_call_names_its_target),
		cmocka_unit_test(parameters_that_would_break_out_are_refused),
		cmocka_unit_test(lines_carry_token_and_hash_and_end_in_the_signature),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
