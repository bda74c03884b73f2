/* Listings that end, and listings that never would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "workers/aws/page.h"

static const struct aws_op OP = {
	.action = "ListThings",
	.next_in = "Marker",
	.next_out = "Marker",
	.more = "IsTruncated",
};
static const struct aws_op TOKEN_ONLY = {
	.action = "ListThings",
	.next_in = "NextToken",
	.next_out = "NextToken",
};

static bool turn(struct page *p, const struct aws_op *op, const char *reply, bool *more,
		 struct aws_fault *fault)
{
	AUTO_JSON json_t *j = NULL;

	assert_int_equal(json_parse(str_c(reply), 8, &j, NULL), RC_OK);
	return page_next(p, op, j, more, fault);
}

static void a_listing_ends_when_its_token_does(void **state)
{
	struct page p = { 0 };
	struct aws_fault fault;
	bool more = false;

	/* Empty pages in the middle are not the end. */
	assert_true(turn(&p, &OP, "{\"Users\":[],\"IsTruncated\":\"true\",\"Marker\":\"a\"}", &more,
			 &fault));
	assert_true(more);
	assert_string_equal(p.token, "a");
	assert_true(turn(&p, &OP, "{\"IsTruncated\":true,\"Marker\":\"b\"}", &more, &fault));
	assert_true(more);
	/* A marker behind the end does not count when the flag says no. */
	assert_true(turn(&p, &OP, "{\"IsTruncated\":\"false\",\"Marker\":\"c\"}", &more, &fault));
	assert_false(more);
	assert_int_equal(p.pages, 3);
	page_done(&p);
}

static void without_a_flag_the_token_decides(void **state)
{
	struct page p = { 0 };
	struct aws_fault fault;
	bool more = false;

	assert_true(turn(&p, &TOKEN_ONLY, "{\"NextToken\":\"a\"}", &more, &fault));
	assert_true(more);
	assert_true(turn(&p, &TOKEN_ONLY, "{\"NextToken\":null}", &more, &fault));
	assert_false(more);
	page_done(&p);
}

static void pagers_that_lie_are_faults(void **state)
{
	static const char *const BAD[] = {
		"{\"IsTruncated\":\"true\"}",
		"{\"IsTruncated\":\"true\",\"Marker\":\"\"}",
		"{\"IsTruncated\":\"perhaps\"}",
		"{\"IsTruncated\":[\"false\",\"true\"],\"Marker\":\"a\"}",
		"{\"IsTruncated\":\"true\",\"Marker\":[\"a\",\"b\"]}",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct page p = { 0 };
		struct aws_fault fault = { 0 };
		bool more = false;

		assert_false(turn(&p, &OP, BAD[i], &more, &fault));
		assert_int_equal(fault.class, AWS_PAGER);
		page_done(&p);
	}
}

static void a_token_that_repeats_stops_at_once(void **state)
{
	struct page p = { 0 };
	struct aws_fault fault = { 0 };
	bool more = false;

	assert_true(turn(&p, &TOKEN_ONLY, "{\"NextToken\":\"a\"}", &more, &fault));
	assert_false(turn(&p, &TOKEN_ONLY, "{\"NextToken\":\"a\"}", &more, &fault));
	assert_string_equal(fault.code, "page_loop");
	page_done(&p);
}

/* Tokens a b c d a b c d ... : found after a few rounds with two tokens in memory. */
static void a_longer_cycle_is_found_too(void **state)
{
	struct page p = { 0 };
	struct aws_fault fault = { 0 };
	bool more = false;
	int pages = 0;

	for (; pages < 100; pages++) {
		AUTO_TEXT char *reply = mem_text("{\"NextToken\":\"t%d\"}", pages % 7);

		if (!turn(&p, &TOKEN_ONLY, reply, &more, &fault))
			break;
	}
	assert_true(pages <= 21);
	assert_string_equal(fault.code, "page_loop");
	page_done(&p);
}

static void the_number_of_pages_and_a_tokens_length_are_capped(void **state)
{
	struct page p = { 0 };
	struct aws_fault fault = { 0 };
	bool more = false;
	AUTO_JSON json_t *long_token = json_object();
	AUTO_TEXT char *big = mem_alloc(PAGE_TOKEN_MAX + 2);
	int pages = 0;

	for (;; pages++) {
		AUTO_TEXT char *reply = mem_text("{\"NextToken\":\"t%d\"}", pages);

		if (!turn(&p, &TOKEN_ONLY, reply, &more, &fault))
			break;
	}
	assert_int_equal(pages, AWS_PAGES_MAX - 1);
	assert_string_equal(fault.code, "page_limit");
	page_done(&p);

	memset(big, 'x', PAGE_TOKEN_MAX + 1);
	json_object_set_new(long_token, "NextToken", json_string(big));
	assert_false(page_next(&p, &TOKEN_ONLY, long_token, &more, &fault));
	assert_string_equal(fault.code, "page_token");
	page_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_ends_when_its_token_does),
		cmocka_unit_test(without_a_flag_the_token_decides),
		cmocka_unit_test(pagers_that_lie_are_faults),
		cmocka_unit_test(a_token_that_repeats_stops_at_once),
		cmocka_unit_test(a_longer_cycle_is_found_too),
		cmocka_unit_test(the_number_of_pages_and_a_tokens_length_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
