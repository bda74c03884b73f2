/* AWS's names: each rule broken once, by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/awsname.h"
#include "base/buf.h"

/* A literal with its length, in a table. */
#define L(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

#define A   "arn:aws:iam::123456789012:role/"
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static void good_roles_are_taken_apart(void **state)
{
	static const struct {
		const char *arn, *partition, *resource;
	} GOOD[] = {
		{ A "R", "aws", "role/R" },
		{ A "path/to/R", "aws", "role/path/to/R" },
		{ A "R_+=,.@-9", "aws", "role/R_+=,.@-9" },
		{ A X64, "aws", "role/" X64 },
		{ A "a!$()/R", "aws", "role/a!$()/R" },
		{ "arn:aws-cn:iam::123456789012:role/R", "aws-cn", "role/R" },
		{ "arn:aws-us-gov:iam::123456789012:role/R", "aws-us-gov", "role/R" },
		{ "arn:aws-eusc:iam::123456789012:role/R", "aws-eusc", "role/R" },
	};

	for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
		struct awsname_arn arn = { 0 };
		struct err err = { 0 };

		assert_int_equal(awsname_role_check(str_c(GOOD[i].arn), &arn, &err), RC_OK);
		assert_true(str_eq(arn.partition, str_c(GOOD[i].partition)));
		assert_true(str_eq(arn.service, S("iam")));
		assert_int_equal(arn.region.n, 0);
		assert_true(str_eq(arn.account, S("123456789012")));
		assert_true(str_eq(arn.resource, str_c(GOOD[i].resource)));
		assert_int_equal(err.rc, RC_OK);
	}
	struct awsname_arn arn = { 0 };
	assert_int_equal(awsname_role_check(S("arn:aws:iam::012345678901:role/R"), &arn, NULL),
			 RC_OK);
}

/* What is wrong, and the words by which the sentence says so. */
static const struct {
	struct str arn;
	const char *says;
} BAD_ROLES[] = {
	{ L(""), "empty" },
	{ L("arn"), "six parts" },
	{ L("arn:aws:iam::123456789012"), "six parts" },
	{ L("role/R"), "six parts" },
	{ L("ARN:aws:iam::123456789012:role/R"), "six parts" },
	{ L(A), "name is missing" },
	{ L("arn:aws:iam::123456789012:role"), "must have role/" },
	{ L("arn:aws:iam::123456789012:"), "must have role/" },
	{ L("arn:aws:iam::123456789012:Role/R"), "must have role/" },
	{ L("arn:aws:iam::123456789012:user/R"), "names a user" },
	{ L("arn:aws:iam::123456789012:root"), "names a user" },
	{ L("arn:aws:sts::123456789012:assumed-role/R/s"), "session" },
	{ L("arn:aws:s3::123456789012:role/R"), "service must be iam" },
	{ L("arn:aws:IAM::123456789012:role/R"), "service must be iam" },
	{ L("arn:aws:iam:us-east-1:123456789012:role/R"), "no region" },
	{ L("arn:aws:iam::12345678901:role/R"), "12 digits" },
	{ L("arn:aws:iam::1234567890123:role/R"), "12 digits" },
	{ L("arn:aws:iam::12345678901a:role/R"), "12 digits" },
	{ L("arn:aws:iam::000000000000:role/R"), "12 digits" },
	{ L("arn:aws:iam::*:role/*"), "12 digits" },
	{ L("arn:aws:iam::aws:role/R"), "12 digits" },
	{ L("arn:aws:iam:::role/R"), "12 digits" },
	{ L("arn:AWS:iam::123456789012:role/R"), "partition" },
	{ L("arn:awsx:iam::123456789012:role/R"), "partition" },
	{ L("arn::iam::123456789012:role/R"), "partition" },
	{ L("arn:*:iam::123456789012:role/R"), "partition" },
	{ L(A "../R"), "'.' or '..'" },
	{ L(A "./R"), "'.' or '..'" },
	{ L(A "/R"), "empty segment" },
	{ L(A "a//R"), "empty segment" },
	{ L(A "R/"), "name is missing" },
	{ L(A "R%00x"), "letters, digits" },
	{ L(A "R?x=1"), "letters, digits" },
	{ L(A "R#x"), "letters, digits" },
	{ L(A "R:extra"), "letters, digits" },
	{ L(A "R*"), "letters, digits" },
	{ L(A "a*/R"), "path has a character" },
	{ L(A "a:b/R"), "path has a character" },
	{ L(A "a%2f/R"), "path has a character" },
	{ L(A "R\n"), "a space" },
	{ L(A "R "), "a space" },
	{ L(" " A "R"), "a space" },
	{ L(A "R\0:evil"), "a control character" },
	{ L(A "R\xc3\xa9"), "not ASCII" },
	{ L("arn:aws:iam::\xef\xbc\x91\xef\xbc\x92:role/R"), "not ASCII" },
	{ L(A X64 "x"), "longer than 64" },
};

static void bad_roles_are_refused_with_the_rule(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_ROLES); i++) {
		struct awsname_arn arn = { 0 };
		struct err err = { 0 };

		assert_int_equal(awsname_role_check(BAD_ROLES[i].arn, &arn, &err), RC_INVALID);
		assert_string_equal(err.code, "invalid_role_arn");
		if (!strstr(err.text, BAD_ROLES[i].says))
			print_error("%.*s: %s\n", STR_FMT(BAD_ROLES[i].arn), err.text);
		assert_non_null(strstr(err.text, BAD_ROLES[i].says));
		assert_string_equal(err.field, "");
		assert_null(arn.partition.p);
	}
}

static struct str role_with_path(struct buf *b, size_t path_length, const char *name)
{
	buf_cut(b, 0);
	assert_int_equal(buf_put(b, S(A)), RC_OK);
	for (size_t i = 2; i < path_length; i++)
		assert_int_equal(buf_putc(b, 'p'), RC_OK);
	assert_int_equal(buf_printf(b, "/%s", name), RC_OK);
	return buf_str(b);
}

/* IAM counts the slash in front and the one behind. */
static void path_and_whole_arn_have_their_limits(void **state)
{
	AUTO(buf) struct buf b = BUF_INIT(4096);
	struct awsname_arn arn = { 0 };
	struct err err = { 0 };

	assert_int_equal(awsname_role_check(role_with_path(&b, 512, X64), &arn, NULL), RC_OK);
	assert_int_equal(awsname_role_check(role_with_path(&b, 513, "R"), &arn, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "512"));
	err_clear(&err);
	assert_int_equal(awsname_role_check(role_with_path(&b, 2048, "R"), &arn, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "2048"));
}

static void service_linked_role_has_a_code_of_its_own(void **state)
{
	struct awsname_arn arn = { 0 };
	struct err err = { 0 };

	assert_int_equal(awsname_role_check(S(A "aws-service-role/x.amazonaws.com/"
						"AWSServiceRoleForX"),
					    &arn, &err),
			 RC_INVALID);
	assert_string_equal(err.code, "service_linked_role");
	assert_int_equal(awsname_role_check(S(A "my-aws-service-role/R"), &arn, NULL), RC_OK);
}

static void arn_needs_six_parts_and_a_known_partition(void **state)
{
	struct awsname_arn arn = { 0 };

	assert_int_equal(awsname_arn_parse(S("arn:aws:s3:::b/key:with:colons"), &arn), RC_OK);
	assert_true(str_eq(arn.resource, S("b/key:with:colons")));
	assert_true(str_eq(arn.service, S("s3")));
	assert_int_equal(arn.account.n, 0);
	assert_int_equal(awsname_arn_parse(S("arn:aws-iso-b:ec2:us-isob-east-1:1:vpc/x"), &arn),
			 RC_OK);
	assert_true(str_eq(arn.region, S("us-isob-east-1")));
	assert_int_equal(awsname_arn_parse(S("arn:aws:s3::b"), &arn), RC_INVALID);
	assert_int_equal(awsname_arn_parse(S("arn:awsx:s3:::b"), &arn), RC_INVALID);
	assert_int_equal(awsname_arn_parse(S("urn:aws:s3:::b"), &arn), RC_INVALID);
	assert_int_equal(awsname_arn_parse(S(""), &arn), RC_INVALID);
}

static const struct str BAD_REGIONS[] = {
	L(""),
	L("x@attacker.com:443/#"),
	L("us-east-1\n"),
	L("us-east-1\0"),
	L("us-east-\xd9\xa1"),
	L("us-east-1.evil.com"),
	L("us-east-1/"),
	L("us-east-1?"),
	L("us-east-1#"),
	L("us-east-1%2eevil"),
	L("../"),
	L("169.254.169.254"),
	L("localhost"),
	L("US-EAST-1"),
	L("us-east-1 "),
	L(" us-east-1"),
	L("-us"),
	L("us-"),
	L("us-east-"),
	L("us-east-11"),
	L(X64 "x"),
	L("aws-global"),
	L("fips-us-east-1"),
	L("xn--us-east-1"),
};

static void region_is_in_the_table_byte_by_byte(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_REGIONS); i++)
		assert_null(awsname_region(BAD_REGIONS[i]));
	assert_string_equal(awsname_region(S("us-east-1"))->name, "us-east-1");
	assert_false(awsname_region(S("us-east-1"))->opt_in);
	assert_true(awsname_region(S("il-central-1"))->opt_in);
	assert_string_equal(awsname_region(S("cn-north-1"))->partition->dns_suffix,
			    "amazonaws.com.cn");
}

static void table_of_regions_is_whole(void **state)
{
	static const struct {
		const char *partition, *global_region;
		int regions;
	} WANT[] = {
		{ "aws", "us-east-1", 34 },           { "aws-cn", "cn-northwest-1", 2 },
		{ "aws-us-gov", "us-gov-west-1", 2 }, { "aws-eusc", "eusc-de-east-1", 1 },
		{ "aws-iso", "us-iso-east-1", 2 },    { "aws-iso-b", "us-isob-east-1", 2 },
		{ "aws-iso-e", "eu-isoe-west-1", 1 }, { "aws-iso-f", "us-isof-south-1", 2 },
	};
	const struct awsname_region *r = NULL;
	int opt_in = 0, total = 0;

	for (size_t i = 0; i < COUNT_OF(WANT); i++) {
		const struct awsname_partition *p = awsname_partition(str_c(WANT[i].partition));
		int n = 0;

		assert_non_null(p);
		assert_string_equal(p->global_region, WANT[i].global_region);
		assert_ptr_equal(awsname_region(str_c(p->global_region))->partition, p);
		for (size_t k = 0; (r = awsname_region_at(k)); k++)
			n += r->partition == p;
		assert_int_equal(n, WANT[i].regions);
		total += n;
	}
	for (size_t k = 0; (r = awsname_region_at(k)); k++) {
		assert_ptr_equal(awsname_region(str_c(r->name)), r); /* no name twice */
		opt_in += r->opt_in;
		total--;
	}
	assert_int_equal(opt_in, 17);
	assert_int_equal(total, 0);
	assert_null(awsname_partition(S("AWS")));
	assert_null(awsname_partition(S("")));
	assert_null(awsname_region_at(SIZE_MAX));
}

struct verdict {
	struct str name;
	bool good;
};

static void judge(const struct verdict *cases, size_t n, bool (*is)(struct str s))
{
	for (size_t i = 0; i < n; i++) {
		if (is(cases[i].name) != cases[i].good)
			print_error("\"%.*s\"\n", STR_FMT(cases[i].name));
		assert_int_equal(is(cases[i].name), cases[i].good);
	}
}

static void account_is_twelve_ascii_digits(void **state)
{
	static const struct verdict CASES[] = {
		{ L("123456789012"), true },
		{ L("012345678901"), true },
		{ L("000000000000"), false },
		{ L(""), false },
		{ L("123"), false },
		{ L("1234567890123"), false },
		{ L("0123456789 1"), false },
		{ L("-12345678901"), false },
		{ L("1e11"), false },
		{ L("\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6"), false },
		{ L("12345678901\0"), false },
		{ L("123456789012\0"), false },
		{ L("123456789012\n"), false },
		{ L("12345678901a"), false },
	};

	judge(CASES, COUNT_OF(CASES), awsname_is_account);
}

static void organization_is_o_and_10_to_32_lower_case(void **state)
{
	static const struct verdict CASES[] = {
		{ L("o-abcdefghij"), true },
		{ L("o-0123456789"), true },
		{ L("o-abcdefghijabcdefghijabcdefghij12"), true },
		{ L("o-abcdefghijabcdefghijabcdefghij123"), false },
		{ L("o-abcdefghi"), false },
		{ L("O-abcdefghij"), false },
		{ L("o-ABCDEFGHIJ"), false },
		{ L("o-ABC"), false },
		{ L("o-abcdefghi-"), false },
		{ L("o-abcdefghij\n"), false },
		{ L("o-abcdefghij\0"), false },
		{ L(""), false },
		{ L("r-abcdefghij"), false },
	};

	judge(CASES, COUNT_OF(CASES), awsname_is_organization);
}

/* ASIA is a temporary key: it would stop working within hours. */
static void access_key_is_akia_and_upper_case(void **state)
{
	static const struct verdict CASES[] = {
		{ L("AKIAIOSFODNN7EXAMPLE"), true },   { L("AKIA123456789012"), true },
		{ L("AKIA12345678901"), false },       { L("ASIAIOSFODNN7EXAMPLE"), false },
		{ L("akiaiosfodnn7example"), false },  { L("AKIAIOSFODNN7EXAMPLe"), false },
		{ L("AKIAIOSFODNN7EXAMPL\n"), false }, { L("AKIAIOSFODNN7EXAMPL\0"), false },
		{ L("AKIAIOSFODNN7 XAMPLE"), false },  { L(""), false },
	};
	char longest[129];

	judge(CASES, COUNT_OF(CASES), awsname_is_access_key);
	memset(longest, 'A', sizeof(longest));
	memcpy(longest, "AKIA", 4);
	assert_true(awsname_is_access_key(str_n(longest, 128)));
	assert_false(awsname_is_access_key(str_n(longest, 129)));
}

static void bucket_follows_the_naming_rules(void **state)
{
	static const struct verdict CASES[] = {
		{ L("abc"), true },
		{ L("my-bucket.with.dots-1"), true },
		{ L("aws-cloudtrail-logs-123456789012-0a1b2c3d"), true },
		{ L("1.2.3"), true },
		{ L("1.2.3.4.5"), true },
		{ L("a"), false },
		{ L("ab"), false },
		{ L(""), false },
		{ L(X16 X16 X16 "xxxxxxxxxxxxxxx"), true },
		{ L(X64), false },
		{ L("Aa"), false },
		{ L("Abc"), false },
		{ L("a..b"), false },
		{ L("a.-b"), false },
		{ L("a-.b"), false },
		{ L("-ab"), false },
		{ L("ab-"), false },
		{ L(".ab"), false },
		{ L("ab."), false },
		{ L("192.168.0.1"), false },
		{ L("xn--a"), false },
		{ L("sthree-a"), false },
		{ L("amzn-s3-demo-a"), false },
		{ L("a-s3alias"), false },
		{ L("a--ol-s3"), false },
		{ L("a--x-s3"), false },
		{ L("a.mrap"), false },
		{ L("x/y"), false },
		{ L("x?y"), false },
		{ L("x%2fy"), false },
		{ L("a_b"), false },
		{ L("a b"), false },
		{ L("abc\n"), false },
		{ L("ab\0c"), false },
		{ { "b\xc3\xbc"
		    "b",
		    4 },
		  false },
		{ L("bucket.s3.amazonaws.com"), false },
		{ L("arn:aws:s3:::b"), false },
	};

	judge(CASES, COUNT_OF(CASES), awsname_is_bucket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_roles_are_taken_apart),
		cmocka_unit_test(bad_roles_are_refused_with_the_rule),
		cmocka_unit_test(path_and_whole_arn_have_their_limits),
		cmocka_unit_test(service_linked_role_has_a_code_of_its_own),
		cmocka_unit_test(arn_needs_six_parts_and_a_known_partition),
		cmocka_unit_test(region_is_in_the_table_byte_by_byte),
		cmocka_unit_test(table_of_regions_is_whole),
		cmocka_unit_test(account_is_twelve_ascii_digits),
		cmocka_unit_test(organization_is_o_and_10_to_32_lower_case),
		cmocka_unit_test(access_key_is_akia_and_upper_case),
		cmocka_unit_test(bucket_follows_the_naming_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
