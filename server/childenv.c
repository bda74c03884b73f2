/* Settings reach a child through its environment only, also those that came from the command line
 * or the INI file. */
#include "server/childenv.h"
#include "base/mem.h"
#include "server/help.h"

#include <assert.h>
#include <ctype.h>
#include <unistd.h>

enum { CHILDENV_MAX = 1024 };

static bool is_inherited(struct str name, bool keep_aws)
{
	if (str_starts(name, S("CONNECTORD_")) || str_starts(name, S("PG")) ||
	    str_eq(name, S("NOTIFY_SOCKET")) || str_starts(name, S("WATCHDOG_")) ||
	    str_starts(name, S("LISTEN_")) || str_eq(name, S("CREDENTIALS_DIRECTORY")))
		return false;
	return keep_aws || !str_starts(name, S("AWS_"));
}

static char *pair(const char *name, const char *value)
{
	char *text = mem_text("CONNECTORD_%s=%s", name, value);

	for (char *p = text; *p != '='; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

static const char *value_of(const struct config *c, const char *name,
			    const struct childenv_set *set)
{
	for (const struct childenv_set *s = set; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s->value;
	return config_text(c, name);
}

char **childenv_make(const struct config *c, bool keep_aws, const char *drop,
		     const struct childenv_set *set)
{
	char **env = mem_array(CHILDENV_MAX + 1, sizeof(*env));
	size_t n = 0;

	for (char **e = environ; e && *e && n < CHILDENV_MAX; e++) {
		struct str rest = str_c(*e), name = str_cut(&rest, '=');

		if (is_inherited(name, keep_aws))
			env[n++] = mem_copy(*e);
	}
	for (size_t i = 0; config_entry_at(i) && n < CHILDENV_MAX; i++) {
		const struct config_entry *e = config_entry_at(i);
		const char *value = value_of(c, e->name, set);

		if (!help_has(drop, e->name) && strcmp(value, e->fallback) != 0)
			env[n++] = pair(e->name, value);
	}
	return env;
}
