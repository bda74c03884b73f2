/* Writes JSON text. Never holds a value back, never allocates but for its buffer. */
#include "base/json_out.h"

#include <inttypes.h>
#include <stdio.h>

static void put(struct json_out *o, struct str s)
{
	if (!o->full && buf_put(&o->b, s) != RC_OK)
		o->full = true;
}

/* Comma and key, in one go: most of what is written is short. */
static void put_key(struct json_out *o, const char *key)
{
	if (o->more)
		put(o, S(","));
	if (key) {
		put(o, S("\""));
		put(o, str_c(key));
		put(o, S("\":"));
	}
	o->more = true;
}

void json_out_begin(struct json_out *o, const char *key, char bracket)
{
	put_key(o, key);
	put(o, str_n(&bracket, 1));
	o->more = false;
}

void json_out_end(struct json_out *o, char bracket)
{
	put(o, bracket == '{' ? S("}") : S("]"));
	o->more = true;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void put_escaped(struct json_out *o, unsigned char c)
{
	char text[8];

	if (c == '"' || c == '\\')
		(void)snprintf(text, sizeof(text), "\\%c", c);
	else if (c == '\n')
		(void)snprintf(text, sizeof(text), "\\n");
	else
		(void)snprintf(text, sizeof(text), "\\u%04x", c);
	put(o, str_c(text));
}

void json_out_text(struct json_out *o, const char *key, struct str s)
{
	size_t from = 0;

	put_key(o, key);
	put(o, S("\""));
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_plain(c))
			continue;
		put(o, str_sub(s, from, i - from));
		put_escaped(o, c);
		from = i + 1;
	}
	put(o, str_sub(s, from, s.n - from));
	put(o, S("\""));
}

void json_out_raw(struct json_out *o, const char *key, struct str s)
{
	put_key(o, key);
	put(o, s);
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
