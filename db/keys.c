/* API keys of organizations.
 * Never sees a key's text: hashes only. */
#include "db/keys.h"
#include "base/mem.h"
#include "db/audit.h"

#include <stdio.h>

#define COLUMNS "key_id, name, role, created_at, expires_at, last_used_at, revoked_at"

static struct db_who operator_of(struct id org_id)
{
	return (struct db_who){ .org_id = org_id, .operator_role = true };
}

static enum rc audit(struct db *db, struct id org_id, struct id key_id, const char *action,
		     const char *actor, const char *request_id, struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = org_id,
					   .actor = actor,
					   .action = action,
					   .target_kind = "key",
					   .target_id = text,
					   .request_id = request_id };

	id_text(key_id, "key_", text);
	return audit_insert(db, NULL, &entry, err);
}

/* The lock makes the cap exact and keeps the organization's state until we commit. */
static const struct stmt COUNT = {
	"keys_count",
	"SELECT o.state, (SELECT count(*) FROM api_key k WHERE k.org_id = $1"
	" AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())) AS n"
	" FROM organization o WHERE o.org_id = $1 FOR NO KEY UPDATE OF o",
	1
};
static const struct stmt INSERT = {
	"keys_insert",
	"INSERT INTO api_key (org_id, key_id, name, role, secret_hash, expires_at)"
	" VALUES ($1, $2, $3, $4, $5, $6) RETURNING " COLUMNS,
	6
};

static enum rc check_room(struct db *db, const struct new_key *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(in->org_id) };
	enum rc rc = db_run(db, NULL, &COUNT, org, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such organization");
	if (!str_eq(db_rows_text(rows, 0, "state"), S("active")))
		return err_set(err, RC_CONFLICT, "organization_deleting",
			       "The organization is being deleted; it gets no new keys.");
	if (db_rows_i64(rows, 0, "n") >= KEYS_PER_ORGANIZATION_MAX)
		return err_set(err, RC_CONFLICT, "too_many_keys",
			       "The organization has %d keys that are neither revoked nor expired,"
			       " which is the most it may have.",
			       KEYS_PER_ORGANIZATION_MAX);
	return RC_OK;
}

struct insertion {
	const struct new_key *in;
	struct db_rows *row;
};

static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct insertion *i = arg;
	const struct new_key *in = i->in;
	const struct arg row[] = { arg_id(in->org_id),
				   arg_id(in->key_id),
				   arg_text(in->name),
				   arg_text(in->role),
				   arg_bytes(str_n(in->hash, KEYS_HASH)),
				   arg_time(in->expires_at) };
	enum rc rc = check_room(db, in, err);

	db_rows_free(i->row);
	i->row = NULL;
	if (rc == RC_OK)
		rc = db_run(db, NULL, &INSERT, row, &i->row, err);
	if (rc != RC_OK)
		return rc;
	return audit(db, in->org_id, in->key_id, "key.created", in->actor, in->request_id, err);
}

enum rc keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret, struct err *err)
{
	struct insertion i = { .in = in };
	const struct db_who who = operator_of(in->org_id);
	enum rc rc = db_tx(db, &who, insert_body, &i, err);

	if (rc == RC_OK)
		*ret = TAKE(i.row);
	db_rows_free(i.row);
	return rc;
}

static const struct stmt GET = {
	"keys_get", "SELECT " COLUMNS " FROM api_key WHERE org_id = $1 AND key_id = $2", 2
};

enum rc keys_get(struct db *db, struct id org_id, struct id key_id, struct db_rows **ret,
		 struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = operator_of(org_id);
	const struct arg args[] = { arg_id(org_id), arg_id(key_id) };
	enum rc rc = db_run(db, &who, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such key");
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt LIST = {
	"keys_list",
	"SELECT " COLUMNS " FROM api_key WHERE org_id = $1 AND key_id > coalesce($2::uuid, "
	"'00000000-0000-0000-0000-000000000000') ORDER BY key_id LIMIT $3",
	3
};

enum rc keys_list(struct db *db, struct id org_id, struct id after, int limit, struct db_rows **ret,
		  struct err *err)
{
	const struct db_who who = operator_of(org_id);
	const struct arg args[] = { arg_id(org_id), arg_id(after), arg_i64(limit) };

	return db_run(db, &who, &LIST, args, ret, err);
}

struct revocation {
	struct id org_id, key_id;
	const char *actor, *request_id;
};

static const struct stmt REVOKE = {
	"keys_revoke",
	"WITH old AS (SELECT revoked_at FROM api_key WHERE org_id = $1 AND key_id = $2 FOR UPDATE)"
	" UPDATE api_key k SET revoked_at = coalesce(k.revoked_at, now()) FROM old"
	" WHERE k.org_id = $1 AND k.key_id = $2 RETURNING old.revoked_at IS NULL AS was_live",
	2
};

static enum rc revoke_body(struct db *db, void *arg, struct err *err)
{
	const struct revocation *in = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->key_id) };
	enum rc rc = db_run(db, NULL, &REVOKE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such key");
	if (!db_rows_bool(rows, 0, "was_live"))
		return RC_OK;
	return audit(db, in->org_id, in->key_id, "key.revoked", in->actor, in->request_id, err);
}

enum rc keys_revoke(struct db *db, struct id org_id, struct id key_id, const char *actor,
		    const char *request_id, struct err *err)
{
	struct revocation in = { org_id, key_id, actor, request_id };
	const struct db_who who = operator_of(org_id);

	return db_tx(db, &who, revoke_body, &in, err);
}

/* One look at key and organization, so that no revocation fits between what is judged and what is
 * kept. The stamp is written once a minute, and only for whoever knows the secret: this comparison of
 * hashes need not be in constant time, the caller's is the one that decides. */
static const struct stmt AUTHENTICATE = {
	"keys_authenticate",
	"WITH k AS (SELECT a.org_id, a.role, a.secret_hash, o.state = 'active'"
	"  AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now()) AS live,"
	"  coalesce((extract(epoch FROM a.expires_at - now()) * 1000)::bigint, -1) AS left_ms"
	"  FROM api_key a JOIN organization o ON o.org_id = a.org_id WHERE a.key_id = $1),"
	" stamped AS (UPDATE api_key a SET last_used_at = date_trunc('minute', now()) FROM k"
	"  WHERE a.org_id = k.org_id AND a.key_id = $1 AND k.live AND a.secret_hash = $2"
	"  AND (a.last_used_at IS NULL OR a.last_used_at < date_trunc('minute', now())))"
	" SELECT org_id, role, secret_hash, live, left_ms FROM k",
	2
};

enum rc keys_authenticate(struct db *db, struct id key_id, const unsigned char hash[KEYS_HASH],
			  struct key_found *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *stored = NULL;
	size_t n = 0;
	const struct db_who who = { .key_id = key_id };
	const struct arg args[] = { arg_id(key_id), arg_bytes(str_n(hash, KEYS_HASH)) };
	enum rc rc = db_run(db, &who, &AUTHENTICATE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) != 1)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such key");
	stored = db_rows_bytes(rows, 0, "secret_hash", &n);
	if (n != KEYS_HASH)
		return err_set(err, RC_BROKEN, "keys", "the hash of a key has %zu bytes", n);
	memcpy(ret->hash, stored, KEYS_HASH);
	ret->org_id = db_rows_id(rows, 0, "org_id");
	ret->live = db_rows_bool(rows, 0, "live");
	ret->left_ms = db_rows_i64(rows, 0, "left_ms");
	(void)snprintf(ret->role, sizeof(ret->role), "%.*s",
		       STR_FMT(db_rows_text(rows, 0, "role")));
	return RC_OK;
}
