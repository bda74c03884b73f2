/* Handlers of /v1/admin/organizations/{org_id}/keys and of /v1/keys. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/http.h"

http_handler keys_create, keys_list_page, keys_show, keys_remove, keys_rotate;
http_handler keys_create_own, keys_list_own, keys_show_own, keys_remove_own, keys_rotate_own;

#endif
