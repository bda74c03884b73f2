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
/* "an owner's", ...: whose least role has the scope. */
const char *scope_least_role(uint32_t scope);

#endif
