/* Handlers of /v1/connections/export and /v1/connections/import. */
#ifndef API_TRANSFER_H
#define API_TRANSFER_H

#include "api/http.h"

http_handler transfer_export, transfer_import;

#endif
