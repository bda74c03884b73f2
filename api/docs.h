/* Handler of /docs. */
#ifndef API_DOCS_H
#define API_DOCS_H

#include "api/http.h"

http_handler docs_page;

#endif
