/* Handlers of /v1/admin/organizations. */
#ifndef API_ORGANIZATIONS_H
#define API_ORGANIZATIONS_H

#include "api/http.h"

http_handler organizations_create, organizations_list_page, organizations_show, organizations_patch;

#endif
