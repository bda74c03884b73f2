/* A connection as JSON. */
#ifndef API_CONNECTION_JSON_H
#define API_CONNECTION_JSON_H

#include "api/http.h"
#include "base/json_out.h"

/* Writes row i of connections_get/list as an object. external_id is the organization's ID. */
void connection_json(struct json_out *o, const struct db_rows *rows, int row, struct id org_id);

#endif
