/* Result codes and the detail beside them. The first detail wins: it was set where the fact was
 * known. Never logs, never allocates. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int http_status;
} ERR_RCS[] = {
#define X(name, status, outcome, level) [RC_##name] = { #name, status },
#include "base/rc.def"
#undef X
};

/* A message may quote what a peer sent: it stays one line, and a cut never leaves half of a UTF-8
 * character at the end. */
static void tidy(char *text)
{
	size_t n = strlen(text), back = 0;
	unsigned char lead = 0;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	while (back < n && back < 3 && ((unsigned char)text[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == n)
		return;
	lead = (unsigned char)text[n - 1 - back];
	if ((lead >= 0xf0 && back < 3) || (lead >= 0xe0 && lead < 0xf0 && back < 2) ||
	    (lead >= 0xc0 && lead < 0xe0 && back < 1))
		text[n - 1 - back] = '\0';
}

static void fill(struct err *err, enum rc rc, const char *pointer, const char *code,
		 const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));
static void fill(struct err *err, enum rc rc, const char *pointer, const char *code,
		 const char *fmt, va_list args)
{
	assert(rc != RC_OK);
	if (!err || err->rc != RC_OK)
		return;
	err->rc = rc;
	snprintf(err->code, sizeof(err->code), "%s", code);
	snprintf(err->field, sizeof(err->field), "%s", pointer);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	tidy(err->field);
	tidy(err->text);
}

enum rc err_set(struct err *err, enum rc rc, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(err, rc, "", code, fmt, args);
	va_end(args);
	return rc;
}

enum rc err_field(struct err *err, const char *pointer, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(err, RC_INVALID, pointer, code, fmt, args);
	va_end(args);
	return RC_INVALID;
}

void err_clear(struct err *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

const char *err_rc_name(enum rc rc)
{
	assert((size_t)rc < COUNT_OF(ERR_RCS));
	return ERR_RCS[rc].name;
}

int err_http_status(enum rc rc)
{
	assert((size_t)rc < COUNT_OF(ERR_RCS));
	return ERR_RCS[rc].http_status;
}
