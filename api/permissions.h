/* Handler of what a connection may do in AWS, as the last check found it. */
#ifndef API_PERMISSIONS_H
#define API_PERMISSIONS_H

#include "api/http.h"

struct http_reply permissions_list_page(struct http_request *req);

#endif
