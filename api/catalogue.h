/* Handler of /v1/aws/permissions: the permission catalogue. */
#ifndef API_CATALOGUE_H
#define API_CATALOGUE_H

#include "api/http.h"

struct http_reply catalogue_show(struct http_request *req);

#endif
