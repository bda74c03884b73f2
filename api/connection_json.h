/* A connection as JSON. */
#ifndef API_CONNECTION_JSON_H
#define API_CONNECTION_JSON_H

#include "api/http.h"

/* Row i of connections_get/list; a new reference. external_id is the organization's ID. */
json_t *connection_json(const struct db_rows *rows, int row, struct id org_id);
/* {state, code, text, remedy, since}: what a person should know first. New reference. */
json_t *connection_json_status(const struct db_rows *rows, int row);

#endif
