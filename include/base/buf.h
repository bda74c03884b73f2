/* struct buf: a growing byte buffer that is born with its maximum. Past the maximum a put fails
 * with RC_LIMIT and the content stays as it was. The content always ends in a NUL that n does not
 * count. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p; /* NULL until the first put */
	size_t n;
	size_t cap;
	size_t max;
};

#define BUF_INIT(max_bytes)                                                                        \
	{                                                                                          \
		.p = NULL, .n = 0, .cap = 0, .max = (max_bytes)                                    \
	}

void buf_done(struct buf *b); /* frees; b is then an empty buffer with the same maximum */
DEFINE_AUTO_VALUE(buf, buf_done)

MUST_CHECK enum rc buf_put(struct buf *b, struct str s);
/* Where the next bytes go, with room for n of them, for who writes many small ones; NULL: past the maximum.
 * buf_put_end() says where he stopped. */
static inline char *buf_room(struct buf *b, size_t n);
void buf_put_end(struct buf *b, char *end);
MUST_CHECK enum rc buf_putc(struct buf *b, char c);
MUST_CHECK enum rc buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *buf_grow(struct buf *b, size_t n); /* buf_room()'s, when there is not enough */
static inline char *buf_room(struct buf *b, size_t n)
{
	return n < b->cap - b->n ? b->p + b->n : buf_grow(b, n);
}
void buf_cut(struct buf *b, size_t n); /* shortens to n bytes; n <= b->n */
void buf_wipe(struct buf *b);          /* zeroes the content, then buf_done() */
struct str buf_str(const struct buf *b);
const char *buf_c(const struct buf *b);   /* "" when empty */
char *buf_take(struct buf *b) NEVER_NULL; /* the content, now the caller's: mem_free() */

#endif
