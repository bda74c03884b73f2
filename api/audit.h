/* The audit trails over HTTP. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/http.h"

http_handler audit_list_page, audit_export_page, audit_head;
http_handler audit_list_operator, audit_export_operator, audit_head_operator;

#endif
