/* Statement parameters: constructors that write numbers and ids into the parameter itself, so that callers keep no
 * buffers. Never formats SQL. */
#include "base/clock.h"
#include "db/inside.h"
#include <inttypes.h>
#include <stdio.h>

struct arg arg_text(struct str s)
{
	return (struct arg){ .s = s.p ? s : S("") };
}

struct arg arg_c(const char *c)
{
	return (struct arg){ .s = str_c(c), .is_null = c == NULL };
}

struct arg arg_opt(struct str s)
{
	return (struct arg){ .s = s.p ? s : S(""), .is_null = s.n == 0 };
}

struct arg arg_i64(int64_t v)
{
	struct arg arg = { .is_null = false };

	snprintf(arg.own, sizeof(arg.own), "%" PRId64, v);
	return arg;
}

struct arg arg_bool(bool v)
{
	return (struct arg){ .s = v ? S("t") : S("f") };
}

struct arg arg_id(struct id id)
{
	struct arg arg = { .is_null = id_eq(id, (struct id){ { 0 } }) };

	id_uuid(id, arg.own);
	return arg;
}

struct arg arg_bytes(struct str s)
{
	return (struct arg){ .s = s.p ? s : S(""), .binary = true };
}

struct arg arg_null(void)
{
	return (struct arg){ .is_null = true };
}

struct arg arg_time(int64_t wall)
{
	struct arg arg = { .is_null = wall == 0 };

	if (wall != 0)
		clock_rfc3339(wall, arg.own);
	return arg;
}

struct str arg_view(const struct arg *arg)
{
	return arg->s.p ? arg->s : str_c(arg->own);
}
