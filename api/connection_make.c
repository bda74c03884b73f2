/* The making of a connection: who must not be connected, the sealing of its secret, and what its row is
 * written with. Never keeps a secret in the clear. */
#include "api/connection_make.h"
#include "api/problem.h"
#include "db/audit.h"
#include "db/schedule_plan.h"

#include <stdio.h>

/* Trying to make us act on our own account is worth a line in the audit, whoever did it. */
struct http_reply connection_make_own_account(struct http_request *req)
{
	struct err err = { 0 };
	const struct db_who who = http_who(req);
	const struct audit_entry entry = { .org_id = req->caller.org_id,
					   .actor = req->caller.actor,
					   .action = "connection.own_account_role_refused",
					   .target_kind = "connection",
					   .target_id = "",
					   .request_id = req->request_id };

	struct http_reply reply = { 0 };

	if (audit_insert(req->db, &who, &entry, &err) != RC_OK)
		return problem_err(req, &err);
	reply = problem_of(
		req, 403, "own_account_role",
		"The role is in the account that runs this service, which is never connected.");
	reply.own_account = true;
	return reply;
}

/* The account that runs this service: the setting, else what a worker found out about itself. */
enum rc connection_make_vendor(struct http_request *req, char out[VENDOR_ACCOUNT_MAX],
			       struct err *err)
{
	if (!*req->env->vendor_account)
		return vendor_load(req->db, out, err);
	(void)snprintf(out, VENDOR_ACCOUNT_MAX, "%s", req->env->vendor_account);
	return RC_OK;
}

enum rc connection_make_seal(const struct http_request *req, struct id connection_id,
			     struct str secret, char **ret, struct connection_values *values,
			     struct err *err)
{
	char org[ID_UUID_TEXT], connection[ID_UUID_TEXT];
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { connection, ID_UUID_TEXT - 1 },
					  .field = S("secret_access_key") };
	size_t n = 0;
	enum rc rc = RC_OK;

	if (secret.n == 0)
		return RC_OK;
	id_uuid(req->caller.org_id, org);
	id_uuid(connection_id, connection);
	rc = sealfile_close(req->env->seal, &place, secret, ret, &n, err);
	if (rc == RC_OK)
		values->sealed = str_n(*ret, n);
	return rc;
}

struct connection_write connection_make_write(const struct http_request *req,
					      struct id connection_id,
					      const struct connection_values *values)
{
	return (struct connection_write){ .org_id = req->caller.org_id,
					  .connection_id = connection_id,
					  .values = values,
					  .verify_every_s = req->env->verify_every_s,
					  .first_in_s = schedule_plan_first_in_s(
						  connection_id, values->schedule.every_s),
					  .actor = req->caller.actor,
					  .request_id = req->request_id };
}
