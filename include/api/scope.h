/* Scopes: what a credential may do, per resource and verb. A role is a name for a set of them. */
#ifndef API_SCOPE_H
#define API_SCOPE_H

#include "base/str.h"

enum scope_at {
#define SCOPE(name, text, role) SCOPE_AT_##name,
#include "api/scopes.def"
#undef SCOPE
	SCOPE_COUNT
};
enum scope {
#define SCOPE(name, text, role) SCOPE_##name = 1 << SCOPE_AT_##name,
#include "api/scopes.def"
#undef SCOPE
};

/* "connections:read"; scope is one bit. */
const char *scope_text(uint32_t scope);
/* All that "owner", "editor" or "viewer" may; 0 for another word. */
uint32_t scope_of_role(struct str role);
/* "owner", ...: the least role that has the scope. */
const char *scope_least_role(uint32_t scope);

enum { SCOPE_NAMES_MAX = 1024 };
/* The bit of "connections:read"; 0 for a name that there is not. */
uint32_t scope_of_name(struct str name);
/* All of "connections:read syncs:read" that there are; other names count for nothing. */
uint32_t scope_of_names(struct str names);
/* The other way round, in the order of the table; "" for none. */
void scope_names(uint32_t scopes, char out[SCOPE_NAMES_MAX]);
/* What a key may: all that its role may, or the part of that which names lists ("" = all). */
uint32_t scope_of_key(struct str role, struct str names);

#endif
