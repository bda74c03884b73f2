/* The log sink: one event, one line, one write(2). What a peer sent is escaped (control and
 * direction characters too, so that a name cannot forge a line or move a terminal's cursor), and
 * the value of a field whose name says secret is replaced. Never blocks on a lock, never grows. */
#include "base/log.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* LOG_TAIL is kept free for what closes a cut line. */
enum { LOG_LINE_MAX = 8192, LOG_TAIL = 64, LOG_PROCESS_MAX = 32 };

static struct {
	char process[LOG_PROCESS_MAX];
	enum log_level least;
	bool text;
} log_settings = { .process = "connectord", .least = LOG_INFO }; /* immutable after log_setup() */

static const char *const LOG_LEVELS[] = { "debug", "info", "warn", "error" };

struct line {
	char b[LOG_LINE_MAX];
	size_t n;
	bool cut;
	bool text; /* for a terminal, not JSON */
};

void log_setup(const char *process, const char *level, const char *format)
{
	struct str want = str_c(format);

	snprintf(log_settings.process, sizeof(log_settings.process), "%s", process);
	log_settings.least = LOG_INFO;
	for (size_t i = 0; i < COUNT_OF(LOG_LEVELS); i++)
		if (str_eq(str_c(level), str_c(LOG_LEVELS[i])))
			log_settings.least = (enum log_level)i;
	log_settings.text =
		str_eq(want, S("text")) || (str_eq(want, S("auto")) && isatty(STDERR_FILENO) == 1);
}

/* All of s or nothing, and nothing more after the first that did not fit. */
static bool add(struct line *l, struct str s)
{
	if (l->cut || s.n > LOG_LINE_MAX - LOG_TAIL - l->n) {
		l->cut = true;
		return false;
	}
	memcpy(l->b + l->n, s.p, s.n);
	l->n += s.n;
	return true;
}

/* The tail has room kept for it. */
static void add_tail(struct line *l, struct str s)
{
	size_t room = LOG_LINE_MAX - l->n;
	size_t n = s.n < room ? s.n : room;

	memcpy(l->b + l->n, s.p, n);
	l->n += n;
}

/* C0, DEL, C1, and what turns the direction of text around. */
static bool is_hostile(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0x61c ||
	       (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void add_escaped(struct line *l, struct str s)
{
	while (s.n && !l->cut) {
		char escape[8];
		uint32_t point = 0;
		size_t n = text_next(s, &point);

		if (n == 0) {
			add(l, S("\\ufffd"));
			n = 1;
		} else if (point == '"' || point == '\\') {
			snprintf(escape, sizeof(escape), "\\%c", (char)point);
			add(l, str_c(escape));
		} else if (is_hostile(point)) {
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(point & 0xffff));
			add(l, str_c(escape));
		} else {
			add(l, str_n(s.p, n));
		}
		s = str_sub(s, n, s.n - n);
	}
}

static void add_quoted(struct line *l, struct str s)
{
	if (!add(l, S("\"")))
		return;
	add_escaped(l, s);
	add_tail(l, S("\""));
}

static bool has_nocase(struct str s, struct str word)
{
	for (size_t i = 0; i + word.n <= s.n; i++)
		if (str_eq_nocase(str_sub(s, i, word.n), word))
			return true;
	return false;
}

static bool names_secret(struct str name)
{
	return has_nocase(name, S("secret")) || has_nocase(name, S("token")) ||
	       has_nocase(name, S("password")) || has_nocase(name, S("authorization")) ||
	       has_nocase(name, S("private_key"));
}

static void add_key(struct line *l, struct str name)
{
	if (l->text) {
		if (add(l, S(" "))) {
			add_escaped(l, name);
			add(l, S("="));
		}
		return;
	}
	/* Whole or not at all: half a key would not be JSON. */
	if (name.n * 6 + 8 > LOG_LINE_MAX - LOG_TAIL - l->n) {
		l->cut = true;
		return;
	}
	add(l, S(","));
	add_quoted(l, name);
	add(l, S(":"));
}

static void add_field(struct line *l, const struct log_field *f)
{
	const struct str name = str_c(f->name);
	const size_t before = l->n;
	size_t value = 0;
	char number[24];

	add_key(l, name);
	value = l->n;
	if (l->cut) {
		l->n = before;
		return;
	}
	if (names_secret(name)) {
		add(l, S("\"[redacted]\""));
	} else if (f->kind == LOG_FIELD_STR) {
		add_quoted(l, f->text);
	} else if (f->kind == LOG_FIELD_BOOL) {
		add(l, f->number ? S("true") : S("false"));
	} else {
		snprintf(number, sizeof(number), "%lld", (long long)f->number);
		add(l, str_c(number));
	}
	if (l->n == value)
		l->n = before;
}

static void add_head(struct line *l, enum log_level level, const char *event)
{
	const struct str name = str_c(LOG_LEVELS[level]);
	char now[CLOCK_TEXT_MAX];

	clock_rfc3339(clock_wall(), now);
	if (l->text) {
		add(l, str_sub(str_c(now), 11, 12));
		add(l, S(" "));
		add(l, name);
		add(l, S(" "));
		add_escaped(l, str_c(log_settings.process));
		add(l, S(" "));
		add_escaped(l, str_c(event));
		return;
	}
	add(l, S("{\"ts\":\""));
	add(l, str_c(now));
	add(l, S("\",\"level\":\""));
	add(l, name);
	add(l, S("\",\"process\":"));
	add_quoted(l, str_c(log_settings.process));
	add(l, S(",\"event\":"));
	add_quoted(l, str_c(event));
}

static void write_line(const struct line *l)
{
	size_t done = 0;

	while (done < l->n) {
		ssize_t n = write(STDERR_FILENO, l->b + done, l->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a log that cannot be written has nobody to tell */
		done += (size_t)n;
	}
}

bool log_would(enum log_level level)
{
	return level >= log_settings.least;
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields)
{
	if (!log_would(level))
		return;

	struct line l; /* here, for it is large and the compiler zeroes it */

	l.n = 0;
	l.cut = false;
	l.text = log_settings.text;
	add_head(&l, level, event);
	for (const struct log_field *f = fields; f->name && !l.cut; f++)
		add_field(&l, f);
	if (l.cut)
		add_tail(&l, l.text ? S(" log_cut=true") : S(",\"log_cut\":true"));
	add_tail(&l, l.text ? S("\n") : S("}\n"));
	write_line(&l);
}

void log_error(const char *event, const struct err *err)
{
	static const enum log_level LEVELS[] = {
#define X(name, status, outcome, level) [RC_##name] = LOG_##level,
#include "base/rc.def"
#undef X
	};

	log_event(LEVELS[err->rc], event, LOG_STR("rc", err_rc_name(err->rc)),
		  LOG_STR("code", err->code), LOG_STR("text", err->text),
		  err->field[0] ? LOG_STR("field", err->field) : LOG_END, LOG_END);
}
