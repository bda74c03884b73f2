/* Settings: environment CONNECTORD_* over an INI file over defaults. The table in config.c is the
 * one list: name, default, help; `connectord --help` and docs are made from it. A setting whose
 * name ends in _file holds a path to a secret; secrets themselves are never settings. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/err.h"
#include "base/str.h"

struct config;
void config_free(struct config *c);
DEFINE_AUTO(config)

/* path NULL: CONNECTORD_CONFIG or none. RC_INVALID names the file, line and key, or the environment
 * variable. */
MUST_CHECK enum rc config_load(const char *path, struct config **ret, struct err *err);
/* The value, never NULL ("" when unset). name is the table's: "database_url". Asserts that the name
 * is in the table. */
const char *config_text(const struct config *c, const char *name);
int64_t config_i64(const struct config *c, const char *name);
bool config_bool(const struct config *c, const char *name);
/* Overrides one value from the command line. RC_INVALID: unknown name or a value out of its range. */
MUST_CHECK enum rc config_set(struct config *c, const char *name, struct str value,
			      struct err *err);
/* What no single entry can say. config_load() does it; do it again after the last config_set(). */
MUST_CHECK enum rc config_check(const struct config *c, struct err *err);

struct config_entry {
	const char *name; /* lower case; CONNECTORD_ + upper case in the environment */
	enum { CONFIG_TEXT, CONFIG_I64, CONFIG_BOOL, CONFIG_CHOICE } kind;
	const char *fallback;
	int64_t min, max;
	const char *choices; /* "enforce|warn" */
	const char *help;
};
/* The i-th entry of the table, NULL past the end. */
const struct config_entry *config_entry_at(size_t i);

#endif
