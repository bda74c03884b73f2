/* API keys of organizations.
 * Never sees a key's text: hashes only. */
#include "db/keys.h"
#include "base/mem.h"
#include "db/audit.h"

#include <stdio.h>

#define COLUMNS                                                                                    \
	"key_id, name, role, array_to_string(scopes, ' ') AS scopes, created_at,"                  \
	" least(expires_at, retires_at) AS expires_at, last_used_at, revoked_at, replaces,"        \
	" replaced_by"
/* least() passes over NULLs. */
#define LIVE(k)                                                                                    \
	"(" k ".revoked_at IS NULL"                                                                \
	" AND coalesce(least(" k ".expires_at, " k ".retires_at) > now(), true))"

/* What everybody who changes a key says of himself. */
struct change {
	struct id org_id, key_id;
	const char *actor, *request_id;
};

static struct db_who who_of(struct id org_id)
{
	return (struct db_who){ .org_id = org_id };
}

static enum rc audit(struct db *db, const struct change *c, const char *action,
		     const json_t *detail, struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = c->org_id,
					   .actor = c->actor,
					   .action = action,
					   .target_kind = "key",
					   .target_id = text,
					   .request_id = c->request_id,
					   .detail = detail };

	id_text(c->key_id, "key_", text);
	return audit_insert(db, NULL, &entry, err);
}

/* The lock makes the cap exact and keeps the organization's state until we commit. */
static const struct stmt COUNT = {
	"keys_count",
	"SELECT o.state, (SELECT count(*) FROM api_key k WHERE k.org_id = $1 AND " LIVE(
		"k") ") AS n"
		     " FROM organization o WHERE o.org_id = $1 FOR NO KEY UPDATE OF o",
	1
};
static const struct stmt INSERT = {
	"keys_insert",
	"INSERT INTO api_key (org_id, key_id, name, role, secret_hash, expires_at, scopes)"
	" VALUES ($1, $2, $3, $4, $5, $6, string_to_array($7, ' ')) RETURNING " COLUMNS,
	7
};

static enum rc check_room(struct db *db, struct id org_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(org_id) };
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
				   arg_time(in->expires_at),
				   arg_opt(in->scopes) };
	const struct change change = { in->org_id, in->key_id, in->actor, in->request_id };
	enum rc rc = check_room(db, in->org_id, err);

	db_rows_free(i->row);
	i->row = NULL;
	if (rc == RC_OK)
		rc = db_run(db, NULL, &INSERT, row, &i->row, err);
	if (rc != RC_OK)
		return rc;
	return audit(db, &change, "key.created", NULL, err);
}

enum rc keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret, struct err *err)
{
	struct insertion i = { .in = in };
	const struct db_who who = who_of(in->org_id);
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
	const struct db_who who = who_of(org_id);
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
	const struct db_who who = who_of(org_id);
	const struct arg args[] = { arg_id(org_id), arg_id(after), arg_i64(limit) };

	return db_run(db, &who, &LIST, args, ret, err);
}

static const struct stmt REVOKE = {
	"keys_revoke",
	"WITH old AS (SELECT revoked_at FROM api_key WHERE org_id = $1 AND key_id = $2 FOR UPDATE)"
	" UPDATE api_key k SET revoked_at = coalesce(k.revoked_at, now()) FROM old"
	" WHERE k.org_id = $1 AND k.key_id = $2 RETURNING old.revoked_at IS NULL AS was_live",
	2
};

static enum rc revoke_body(struct db *db, void *arg, struct err *err)
{
	const struct change *in = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->key_id) };
	enum rc rc = db_run(db, NULL, &REVOKE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such key");
	if (!db_rows_bool(rows, 0, "was_live"))
		return RC_OK;
	return audit(db, in, "key.revoked", NULL, err);
}

enum rc keys_revoke(struct db *db, struct id org_id, struct id key_id, const char *actor,
		    const char *request_id, struct err *err)
{
	struct change in = { org_id, key_id, actor, request_id };
	const struct db_who who = who_of(org_id);

	return db_tx(db, &who, revoke_body, &in, err);
}

/* A chain has two live keys at most: the one that goes and the one that comes. The organization's row is
 * locked, so two rotations cannot pass this together. */
static const struct stmt REPLACEABLE = {
	"keys_replaceable",
	"SELECT " LIVE("k") " AS live, EXISTS (SELECT FROM api_key o WHERE o.org_id = $1"
			    " AND o.key_id IN (k.replaces, k.replaced_by) AND " LIVE(
				    "o") ") AS busy"
					 " FROM api_key k WHERE k.org_id = $1 AND k.key_id = $2",
	2
};
static const struct stmt SUCCEED = {
	"keys_succeed",
	"INSERT INTO api_key (org_id, key_id, name, role, scopes, secret_hash, expires_at, "
	"replaces)"
	" SELECT k.org_id, $3, k.name, k.role, k.scopes, $4,"
	" coalesce($5, now() + (k.expires_at - k.created_at)), k.key_id"
	" FROM api_key k WHERE k.org_id = $1 AND k.key_id = $2 RETURNING " COLUMNS,
	5
};
/* A key that goes already never lives longer for being rotated once more. */
static const struct stmt RETIRE = {
	"keys_retire",
	"UPDATE api_key SET replaced_by = $3,"
	" retires_at = least(retires_at, now() + make_interval(secs => $4))"
	" WHERE org_id = $1 AND key_id = $2",
	4
};

static enum rc check_replaceable(struct db *db, const struct key_replacement *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->old_id) };
	enum rc rc = db_run(db, NULL, &REPLACEABLE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such key");
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
	const struct change made = { in->org_id, in->key_id, in->actor, in->request_id };
	const struct change old = { in->org_id, in->old_id, in->actor, in->request_id };
	enum rc rc = audit(db, &made, "key.created", NULL, err);

	id_text(in->key_id, "key_", text);
	detail = json_pack("{s:s, s:I}", "replaced_by", text, "overlap_s",
			   (json_int_t)in->overlap_s);
	return rc == RC_OK ? audit(db, &old, "key.rotated", detail, err) : rc;
}

static enum rc replace_body(struct db *db, void *arg, struct err *err)
{
	struct replacing *r = arg;
	const struct key_replacement *in = r->in;
	const struct arg made[] = { arg_id(in->org_id), arg_id(in->old_id), arg_id(in->key_id),
				    arg_bytes(str_n(in->hash, KEYS_HASH)),
				    arg_time(in->expires_at) };
	const struct arg old[] = { arg_id(in->org_id), arg_id(in->old_id), arg_id(in->key_id),
				   arg_i64(in->overlap_s) };
	enum rc rc = check_room(db, in->org_id, err);

	db_rows_free(r->row);
	r->row = NULL;
	if (rc == RC_OK)
		rc = check_replaceable(db, in, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &SUCCEED, made, &r->row, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &RETIRE, old, NULL, err);
	return rc == RC_OK ? note_replacement(db, in, err) : rc;
}

enum rc keys_replace(struct db *db, const struct key_replacement *in, struct db_rows **ret,
		     struct err *err)
{
	struct replacing r = { .in = in };
	const struct db_who who = who_of(in->org_id);
	enum rc rc = db_tx(db, &who, replace_body, &r, err);

	if (rc == RC_OK)
		*ret = TAKE(r.row);
	db_rows_free(r.row);
	return rc;
}

/* One look at key and organization, so that no revocation fits between what is judged and what is
 * kept. The stamp is written once a minute, and only for whoever knows the secret: this comparison of
 * hashes need not be in constant time, the caller's is the one that decides. */
static const struct stmt AUTHENTICATE = {
	"keys_authenticate",
	"WITH k AS (SELECT a.org_id, a.role, array_to_string(a.scopes, ' ') AS scopes,"
	"  a.secret_hash, o.state = 'active' AND " LIVE(
		"a") " AS live, coalesce((extract(epoch"
		     "   FROM least(a.expires_at, a.retires_at) - now()) * 1000)::bigint, -1) AS "
		     "left_ms"
		     "  FROM api_key a JOIN organization o ON o.org_id = a.org_id WHERE a.key_id = "
		     "$1),"
		     " stamped AS (UPDATE api_key a SET last_used_at = date_trunc('minute', now()) "
		     "FROM k"
		     "  WHERE a.org_id = k.org_id AND a.key_id = $1 AND k.live AND a.secret_hash = "
		     "$2"
		     "  AND (a.last_used_at IS NULL OR a.last_used_at < date_trunc('minute', "
		     "now())))"
		     " SELECT org_id, role, scopes, secret_hash, live, left_ms FROM k",
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
	(void)snprintf(ret->scopes, sizeof(ret->scopes), "%.*s",
		       STR_FMT(db_rows_text(rows, 0, "scopes")));
	return RC_OK;
}
