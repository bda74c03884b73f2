/* Handlers of what was sent to a webhook: /v1/webhooks/{whk_id}/test and /deliveries. */
#ifndef API_DELIVERIES_H
#define API_DELIVERIES_H

#include "api/http.h"

http_handler deliveries_create_test, deliveries_list_page, deliveries_send_again;

#endif
