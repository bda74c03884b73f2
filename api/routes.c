/* The route table: every path and method that exists, who may call it, what it reads.
 * A test compares it with api/openapi.yaml; nothing is reachable that has no row here. */
#include "api/router.h"

#include "api/connections.h"
#include "api/coverage.h"
#include "api/entities.h"
#include "api/health.h"
#include "api/keys.h"
#include "api/organizations.h"
#include "api/syncs.h"

enum { BOTH = HTTP_PUBLIC | HTTP_ADMIN };

#define ORG   "/v1/admin/organizations/{org_id}"
#define CONN  "/v1/connections/{conn_id}"
#define SYNC  "/v1/syncs/{sync_id}"
#define ENT   "/v1/entities/{ent_id}"
#define PAGES "limit,cursor"

#define ADMIN(method, path, body, query, run)                                                      \
	{                                                                                          \
		method, path, HTTP_ADMIN, HTTP_OPERATOR, body, query, run                          \
	}
#define READ(path, query, run)                                                                     \
	{                                                                                          \
		"GET", path, HTTP_PUBLIC, HTTP_VIEWER, HTTP_NO_BODY, query, run                    \
	}
#define WRITE(method, path, body, run)                                                             \
	{                                                                                          \
		method, path, HTTP_PUBLIC, HTTP_EDITOR, body, "", run                              \
	}
#define OPEN(path, run)                                                                            \
	{                                                                                          \
		"GET", path, BOTH, HTTP_NONE, HTTP_NO_BODY, "", run, true                          \
	}

/* clang-format off */
const struct http_route ROUTES[] = {
	OPEN("/livez", health_live),
	OPEN("/readyz", health_ready),
	OPEN("/openapi.json", health_openapi),

	ADMIN("POST", "/v1/admin/organizations", HTTP_JSON, "", organizations_create),
	ADMIN("GET", "/v1/admin/organizations", HTTP_NO_BODY, PAGES, organizations_list_page),
	ADMIN("GET", ORG, HTTP_NO_BODY, "", organizations_show),
	ADMIN("PATCH", ORG, HTTP_MERGE_PATCH, "", organizations_patch),
	ADMIN("POST", ORG "/keys", HTTP_JSON, "", keys_create),
	ADMIN("GET", ORG "/keys", HTTP_NO_BODY, PAGES, keys_list_page),
	ADMIN("GET", ORG "/keys/{key_id}", HTTP_NO_BODY, "", keys_show),
	ADMIN("DELETE", ORG "/keys/{key_id}", HTTP_NO_BODY, "", keys_remove),

	WRITE("POST", "/v1/connections", HTTP_JSON, connections_create),
	READ("/v1/connections", PAGES, connections_list_page),
	READ(CONN, "", connections_show),
	WRITE("PATCH", CONN, HTTP_MERGE_PATCH, connections_patch),
	WRITE("DELETE", CONN, HTTP_NO_BODY, connections_remove),

	WRITE("POST", CONN "/syncs", HTTP_OPTIONAL_JSON, syncs_create),
	READ(CONN "/syncs", "state," PAGES, syncs_list_of_connection),
	READ("/v1/syncs", "connection_id,state," PAGES, syncs_list_page),
	READ(SYNC, "", syncs_show),
	WRITE("POST", SYNC "/cancel", HTTP_OPTIONAL_JSON, syncs_stop),

	READ("/v1/entities", "kind,account_id,connection_id,name_prefix,deleted," PAGES, entities_list_page),
	READ(ENT, "", entities_show),
	READ(ENT "/history", PAGES, entities_history_page),

	READ(CONN "/coverage", "state," PAGES, coverage_list_of_connection),
	READ("/v1/coverage", "connection_id,state," PAGES, coverage_list_page),
	{ 0 },
};
/* clang-format on */
