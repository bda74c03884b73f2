/* The rules of single values: text, choice, id, number, time, duration.
 * Never knows where a value came from, never puts it into a message. */
#include "api/value.h"
#include "api/duration.h"
#include "base/clock.h"
#include "base/text.h"

/* Characters that make two names look alike or a line read otherwise than it is stored. */
static bool is_invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x34f || c == 0x61c ||
	       c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
	       (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 ||
	       (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff) ||
	       (c & 0xfffe) == 0xfffe;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a);
}

enum rc value_printable(struct str s, int64_t min, int64_t max, struct err *err)
{
	int64_t count = 0;
	bool blank = true;

	for (size_t at = 0; at < s.n; count++) {
		uint32_t c = 0;
		size_t n = text_next(str_sub(s, at, s.n), &c);

		if (n == 0)
			return err_set(err, RC_INVALID, "not_text", "The value is not UTF-8 text.");
		if (is_invisible(c))
			return err_set(
				err, RC_INVALID, "invisible_character",
				"Character %lld is a control, direction or invisible character.",
				(long long)count + 1);
		blank = blank && is_blank(c);
		at += n;
	}
	if (count < min || count > max)
		return err_set(err, RC_INVALID, "wrong_length",
			       "The value has %lld characters; %lld to %lld are allowed.",
			       (long long)count, (long long)min, (long long)max);
	if (blank && min > 0)
		return err_set(err, RC_INVALID, "blank", "The value is blank.");
	return RC_OK;
}

static enum rc check_choice(struct str s, const char *choices, struct err *err)
{
	struct str rest = str_c(choices);

	while (rest.n > 0)
		if (str_eq(str_cut(&rest, '|'), s) && s.n > 0)
			return RC_OK;
	return err_set(err, RC_INVALID, "unknown_choice", "The value is one of %s.", choices);
}

/* The zero id stands for "none" inside; nothing has it. */
static enum rc check_id(struct str s, const char *prefix, struct err *err)
{
	struct id id = { { 0 } };

	if (id_parse(s, prefix, &id) == RC_OK && !id_eq(id, (struct id){ { 0 } }))
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_id",
		       "The value must be an id that begins with %s.", prefix);
}

enum rc value_text(const struct field *f, struct str s, struct err *err)
{
	switch ((int)f->kind) {
	case FIELD_TEXT: return value_printable(s, f->min, f->max, err);
	case FIELD_CHOICE: return check_choice(s, f->choices, err);
	case FIELD_ID: return check_id(s, f->prefix, err);
	default: return f->check(s, err);
	}
}

enum rc value_stamp(const struct field *f, struct str s, int64_t *ret, struct err *err)
{
	if (f->kind == FIELD_DURATION)
		return duration_parse(s, ret) == RC_OK
			       ? RC_OK
			       : err_set(err, RC_INVALID, "invalid_duration",
					 "The value must be an ISO 8601 duration such as PT6H or "
					 "P1D.");
	return clock_parse_iso(s, ret) == RC_OK
		       ? RC_OK
		       : err_set(err, RC_INVALID, "invalid_time",
				 "The value must be a time such as 2030-01-31T12:00:00Z.");
}

enum rc value_range(const struct field *f, int64_t n, struct err *err)
{
	if (n >= f->min && n <= f->max)
		return RC_OK;
	if (f->max == INT64_MAX)
		return err_set(err, RC_INVALID, "out_of_range", "The value must be at least %lld.",
			       (long long)f->min);
	return err_set(err, RC_INVALID, "out_of_range", "The value must be %lld to %lld%s.",
		       (long long)f->min, (long long)f->max,
		       f->kind == FIELD_DURATION ? " seconds long" : "");
}

/* Digits alone; a number past 64 bits is taken as the largest there is. */
static bool read_digits(struct str s, int64_t *ret)
{
	struct str digits = s.n > 0 && *s.p == '-' ? str_sub(s, 1, s.n) : s;

	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
	if (digits.n > 0 && !str_to_i64(s, ret))
		*ret = *s.p == '-' ? INT64_MIN : INT64_MAX;
	return digits.n > 0;
}

enum rc value_parameter(const struct field *f, struct str s, struct err *err)
{
	int64_t n = 0;

	switch ((int)f->kind) {
	case FIELD_INT:
		return read_digits(s, &n) ? value_range(f, n, err)
					  : err_set(err, RC_INVALID, "wrong_type",
						    "The value must be a whole number.");
	case FIELD_BOOL:
		return str_eq(s, S("true")) || str_eq(s, S("false"))
			       ? RC_OK
			       : err_set(err, RC_INVALID, "wrong_type",
					 "The value must be true or false.");
	case FIELD_TIME: return value_stamp(f, s, &n, err);
	default: return value_text(f, s, err);
	}
}
