/* Where a listing stands: the token, and the guards against one that never ends. */
#ifndef WORKERS_AWS_PAGE_H
#define WORKERS_AWS_PAGE_H

#include "aws/aws.h"

enum { PAGE_TOKEN_MAX = 8 * 1024 };

struct page {
	char *token;   /* of the page to fetch next; NULL: the first */
	char *marked;  /* an earlier token to meet again; moves at powers of two */
	int pages;     /* read so far */
	int mark_next; /* pages at which `marked` moves */
};

void page_done(struct page *p);
/* Reads the pager of a good reply. True: *ret_more says whether a page follows. False: *fault is
 * AWS_PAGER. */
bool page_next(struct page *p, const struct aws_op *op, const json_t *reply, bool *ret_more,
	       struct aws_fault *fault);

#endif
