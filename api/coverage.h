/* Handlers of /v1/coverage and of a connection's coverage. */
#ifndef API_COVERAGE_H
#define API_COVERAGE_H

#include "api/http.h"

http_handler coverage_list_page, coverage_list_of_connection;

#endif
