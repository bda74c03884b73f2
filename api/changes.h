/* Handlers of /v1/changes. */
#ifndef API_CHANGES_H
#define API_CHANGES_H

#include "api/http.h"

http_handler changes_list_page;

#endif
