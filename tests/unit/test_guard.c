/* The guard judges heads as data; the bytes on the wire are in tests/system/test_api_guard.py. */
#include "server/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LINES_MAX = 4 };

struct sample {
	const char *method, *target, *version;
	const char *lines[LINES_MAX][2];
	int status;
};

static int judge(const struct sample *c)
{
	struct guard_header headers[LINES_MAX];
	struct guard_head head = { .method = str_c(c->method),
				   .target = str_c(c->target ? c->target : "/x"),
				   .version = str_c(c->version ? c->version : "HTTP/1.1"),
				   .headers = headers };

	while (head.n < LINES_MAX && c->lines[head.n][0]) {
		headers[head.n].name = str_c(c->lines[head.n][0]);
		headers[head.n].value = str_c(c->lines[head.n][1]);
		head.n++;
	}
	return guard_judge(&head).status;
}

static const struct sample HEADS[] = {
	{ "GET", NULL, NULL, { { "Host", "a" } }, 0 },
	{ "GET", NULL, "HTTP/1.0", { { "X-A", "tab\tis fine" } }, 0 },
	{ "POST", NULL, NULL, { { "host", "a" }, { "content-length", "3" } }, 0 },
	{ "POST", NULL, NULL, { { "Host", "a" }, { "Expect", "100-Continue" } }, 0 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "X-A", "caf\xc3\xa9" } }, 0 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "Content-Length", "0" } }, 0 },
	{ "GET", NULL, NULL, { { "X-A", "a" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "HOST", "b" } }, 400 },
	{ "POST",
	  NULL,
	  NULL,
	  { { "Host", "a" }, { "Content-Length", "1" }, { "content-length", "1" } },
	  400 },
	{ "POST",
	  NULL,
	  NULL,
	  { { "Host", "a" }, { "Content-Length", "1" }, { "Transfer-Encoding", "chunked" } },
	  400 },
	{ "POST",
	  NULL,
	  NULL,
	  { { "Host", "a" }, { "Content-Length", "" }, { "Transfer-Encoding", "" } },
	  400 },
	{ "POST", NULL, NULL, { { "Host", "a" }, { "Transfer-Encoding", "chunked" } }, 411 },
	{ "POST", NULL, NULL, { { "Host", "a" }, { "Transfer-Encoding", "" } }, 501 },
	{ "POST", NULL, NULL, { { "Host", "a" }, { "Transfer-Encoding", "xchunked" } }, 501 },
	{ "POST", NULL, "HTTP/1.0", { { "Transfer-Encoding", "chunked" } }, 400 },
	{ "POST", NULL, NULL, { { "Host", "a" }, { "Content-Length", "+1" } }, 400 },
	{ "POST",
	  NULL,
	  NULL,
	  { { "Host", "a" }, { "Content-Length", "18446744073709551616" } },
	  400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "Content-Length", "1" } }, 400 },
	{ "DELETE", NULL, NULL, { { "Host", "a" }, { "Content-Length", "1" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "Bad Name", "x" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "", "x" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "Transfer-Encoding ", "chunked" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "X-A", "a\x01" } }, 400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "X-A", "a\x7f" } }, 400 },
	{ "GET",
	  NULL,
	  NULL,
	  { { "Host", "a" }, { "Authorization", "x" }, { "authorization", "y" } },
	  400 },
	{ "GET", NULL, NULL, { { "Host", "a" }, { "Expect", "200-junk" } }, 417 },
};

static const struct sample TARGETS[] = {
	{ "GET", "/", NULL, { { "Host", "a" } }, 0 },
	{ "GET", "/v1/a-b_c~d.e", NULL, { { "Host", "a" } }, 0 },
	{ "GET", "/v1/...", NULL, { { "Host", "a" } }, 0 },
	{ "GET", "/v1?a=%2f&b=//..", NULL, { { "Host", "a" } }, 0 },
	{ "GET", "", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "*", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "x", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "http://a/x", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "//x", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a//b", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a/", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a/../b", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a/.", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a%2fb", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a\\b", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a;b", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a?b=%00", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a?b=c d", NULL, { { "Host", "a" } }, 400 },
	{ "GET", "/a?b#c", NULL, { { "Host", "a" } }, 400 },
};

static void heads_that_two_parties_could_read_differently_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(HEADS); i++)
		assert_int_equal(judge(&HEADS[i]), HEADS[i].status);
}

static void only_plain_paths_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(TARGETS); i++)
		assert_int_equal(judge(&TARGETS[i]), TARGETS[i].status);
}

static void too_many_lines_are_refused_unread(void **state)
{
	const struct guard_head head = { .target = S("/x"), .headers_cut = true };

	(void)state;
	assert_int_equal(guard_judge(&head).status, 431);
}

static void a_head_that_hides_something_is_refused_after_all_else(void **state)
{
	struct guard_header host = { S("Host"), S("a") };
	struct guard_head head = { .method = S("GET"),
				   .target = S("/x"),
				   .version = S("HTTP/1.1"),
				   .headers = &host,
				   .n = 1,
				   .hidden = true };

	(void)state;
	assert_int_equal(guard_judge(&head).status, 400);
	head.hidden = false;
	assert_int_equal(guard_judge(&head).status, 0);
	head.hidden = head.headers_cut = true;
	assert_int_equal(guard_judge(&head).status, 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_that_two_parties_could_read_differently_are_refused),
		cmocka_unit_test(only_plain_paths_pass),
		cmocka_unit_test(too_many_lines_are_refused_unread),
		cmocka_unit_test(a_head_that_hides_something_is_refused_after_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
