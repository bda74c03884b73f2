/* Handlers of /v1/syncs and of a connection's syncs. */
#ifndef API_SYNCS_H
#define API_SYNCS_H

#include "api/http.h"

http_handler syncs_create, syncs_list_page, syncs_list_of_connection, syncs_show, syncs_stop;

#endif
