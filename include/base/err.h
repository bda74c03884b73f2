/* Result codes and the detail that travels beside them.
 *
 * A function that can fail returns enum rc and takes struct err * as its last parameter. The detail
 * is set where the fact is known and is never overwritten by a caller; only main loops log it,
 * once. No secret ever enters. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/cdefs.h"

enum rc {
#define X(name, status, outcome, level) RC_##name,
#include "base/rc.def"
#undef X
};

enum { ERR_CODE_MAX = 48, ERR_TEXT_MAX = 400, ERR_FIELD_MAX = 96 };

struct err {
	enum rc rc;
	char code[ERR_CODE_MAX];   /* stable snake_case name of the problem: "invalid_role_arn" */
	char text[ERR_TEXT_MAX];   /* one sentence: what happened, to what, what to do */
	char field[ERR_FIELD_MAX]; /* JSON Pointer of the offending field, or "" */
};

/* Sets *err (if it is not NULL and still empty) and returns rc, so that `return err_set(...)` reads
 * as one act. */
enum rc err_set(struct err *err, enum rc rc, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same for a field of a request; pointer is a JSON Pointer ("/region"). */
enum rc err_field(struct err *err, const char *pointer, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void err_clear(struct err *err);

const char *err_rc_name(enum rc rc); /* "NOT_FOUND" */
int err_http_status(enum rc rc);

#endif
