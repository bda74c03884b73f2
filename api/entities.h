/* Handlers of /v1/entities. */
#ifndef API_ENTITIES_H
#define API_ENTITIES_H

#include "api/http.h"

http_handler entities_list_page, entities_show, entities_history_page;

#endif
