/* The table of scopes and what roles make of it.
 * Never grants by the order of roles elsewhere: this table alone says who has what. */
#include "api/scope.h"

#include <stdio.h>

enum role { VIEWER = 1, EDITOR, OWNER };

static const struct {
	const char *text;
	enum role role;
} SCOPES[] = {
#define SCOPE(name, text, role) { text, role },
#include "api/scopes.def"
#undef SCOPE
};

static const char *const ROLES[] = { "", "viewer", "editor", "owner" };

static int at(uint32_t scope)
{
	return scope ? __builtin_ctz(scope) : 0;
}

const char *scope_text(uint32_t scope)
{
	return SCOPES[at(scope)].text;
}

uint32_t scope_of_role(struct str role)
{
	uint32_t all = 0;
	int rank = 0;

	for (int i = VIEWER; i <= OWNER; i++)
		if (str_eq(role, str_c(ROLES[i])))
			rank = i;
	for (int i = 0; i < SCOPE_COUNT; i++)
		if ((int)SCOPES[i].role <= rank)
			all |= 1u << i;
	return all;
}

const char *scope_least_role(uint32_t scope)
{
	return ROLES[SCOPES[at(scope)].role];
}

uint32_t scope_of_name(struct str name)
{
	for (int i = 0; i < SCOPE_COUNT; i++)
		if (str_eq(name, str_c(SCOPES[i].text)))
			return 1u << i;
	return 0;
}

uint32_t scope_of_names(struct str names)
{
	uint32_t all = 0;

	while (names.n > 0)
		all |= scope_of_name(str_cut(&names, ' '));
	return all;
}

void scope_names(uint32_t scopes, char out[SCOPE_NAMES_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < SCOPE_COUNT && n < SCOPE_NAMES_MAX; i++)
		if (scopes & 1u << i)
			n += (size_t)snprintf(out + n, SCOPE_NAMES_MAX - n, "%s%s", n ? " " : "",
					      SCOPES[i].text);
}

uint32_t scope_of_key(struct str role, struct str names)
{
	uint32_t all = scope_of_role(role);

	return names.n > 0 ? all & scope_of_names(names) : all;
}
