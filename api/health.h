/* Handlers of /livez, /readyz and /openapi.json. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include "api/http.h"

http_handler health_live, health_ready, health_openapi;

#endif
