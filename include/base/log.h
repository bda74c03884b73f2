/* Structured logs: one event a line on stderr, JSON, or short text on a terminal. Only main loops
 * log; libraries return struct err. The sink drops the values of fields whose name says secret, and
 * secret types have no printf path.
 *
 * 	log_event(LOG_INFO, "sync_finished", LOG_STR("org_id", org), LOG_I64("calls", n), LOG_END);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *name; /* NULL ends the list */
	enum { LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_BOOL } kind;
	struct str text;
	int64_t number;
};

#define LOG_STR(key, c_string)                                                                     \
	(struct log_field)                                                                         \
	{                                                                                          \
		.name = (key), .kind = LOG_FIELD_STR, .text = str_c(c_string)                      \
	}
#define LOG_TEXT(key, str_value)                                                                   \
	(struct log_field)                                                                         \
	{                                                                                          \
		.name = (key), .kind = LOG_FIELD_STR, .text = (str_value)                          \
	}
#define LOG_I64(key, value)                                                                        \
	(struct log_field)                                                                         \
	{                                                                                          \
		.name = (key), .kind = LOG_FIELD_I64, .number = (value)                            \
	}
#define LOG_BOOL(key, value)                                                                       \
	(struct log_field)                                                                         \
	{                                                                                          \
		.name = (key), .kind = LOG_FIELD_BOOL, .number = (value)                           \
	}
#define LOG_END                                                                                    \
	(struct log_field)                                                                         \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* level: "debug", "info", "warn", "error"; format: "json", "text" or "auto". Call once, before
 * threads. */
void log_setup(const char *process, const char *level, const char *format);
bool log_would(enum log_level level); /* whether such a line is written at all */
#define log_event(level, event, ...)                                                               \
	log_fields((level), (event), (const struct log_field[]){ __VA_ARGS__ })
void log_fields(enum log_level level, const char *event, const struct log_field *fields);
/* The one line of a failed unit of work: event, rc, code, text. */
void log_error(const char *event, const struct err *err);

#endif
