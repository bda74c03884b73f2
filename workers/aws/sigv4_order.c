/* Sorting for the signer. */
#include "workers/aws/sigv4_order.h"
#include <stdlib.h>

static int by_name_value(const void *a, const void *b)
{
	const struct sigv4_order *x = a;
	const struct sigv4_order *y = b;
	int c = str_cmp(x->name, y->name);

	return c != 0 ? c : str_cmp(x->value, y->value);
}

static int by_name_place(const void *a, const void *b)
{
	const struct sigv4_order *x = a;
	const struct sigv4_order *y = b;
	int c = str_cmp(x->name, y->name);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

enum rc sigv4_order_query(const struct sigv4_pair *pairs, size_t n, struct buf *coded,
			  struct sigv4_order out[SIGV4_PAIRS_MAX])
{
	size_t ends[2 * SIGV4_PAIRS_MAX];
	size_t from = 0;

	if (n > SIGV4_PAIRS_MAX)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		if (text_percent_encode(coded, pairs[i].name, false) != RC_OK)
			return RC_LIMIT;
		ends[2 * i] = coded->n;
		if (text_percent_encode(coded, pairs[i].value, false) != RC_OK)
			return RC_LIMIT;
		ends[2 * i + 1] = coded->n;
	}
	/* Only now: the buffer does not move any more. */
	for (size_t i = 0; i < n; i++) {
		out[i].name = str_sub(buf_str(coded), from, ends[2 * i] - from);
		out[i].value = str_sub(buf_str(coded), ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
		out[i].at = i;
		from = ends[2 * i + 1];
	}
	if (n > 1)
		qsort(out, n, sizeof(out[0]), by_name_value);
	return RC_OK;
}

enum rc sigv4_order_headers(const struct sigv4_pair *pairs, size_t n,
			    struct sigv4_order out[SIGV4_PAIRS_MAX])
{
	if (n > SIGV4_PAIRS_MAX)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct sigv4_order){ pairs[i].name, pairs[i].value, i };
	if (n > 1)
		qsort(out, n, sizeof(out[0]), by_name_place);
	return RC_OK;
}
