/* Handlers of /v1/admin/service-keys. */
#ifndef API_SERVICE_KEYS_H
#define API_SERVICE_KEYS_H

#include "api/http.h"

http_handler service_keys_create, service_keys_list_page, service_keys_show, service_keys_remove,
	service_keys_rotate;

#endif
