/* Writes JSON text. Never holds a value back, never allocates but for its buffer. */
#include "base/json_out.h"

#include <inttypes.h>
#include <stdio.h>

/* An answer's usual size at once, instead of growing to it; and what a member costs beside its key and
 * its value: comma, colon, four quotes. */
enum { FIRST_ROOM = 2048, AROUND = 6, ESCAPED_MAX = 6 };

/* Where n bytes of a value may be written, behind its comma and its key; NULL: the limit was met. */
static char *open_value(struct json_out *o, const char *key, size_t n)
{
	size_t key_n = key ? strlen(key) : 0;
	char *at = NULL;

	if (!o->b.p && o->b.max > FIRST_ROOM)
		(void)buf_room(&o->b, FIRST_ROOM);
	if (!o->full)
		at = buf_room(&o->b, key_n + n + AROUND);
	o->full = !at;
	if (!at)
		return NULL;
	if (o->more)
		*at++ = ',';
	if (key) {
		*at++ = '"';
		memcpy(at, key, key_n);
		at += key_n;
		*at++ = '"';
		*at++ = ':';
	}
	o->more = true;
	return at;
}

void json_out_begin(struct json_out *o, const char *key, char bracket)
{
	char *at = open_value(o, key, 1);

	if (!at)
		return;
	*at++ = bracket;
	buf_put_end(&o->b, at);
	o->more = false;
}

void json_out_end(struct json_out *o, char bracket)
{
	if (!o->full && buf_putc(&o->b, bracket == '{' ? '}' : ']') != RC_OK)
		o->full = true;
	o->more = true;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static size_t plain_prefix(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_plain((unsigned char)s.p[n]))
		n++;
	return n;
}

static char *escape(char *at, unsigned char c)
{
	static const char DIGITS[] = "0123456789abcdef";

	*at++ = '\\';
	if (c == '"' || c == '\\') {
		*at++ = (char)c;
	} else if (c == '\n') {
		*at++ = 'n';
	} else {
		memcpy(at, "u00", 3);
		at[3] = DIGITS[c >> 4];
		at[4] = DIGITS[c & 15];
		at += 5;
	}
	return at;
}

void json_out_text(struct json_out *o, const char *key, struct str s)
{
	size_t plain = plain_prefix(s);
	char *at = open_value(o, key, plain + (s.n - plain) * ESCAPED_MAX);

	if (!at)
		return;
	*at++ = '"';
	memcpy(at, s.p, plain);
	at += plain;
	for (size_t i = plain; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_plain(c))
			*at++ = (char)c;
		else
			at = escape(at, c);
	}
	*at++ = '"';
	buf_put_end(&o->b, at);
}

void json_out_raw(struct json_out *o, const char *key, struct str s)
{
	char *at = open_value(o, key, s.n);

	if (!at)
		return;
	memcpy(at, s.p, s.n);
	buf_put_end(&o->b, at + s.n);
}

void json_out_bool(struct json_out *o, const char *key, bool value)
{
	json_out_raw(o, key, value ? S("true") : S("false"));
}

void json_out_i64(struct json_out *o, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	json_out_raw(o, key, str_c(text));
}
