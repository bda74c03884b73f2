/* Pager state. A listing ends when its token ends, never because a page was empty. */
#include "workers/aws/page.h"
#include "base/mem.h"
#include <stdio.h>

void page_done(struct page *p)
{
	mem_free(p->token);
	mem_free(p->marked);
	*p = (struct page){ 0 };
}

static bool bad(struct aws_fault *fault, const struct aws_op *op, const char *code,
		const char *what)
{
	*fault = (struct aws_fault){ .class = AWS_PAGER, .http_status = 200, .op = op };
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	snprintf(fault->message, sizeof(fault->message), "%s: %s", op->action, what);
	return false;
}

/* Meets every cycle after at most three times its length (Brent), with two tokens in memory. */
static bool is_repeat(const struct page *p, struct str token)
{
	return (p->token != NULL && str_eq(str_c(p->token), token)) ||
	       (p->marked != NULL && str_eq(str_c(p->marked), token));
}

static void advance(struct page *p, struct str token)
{
	if (p->pages >= p->mark_next) {
		mem_free(p->marked);
		p->marked = str_dup(token);
		p->mark_next = 2 * p->pages;
	}
	mem_free(p->token);
	p->token = str_dup(token);
}

bool page_next(struct page *p, const struct aws_op *op, const json_t *reply, bool *ret_more,
	       struct aws_fault *fault)
{
	const json_t *flag = op->more == NULL ? NULL : json_object_get(reply, op->more);
	const json_t *next = json_object_get(reply, op->next_out);
	struct str token = json_str(reply, op->next_out);
	bool more = token.n > 0;

	p->pages++;
	if (next != NULL && !json_is_string(next) && !json_is_null(next))
		return bad(fault, op, "page_token", "the next token is not a text");
	if (flag != NULL && !json_is_null(flag)) {
		bool yes = json_is_true(flag) || str_eq(json_str(reply, op->more), S("true"));
		bool no = json_is_false(flag) || str_eq(json_str(reply, op->more), S("false"));

		if (!yes && !no)
			return bad(fault, op, "page_flag",
				   "the answer does not say if it is whole");
		if (yes && !more)
			return bad(fault, op, "page_token",
				   "more pages are announced without a token");
		more = yes;
	}
	*ret_more = more;
	if (!more)
		return true;
	if (token.n > PAGE_TOKEN_MAX)
		return bad(fault, op, "page_token", "the next token is too long");
	if (memchr(token.p, '\0', token.n) != NULL || is_repeat(p, token))
		return bad(fault, op, "page_loop", "the same page token came twice");
	if (p->pages >= AWS_PAGES_MAX)
		return bad(fault, op, "page_limit", "the listing has more pages than we read");
	advance(p, token);
	return true;
}
