/* Handlers of /v1/connections. */
#ifndef API_CONNECTIONS_H
#define API_CONNECTIONS_H

#include "api/http.h"

http_handler connections_create, connections_list_page, connections_show, connections_patch,
	connections_remove;

#endif
