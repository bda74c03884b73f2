/* A CSV reader that never holds more than one record. Knows no column. */
#include "workers/sync/csv.h"

void csv_init(struct csv *c, struct str content)
{
	*c = (struct csv){ .rest = content, .text = BUF_INIT(CSV_ROW_MAX) };
}

void csv_done(struct csv *c)
{
	buf_done(&c->text);
}

static char peek(const struct csv *c)
{
	return c->rest.n ? c->rest.p[0] : '\0';
}

static char take(struct csv *c)
{
	char byte = c->rest.p[0];

	c->rest = str_sub(c->rest, 1, c->rest.n);
	return byte;
}

static enum rc quoted(struct csv *c)
{
	take(c);
	while (c->rest.n > 0) {
		char byte = take(c);
		enum rc rc;

		if (byte == '"' && peek(c) != '"')
			return RC_OK;
		if (byte == '"')
			take(c);
		rc = buf_putc(&c->text, byte);
		if (rc != RC_OK)
			return rc;
	}
	return RC_INVALID;
}

/* Up to the comma or the line end, which stay. */
static enum rc field(struct csv *c)
{
	enum rc rc = RC_OK;

	if (peek(c) == '"')
		rc = quoted(c);
	while (rc == RC_OK && c->rest.n > 0 && peek(c) != ',' && peek(c) != '\n') {
		char byte = take(c);

		if (byte != '\r' || peek(c) != '\n')
			rc = buf_putc(&c->text, byte);
	}
	return rc;
}

enum rc csv_next(struct csv *c)
{
	size_t ends[CSV_FIELDS_MAX], from = 0;
	bool more = true;

	while (c->rest.n > 0 && (peek(c) == '\n' || peek(c) == '\r'))
		take(c);
	if (c->rest.n == 0)
		return RC_NOT_FOUND;
	buf_cut(&c->text, 0);
	for (c->n = 0; more;) {
		enum rc rc = c->n == CSV_FIELDS_MAX ? RC_LIMIT : field(c);

		if (rc != RC_OK)
			return rc;
		ends[c->n++] = c->text.n;
		more = peek(c) == ',' && c->rest.n > 0;
		if (c->rest.n > 0)
			take(c);
	}
	/* Only now: the buffer may have moved while it grew. */
	for (size_t i = 0; i < c->n; i++) {
		c->fields[i] = str_n(buf_c(&c->text) + from, ends[i] - from);
		from = ends[i];
	}
	return RC_OK;
}
