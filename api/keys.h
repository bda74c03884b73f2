/* Handlers of /v1/admin/organizations/{org_id}/keys. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/http.h"

http_handler keys_create, keys_list_page, keys_show, keys_remove;

#endif
