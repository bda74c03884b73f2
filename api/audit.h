/* The audit trail over HTTP. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/http.h"

http_handler audit_list_page, audit_export_page, audit_head;

#endif
