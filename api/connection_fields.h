/* What a connection's body may say, and the rules between its fields. */
#ifndef API_CONNECTION_FIELDS_H
#define API_CONNECTION_FIELDS_H

#include "api/bodies.h"
#include "db/connections.h"

enum { CONNECTION_FIELDS_DAYS = 90, CONNECTION_FIELDS_EVERY_S = 21600 };

/* Reads a create body into *ret (views into *ret_tree); *in is what was sent, as a patch over the
 * defaults. */
MUST_CHECK bool connection_fields_create(struct str body, struct body_connection_patch *in,
					 struct connection_values *ret, json_t **ret_tree,
					 struct problem *p);
/* The same from an item (an object) of an import. What is wrong with a field alone was told with the body: p is told what is
 * wrong between fields, with pointers within the item. */
MUST_CHECK bool connection_fields_item(const json_t *item, struct body_connection_patch *in,
				       struct connection_values *ret, struct problem *p);
/* Reads a merge patch over *values (the stored row). *ret_changed names the members that the patch
 * changes. */
MUST_CHECK bool connection_fields_patch(struct str body, struct body_connection_patch *in,
					struct connection_values *values, json_t **ret_tree,
					json_t **ret_changed, struct problem *p);
/* What is known beside the fields; "" = nothing. */
struct connection_known {
	struct str vendor;             /* the account that runs this service */
	struct str account, partition; /* where the connection led when it was first verified */
};
/* Rules between fields; adds to p. True when the role is in the vendor's own account: a matter of
 * rights and not of spelling. */
MUST_CHECK bool connection_fields_judge(const struct connection_values *v,
					const struct connection_known *known, struct problem *p);

#endif
