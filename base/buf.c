/* The growing byte buffer. Growth copies into fresh memory and zeroes the old block, so that
 * buf_wipe() leaves no earlier copy of a secret behind.
 * Never holds more than its maximum, never changes on a failed put. */
#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

enum { BUF_FIRST_CAP = 64 };

void buf_done(struct buf *b)
{
	mem_free(b->p);
	b->p = NULL;
	b->n = 0;
	b->cap = 0;
}

/* Room for more bytes and the NUL. */
static enum rc make_room(struct buf *b, size_t more)
{
	size_t need = 0, cap = b->cap ? b->cap : BUF_FIRST_CAP;
	char *grown = NULL;

	if (more > b->max - b->n || b->max == SIZE_MAX)
		return RC_LIMIT;
	need = b->n + more + 1;
	if (need <= b->cap)
		return RC_OK;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	grown = mem_alloc(cap);
	if (b->p) {
		memcpy(grown, b->p, b->n + 1);
		sodium_memzero(b->p, b->n);
		mem_free(b->p);
	}
	b->p = grown;
	b->cap = cap;
	return RC_OK;
}

enum rc buf_put(struct buf *b, struct str s)
{
	/* s may be a view into b itself, which moves when it grows. */
	bool own = b->p && s.p >= b->p && s.p <= b->p + b->n;
	size_t at = own ? (size_t)(s.p - b->p) : 0;
	enum rc rc = make_room(b, s.n);

	if (rc != RC_OK)
		return rc;
	if (s.n)
		memcpy(b->p + b->n, own ? b->p + at : s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
	return RC_OK;
}

char *buf_grow(struct buf *b, size_t n)
{
	return make_room(b, n) == RC_OK ? b->p + b->n : NULL;
}

void buf_put_end(struct buf *b, char *end)
{
	assert(end >= b->p + b->n && end < b->p + b->cap);
	b->n = (size_t)(end - b->p);
	*end = '\0';
}

enum rc buf_putc(struct buf *b, char c)
{
	enum rc rc = make_room(b, 1);

	if (rc != RC_OK)
		return rc;
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
	return RC_OK;
}

enum rc buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int n = 0;
	enum rc rc = RC_OK;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(n >= 0);
	rc = make_room(b, (size_t)n);
	if (rc == RC_OK) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
	return rc;
}

void buf_cut(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n = n;
	if (b->p)
		b->p[n] = '\0';
}

void buf_wipe(struct buf *b)
{
	if (b->p)
		sodium_memzero(b->p, b->cap);
	buf_done(b);
}

struct str buf_str(const struct buf *b)
{
	return b->p ? str_n(b->p, b->n) : S("");
}

const char *buf_c(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *buf_take(struct buf *b)
{
	char *content = b->p ? b->p : mem_alloc(1);

	b->p = NULL;
	b->n = 0;
	b->cap = 0;
	return content;
}
