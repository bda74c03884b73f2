/* Handlers of /v1/connections/{conn_id}/schedules. */
#ifndef API_SCHEDULES_H
#define API_SCHEDULES_H

#include "api/http.h"

http_handler schedules_list_of_connection, schedules_patch;

#endif
