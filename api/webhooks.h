/* Handlers of /v1/webhooks. */
#ifndef API_WEBHOOKS_H
#define API_WEBHOOKS_H

#include "api/http.h"

http_handler webhooks_create, webhooks_list_page, webhooks_show, webhooks_patch, webhooks_remove,
	webhooks_rotate_secret;

#endif
