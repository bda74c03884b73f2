/* Handlers of /v1/aws/setup: what a customer pastes into AWS. */
#ifndef API_SETUP_H
#define API_SETUP_H

#include "api/http.h"

struct http_reply setup_show(struct http_request *req);
struct http_reply setup_cloudformation(struct http_request *req);
struct http_reply setup_terraform(struct http_request *req);
struct http_reply setup_cli(struct http_request *req);
struct http_reply setup_member_template(struct http_request *req);

#endif
