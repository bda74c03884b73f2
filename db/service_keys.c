/* Service keys.
 * Never sees a key's text: hashes only. */
#include "db/service_keys.h"
#include "base/mem.h"
#include "db/audit.h"

#include <stdio.h>

#define COLUMNS                                                                                    \
	"svc_id, name, role, array_to_string(scopes, ' ') AS scopes, created_at,"                  \
	" least(expires_at, retires_at) AS expires_at, last_used_at, revoked_at, replaces,"        \
	" replaced_by"
#define LIVE(k)                                                                                    \
	"(" k ".revoked_at IS NULL"                                                                \
	" AND coalesce(least(" k ".expires_at, " k ".retires_at) > now(), true))"

static const struct db_who OPERATOR = { .operator_role = true };

struct change {
	struct id svc_id;
	const char *actor, *request_id;
};

static enum rc audit(struct db *db, const struct change *c, const char *action,
		     const json_t *detail, struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .actor = c->actor,
					   .action = action,
					   .target_kind = "service_key",
					   .target_id = text,
					   .request_id = c->request_id,
					   .detail = detail };

	id_text(c->svc_id, "svc_", text);
	return audit_insert(db, NULL, &entry, err);
}

/* No row stands for all service keys, so the number of this lock does: it makes the cap exact and lets
 * one rotation pass at a time. */
static const struct stmt LOCK = { "service_keys_lock", "SELECT pg_advisory_xact_lock(6001)", 0 };
static const struct stmt COUNT = { "service_keys_count",
				   "SELECT count(*) AS n FROM service_key k WHERE " LIVE("k"), 0 };

static enum rc check_room(struct db *db, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &LOCK, NULL, NULL, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &COUNT, NULL, &rows, err);
	if (rc == RC_OK && db_rows_i64(rows, 0, "n") >= SERVICE_KEYS_MAX)
		return err_set(err, RC_CONFLICT, "too_many_keys",
			       "There are %d service keys that are neither revoked nor expired,"
			       " which is the most there may be.",
			       SERVICE_KEYS_MAX);
	return rc;
}

static const struct stmt INSERT = {
	"service_keys_insert",
	"INSERT INTO service_key (svc_id, name, role, secret_hash, expires_at, scopes)"
	" VALUES ($1, $2, $3, $4, $5, string_to_array($6, ' ')) RETURNING " COLUMNS,
	6
};

struct insertion {
	const struct new_key *in;
	struct db_rows *row;
};

static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct insertion *i = arg;
	const struct new_key *in = i->in;
	const struct change change = { in->key_id, in->actor, in->request_id };
	const struct arg row[] = { arg_id(in->key_id),       arg_text(in->name),
				   arg_text(in->role),       arg_bytes(str_n(in->hash, KEYS_HASH)),
				   arg_time(in->expires_at), arg_opt(in->scopes) };
	enum rc rc = check_room(db, err);

	db_rows_free(i->row);
	i->row = NULL;
	if (rc == RC_OK)
		rc = db_run(db, NULL, &INSERT, row, &i->row, err);
	return rc == RC_OK ? audit(db, &change, "service_key.created", NULL, err) : rc;
}

enum rc service_keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret,
			    struct err *err)
{
	struct insertion i = { .in = in };
	enum rc rc = db_tx(db, &OPERATOR, insert_body, &i, err);

	if (rc == RC_OK)
		*ret = TAKE(i.row);
	db_rows_free(i.row);
	return rc;
}

static const struct stmt GET = { "service_keys_get",
				 "SELECT " COLUMNS " FROM service_key WHERE svc_id = $1", 1 };

enum rc service_keys_get(struct db *db, struct id svc_id, struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(svc_id) };
	enum rc rc = db_run(db, &OPERATOR, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such service key");
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt LIST = {
	"service_keys_list",
	"SELECT " COLUMNS " FROM service_key WHERE svc_id > coalesce($1::uuid,"
	" '00000000-0000-0000-0000-000000000000') ORDER BY svc_id LIMIT $2",
	2
};

enum rc service_keys_list(struct db *db, struct id after, int limit, struct db_rows **ret,
			  struct err *err)
{
	const struct arg args[] = { arg_id(after), arg_i64(limit) };

	return db_run(db, &OPERATOR, &LIST, args, ret, err);
}

static const struct stmt REVOKE = {
	"service_keys_revoke",
	"WITH old AS (SELECT revoked_at FROM service_key WHERE svc_id = $1 FOR UPDATE)"
	" UPDATE service_key k SET revoked_at = coalesce(k.revoked_at, now()) FROM old"
	" WHERE k.svc_id = $1 RETURNING old.revoked_at IS NULL AS was_live",
	1
};

static enum rc revoke_body(struct db *db, void *arg, struct err *err)
{
	const struct change *in = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->svc_id) };
	enum rc rc = db_run(db, NULL, &REVOKE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such service key");
	if (!db_rows_bool(rows, 0, "was_live"))
		return RC_OK;
	return audit(db, in, "service_key.revoked", NULL, err);
}

enum rc service_keys_revoke(struct db *db, struct id svc_id, const char *actor,
			    const char *request_id, struct err *err)
{
	struct change in = { svc_id, actor, request_id };

	return db_tx(db, &OPERATOR, revoke_body, &in, err);
}

static const struct stmt REPLACEABLE = {
	"service_keys_replaceable",
	"SELECT " LIVE("k") " AS live, EXISTS (SELECT FROM service_key o"
			    " WHERE o.svc_id IN (k.replaces, k.replaced_by) AND " LIVE(
				    "o") ") AS busy"
					 " FROM service_key k WHERE k.svc_id = $1",
	1
};
static const struct stmt SUCCEED = {
	"service_keys_succeed",
	"INSERT INTO service_key (svc_id, name, role, scopes, secret_hash, expires_at, replaces)"
	" SELECT $2, k.name, k.role, k.scopes, $3,"
	" coalesce($4, now() + (k.expires_at - k.created_at)), k.svc_id"
	" FROM service_key k WHERE k.svc_id = $1 RETURNING " COLUMNS,
	4
};
/* A key that goes already never lives longer for being rotated once more. */
static const struct stmt RETIRE = {
	"service_keys_retire",
	"UPDATE service_key SET replaced_by = $2,"
	" retires_at = least(retires_at, now() + make_interval(secs => $3)) WHERE svc_id = $1",
	3
};

static enum rc check_replaceable(struct db *db, struct id svc_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(svc_id) };
	enum rc rc = db_run(db, NULL, &REPLACEABLE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such service key");
	if (!db_rows_bool(rows, 0, "live"))
		return err_set(err, RC_CONFLICT, "key_not_live",
			       "The key is revoked or expired; make a new one instead.");
	if (db_rows_bool(rows, 0, "busy"))
		return err_set(err, RC_CONFLICT, "rotation_in_progress",
			       "Two keys of this rotation work already; wait until the old one"
			       " expires, or revoke one of them.");
	return RC_OK;
}

struct replacing {
	const struct key_replacement *in;
	struct db_rows *row;
};

static enum rc note_replacement(struct db *db, const struct key_replacement *in, struct err *err)
{
	char text[ID_TEXT_MAX];
	AUTO_JSON json_t *detail = NULL;
	const struct change made = { in->key_id, in->actor, in->request_id };
	const struct change old = { in->old_id, in->actor, in->request_id };
	enum rc rc = audit(db, &made, "service_key.created", NULL, err);

	id_text(in->key_id, "svc_", text);
	detail = json_pack("{s:s, s:I}", "replaced_by", text, "overlap_s",
			   (json_int_t)in->overlap_s);
	return rc == RC_OK ? audit(db, &old, "service_key.rotated", detail, err) : rc;
}

static enum rc replace_body(struct db *db, void *arg, struct err *err)
{
	struct replacing *r = arg;
	const struct key_replacement *in = r->in;
	const struct arg made[] = { arg_id(in->old_id), arg_id(in->key_id),
				    arg_bytes(str_n(in->hash, KEYS_HASH)),
				    arg_time(in->expires_at) };
	const struct arg old[] = { arg_id(in->old_id), arg_id(in->key_id), arg_i64(in->overlap_s) };
	enum rc rc = check_room(db, err);

	db_rows_free(r->row);
	r->row = NULL;
	if (rc == RC_OK)
		rc = check_replaceable(db, in->old_id, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &SUCCEED, made, &r->row, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &RETIRE, old, NULL, err);
	return rc == RC_OK ? note_replacement(db, in, err) : rc;
}

enum rc service_keys_replace(struct db *db, const struct key_replacement *in, struct db_rows **ret,
			     struct err *err)
{
	struct replacing r = { .in = in };
	enum rc rc = db_tx(db, &OPERATOR, replace_body, &r, err);

	if (rc == RC_OK)
		*ret = TAKE(r.row);
	db_rows_free(r.row);
	return rc;
}

/* As keys_authenticate: one look, and the stamp only for whoever knows the secret. */
static const struct stmt AUTHENTICATE = {
	"service_keys_authenticate",
	"WITH k AS (SELECT a.role, array_to_string(a.scopes, ' ') AS scopes, a.secret_hash,"
	"  " LIVE(
		"a") " AS live, coalesce((extract(epoch FROM"
		     "   least(a.expires_at, a.retires_at) - now()) * 1000)::bigint, -1) AS left_ms"
		     "  FROM service_key a WHERE a.svc_id = $1),"
		     " stamped AS (UPDATE service_key a SET last_used_at = date_trunc('minute', "
		     "now()) FROM k"
		     "  WHERE a.svc_id = $1 AND k.live AND a.secret_hash = $2"
		     "  AND (a.last_used_at IS NULL OR a.last_used_at < date_trunc('minute', "
		     "now())))"
		     " SELECT role, scopes, secret_hash, live, left_ms FROM k",
	2
};

enum rc service_keys_authenticate(struct db *db, struct id svc_id,
				  const unsigned char hash[KEYS_HASH], struct key_found *ret,
				  struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *stored = NULL;
	size_t n = 0;
	const struct db_who who = { .key_id = svc_id };
	const struct arg args[] = { arg_id(svc_id), arg_bytes(str_n(hash, KEYS_HASH)) };
	enum rc rc = db_run(db, &who, &AUTHENTICATE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) != 1)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such service key");
	stored = db_rows_bytes(rows, 0, "secret_hash", &n);
	if (n != KEYS_HASH)
		return err_set(err, RC_BROKEN, "service_keys",
			       "the hash of a service key has %zu bytes", n);
	memcpy(ret->hash, stored, KEYS_HASH);
	ret->org_id = (struct id){ { 0 } };
	ret->live = db_rows_bool(rows, 0, "live");
	ret->left_ms = db_rows_i64(rows, 0, "left_ms");
	(void)snprintf(ret->role, sizeof(ret->role), "%.*s",
		       STR_FMT(db_rows_text(rows, 0, "role")));
	(void)snprintf(ret->scopes, sizeof(ret->scopes), "%.*s",
		       STR_FMT(db_rows_text(rows, 0, "scopes")));
	return RC_OK;
}
