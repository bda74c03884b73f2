/* What the build made of the contract to be read by others (cmake/contract): bytes of the binary. */
#ifndef API_PUBLISHED_H
#define API_PUBLISHED_H

#include "base/str.h"

struct str published_openapi(void); /* JSON */
struct str published_docs(void);    /* HTML */
/* "sha256-...": how a Content-Security-Policy knows the style of the page. */
extern const char PUBLISHED_STYLE[];

#endif
