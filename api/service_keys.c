/* Handlers of the operator: keys of backends that act for any organization.
 * Never more than names of routes. */
#include "api/service_keys.h"
#include "api/key_routes.h"

struct http_reply service_keys_create(struct http_request *req)
{
	return key_routes_create(req, KEYS_SERVICE);
}

struct http_reply service_keys_list_page(struct http_request *req)
{
	return key_routes_list(req, KEYS_SERVICE);
}

struct http_reply service_keys_show(struct http_request *req)
{
	return key_routes_show(req, KEYS_SERVICE);
}

struct http_reply service_keys_remove(struct http_request *req)
{
	return key_routes_revoke(req, KEYS_SERVICE);
}

struct http_reply service_keys_rotate(struct http_request *req)
{
	return key_routes_rotate(req, KEYS_SERVICE);
}
