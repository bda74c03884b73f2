/* API keys of organizations, and service keys: two tables, one life.
 * Never sees a key's text: hashes only. */
#include "db/keys.h"
#include "base/mem.h"
#include "db/audit.h"

#include <stdio.h>

enum { ACTION_MAX = 32 };

/* clang-format off */
/* least() passes over NULLs. */
#define LIVE(k) \
	"(" k ".revoked_at IS NULL AND coalesce(least(" k ".expires_at, " k ".retires_at) > now(), true))"
#define COLUMNS(id) \
	id " AS key_id, name, role, array_to_string(scopes, ' ') AS scopes, created_at," \
	" least(expires_at, retires_at) AS expires_at, last_used_at, revoked_at, replaces, replaced_by"

/* The organization is the last parameter of a statement, where there is one. and_org(k, n): row k is of
 * the organization $n. org: its column behind others; n: 1, or 0 for none. */
#define AND_ORG(k, n) " AND " k ".org_id = $" n
#define AND_NO_ORG(k, n) ""

#define COUNT(name, table, and_org, n) \
	{ name "_count", \
	  "SELECT count(*) AS n FROM " table " k WHERE " LIVE("k") and_org("k", "1"), n }
#define GET(name, table, id, and_org, n) \
	{ name "_get", "SELECT " COLUMNS(id) " FROM " table " k WHERE k." id " = $1" \
	  and_org("k", "2"), 1 + n }
#define LIST(name, table, id, and_org, n) \
	{ name "_list", "SELECT " COLUMNS(id) " FROM " table " k WHERE k." id \
	  " > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')" and_org("k", "3") \
	  " ORDER BY k." id " LIMIT $2", 2 + n }
#define REVOKE(name, table, id, and_org, n) \
	{ name "_revoke", "WITH old AS (SELECT k.revoked_at FROM " table " k WHERE k." id " = $1" \
	  and_org("k", "2") " FOR UPDATE)" \
	  " UPDATE " table " k SET revoked_at = coalesce(k.revoked_at, now()) FROM old WHERE k." id \
	  " = $1" and_org("k", "2") " RETURNING old.revoked_at IS NULL AS was_live", 1 + n }
/* A chain has two live keys at most: the one that goes and the one that comes. */
#define REPLACEABLE(name, table, id, and_org, n) \
	{ name "_replaceable", "SELECT " LIVE("k") " AS live, EXISTS (SELECT FROM " table " o WHERE o." \
	  id " IN (k.replaces, k.replaced_by)" and_org("o", "2") " AND " LIVE("o") ") AS busy FROM " \
	  table " k WHERE k." id " = $1" and_org("k", "2"), 1 + n }
#define SUCCEED(name, table, id, org, and_org, n) \
	{ name "_succeed", "INSERT INTO " table " (" id ", name, role, scopes, secret_hash, expires_at," \
	  " replaces" org ") SELECT $2, name, role, scopes, $3," \
	  " coalesce($4, now() + (expires_at - created_at)), " id org " FROM " table " k WHERE k." id \
	  " = $1" and_org("k", "5") " RETURNING " COLUMNS(id), 4 + n }
/* A key that goes already never lives longer for being rotated once more. */
#define RETIRE(name, table, id, and_org, n) \
	{ name "_retire", "UPDATE " table " k SET replaced_by = $2," \
	  " retires_at = least(retires_at, now() + make_interval(secs => $3)) WHERE k." id " = $1" \
	  and_org("k", "4"), 3 + n }
/* One look at key and organization, so that no revocation fits between what is judged and what is kept.
 * Nobody waits for the disk: a stamp that a crash takes along is written a minute later. The stamp is written once a minute, and only for whoever knows the secret: this comparison of hashes
 * need not be in constant time, the caller's is the one that decides. */
#define AUTHENTICATE(name, table, id, org_id, join, active, same_org) \
	{ name "_authenticate", "WITH k AS (SELECT " org_id " AS org_id, a.role," \
	  " array_to_string(a.scopes, ' ') AS scopes, a.secret_hash, " active LIVE("a") " AS live," \
	  " coalesce((extract(epoch FROM least(a.expires_at, a.retires_at) - now()) * 1000)::bigint, -1)" \
	  " AS left_ms FROM " table " a" join " WHERE a." id " = $1)," \
	  " stamped AS (UPDATE " table " a SET last_used_at = date_trunc('minute', now()) FROM k" \
	  " WHERE a." id " = $1" same_org " AND k.live AND a.secret_hash = $2" \
	  " AND (a.last_used_at IS NULL OR a.last_used_at < date_trunc('minute', now())))" \
	  " SELECT org_id, role, scopes, secret_hash, live, left_ms," \
	  " set_config('synchronous_commit', 'off', true) FROM k", 2 }
#define STATEMENTS(name, table, id, org, and_org, n) \
	.count = COUNT(name, table, and_org, n), \
	.get = GET(name, table, id, and_org, n), \
	.list = LIST(name, table, id, and_org, n), \
	.revoke = REVOKE(name, table, id, and_org, n), \
	.replaceable = REPLACEABLE(name, table, id, and_org, n), \
	.succeed = SUCCEED(name, table, id, org, and_org, n), \
	.retire = RETIRE(name, table, id, and_org, n)
/* clang-format on */

struct kind {
	const char *noun, *prefix; /* as the audit has them */
	const char *unknown, *crowd;
	int most;
	struct db_who who; /* but for the organization */
	/* lock: makes the cap exact, lets one rotation pass at a time, and tells the state of the
	 * organization, which then stays until we commit. */
	struct stmt lock, count, insert, get, list, revoke, replaceable, succeed, retire,
		authenticate;
};

static const struct kind KINDS[] = {
	[KEYS_ORGANIZATION] = {
		.noun = "key",
		.prefix = "key_",
		.unknown = "no such key",
		.crowd = "The organization has",
		.most = KEYS_PER_ORGANIZATION_MAX,
		.lock = { "keys_lock",
			  "SELECT state FROM organization WHERE org_id = $1 FOR NO KEY UPDATE", 1 },
		.insert = { "keys_insert",
			    "INSERT INTO api_key (key_id, name, role, secret_hash, expires_at,"
			    " scopes, org_id)"
			    " VALUES ($1, $2, $3, $4, $5, string_to_array($6, ' '), $7)"
			    " RETURNING " COLUMNS("key_id"), 7 },
		.authenticate = AUTHENTICATE("keys", "api_key", "key_id", "a.org_id",
					     " JOIN organization o ON o.org_id = a.org_id",
					     "o.state = 'active' AND ",
					     " AND a.org_id = k.org_id"),
		STATEMENTS("keys", "api_key", "key_id", ", org_id", AND_ORG, 1),
	},
	/* No row stands for all service keys, so the number of a lock does. */
	[KEYS_SERVICE] = {
		.noun = "service_key",
		.prefix = "svc_",
		.unknown = "no such service key",
		.crowd = "There are",
		.most = KEYS_SERVICE_MAX,
		.who = { .operator_role = true },
		.lock = { "service_keys_lock",
			  "SELECT 'active' AS state, pg_advisory_xact_lock(6001)", 0 },
		.insert = { "service_keys_insert",
			    "INSERT INTO service_key (svc_id, name, role, secret_hash, expires_at,"
			    " scopes) VALUES ($1, $2, $3, $4, $5, string_to_array($6, ' '))"
			    " RETURNING " COLUMNS("svc_id"), 6 },
		.authenticate = AUTHENTICATE("service_keys", "service_key", "svc_id",
					     "NULL::uuid", "", "", ""),
		STATEMENTS("service_keys", "service_key", "svc_id", "", AND_NO_ORG, 0),
	},
};

const char *keys_prefix(enum keys_kind kind)
{
	return KINDS[kind].prefix;
}

static struct db_who who_of(const struct keys_at *at)
{
	struct db_who who = KINDS[at->kind].who;

	who.org_id = at->org_id;
	return who;
}

/* What everybody who changes a key says of himself. */
struct change {
	struct keys_at at;
	const char *actor, *request_id;
};

static enum rc audit(struct db *db, const struct change *c, const char *verb, const json_t *detail,
		     struct err *err)
{
	const struct kind *kind = &KINDS[c->at.kind];
	char text[ID_TEXT_MAX], action[ACTION_MAX];
	const struct audit_entry entry = { .org_id = c->at.org_id,
					   .actor = c->actor,
					   .action = action,
					   .target_kind = kind->noun,
					   .target_id = text,
					   .request_id = c->request_id,
					   .detail = detail };

	(void)snprintf(action, sizeof(action), "%s.%s", kind->noun, verb);
	id_text(c->at.key_id, kind->prefix, text);
	return audit_insert(db, NULL, &entry, err);
}

static enum rc not_found(const struct keys_at *at, struct err *err)
{
	return err_set(err, RC_NOT_FOUND, "not_found", "%s", KINDS[at->kind].unknown);
}

static enum rc check_room(struct db *db, const struct keys_at *at, struct err *err)
{
	const struct kind *kind = &KINDS[at->kind];
	AUTO(db_rows) struct db_rows *owner = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(at->org_id) };
	enum rc rc = db_run(db, NULL, &kind->lock, org, &owner, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(owner) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such organization");
	if (!str_eq(db_rows_text(owner, 0, "state"), S("active")))
		return err_set(err, RC_CONFLICT, "organization_deleting",
			       "The organization is being deleted; it gets no new keys.");
	/* In a statement of its own, which sees what was committed while we waited for the lock. */
	rc = db_run(db, NULL, &kind->count, org, &rows, err);
	if (rc == RC_OK && db_rows_i64(rows, 0, "n") >= kind->most)
		return err_set(err, RC_CONFLICT, "too_many_keys",
			       "%s %d %skeys that are neither revoked nor expired,"
			       " which is the most there may be.",
			       kind->crowd, kind->most, at->kind == KEYS_SERVICE ? "service " : "");
	return rc;
}

/* What a request answers with belongs to the transaction that made it. */
struct making {
	const void *in;
	struct db_rows *row;
};

static enum rc make_tx(struct db *db, const struct keys_at *at, const void *in, db_tx_fn *body,
		       struct db_rows **ret, struct err *err)
{
	struct making m = { .in = in };
	const struct db_who who = who_of(at);
	enum rc rc = db_tx(db, &who, body, &m, err);

	if (rc == RC_OK)
		*ret = TAKE(m.row);
	db_rows_free(m.row);
	return rc;
}

static enum rc begin_making(struct db *db, struct making *m, const struct keys_at *at,
			    struct err *err)
{
	db_rows_free(m->row);
	m->row = NULL;
	return check_room(db, at, err);
}

static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct making *m = arg;
	const struct new_key *in = m->in;
	const struct arg row[] = { arg_id(in->at.key_id),    arg_text(in->name),
				   arg_text(in->role),       arg_bytes(str_n(in->hash, KEYS_HASH)),
				   arg_time(in->expires_at), arg_opt(in->scopes),
				   arg_id(in->at.org_id) };
	const struct change change = { in->at, in->actor, in->request_id };
	enum rc rc = begin_making(db, m, &in->at, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &KINDS[in->at.kind].insert, row, &m->row, err);
	return rc == RC_OK ? audit(db, &change, "created", NULL, err) : rc;
}

enum rc keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret, struct err *err)
{
	return make_tx(db, &in->at, in, insert_body, ret, err);
}

enum rc keys_get(struct db *db, const struct keys_at *at, struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = who_of(at);
	const struct arg args[] = { arg_id(at->key_id), arg_id(at->org_id) };
	enum rc rc = db_run(db, &who, &KINDS[at->kind].get, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return not_found(at, err);
	*ret = TAKE(rows);
	return RC_OK;
}

enum rc keys_list(struct db *db, const struct keys_at *at, int limit, struct db_rows **ret,
		  struct err *err)
{
	const struct db_who who = who_of(at);
	const struct arg args[] = { arg_id(at->key_id), arg_i64(limit), arg_id(at->org_id) };

	return db_run(db, &who, &KINDS[at->kind].list, args, ret, err);
}

static enum rc revoke_body(struct db *db, void *arg, struct err *err)
{
	const struct change *in = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->at.key_id), arg_id(in->at.org_id) };
	enum rc rc = db_run(db, NULL, &KINDS[in->at.kind].revoke, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return not_found(&in->at, err);
	if (!db_rows_bool(rows, 0, "was_live"))
		return RC_OK;
	return audit(db, in, "revoked", NULL, err);
}

enum rc keys_revoke(struct db *db, const struct keys_at *at, const char *actor,
		    const char *request_id, struct err *err)
{
	struct change in = { *at, actor, request_id };
	const struct db_who who = who_of(at);

	return db_tx(db, &who, revoke_body, &in, err);
}

static enum rc check_replaceable(struct db *db, const struct keys_at *at, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(at->key_id), arg_id(at->org_id) };
	enum rc rc = db_run(db, NULL, &KINDS[at->kind].replaceable, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return not_found(at, err);
	if (!db_rows_bool(rows, 0, "live"))
		return err_set(err, RC_CONFLICT, "key_not_live",
			       "The key is revoked or expired; make a new one instead.");
	if (db_rows_bool(rows, 0, "busy"))
		return err_set(err, RC_CONFLICT, "rotation_in_progress",
			       "Two keys of this rotation work already; wait until the old one"
			       " expires, or revoke one of them.");
	return RC_OK;
}

static enum rc note_replacement(struct db *db, const struct key_replacement *in, struct err *err)
{
	char text[ID_TEXT_MAX];
	AUTO_JSON json_t *detail = NULL;
	const struct change made = { { in->old.kind, in->old.org_id, in->key_id },
				     in->actor,
				     in->request_id };
	const struct change old = { in->old, in->actor, in->request_id };
	enum rc rc = audit(db, &made, "created", NULL, err);

	id_text(in->key_id, KINDS[in->old.kind].prefix, text);
	detail = json_pack("{s:s, s:I}", "replaced_by", text, "overlap_s",
			   (json_int_t)in->overlap_s);
	return rc == RC_OK ? audit(db, &old, "rotated", detail, err) : rc;
}

static enum rc replace_body(struct db *db, void *arg, struct err *err)
{
	struct making *m = arg;
	const struct key_replacement *in = m->in;
	const struct kind *kind = &KINDS[in->old.kind];
	const struct arg made[] = { arg_id(in->old.key_id), arg_id(in->key_id),
				    arg_bytes(str_n(in->hash, KEYS_HASH)), arg_time(in->expires_at),
				    arg_id(in->old.org_id) };
	const struct arg old[] = { arg_id(in->old.key_id), arg_id(in->key_id),
				   arg_i64(in->overlap_s), arg_id(in->old.org_id) };
	enum rc rc = begin_making(db, m, &in->old, err);

	if (rc == RC_OK)
		rc = check_replaceable(db, &in->old, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &kind->succeed, made, &m->row, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &kind->retire, old, NULL, err);
	return rc == RC_OK ? note_replacement(db, in, err) : rc;
}

enum rc keys_replace(struct db *db, const struct key_replacement *in, struct db_rows **ret,
		     struct err *err)
{
	return make_tx(db, &in->old, in, replace_body, ret, err);
}

enum rc keys_authenticate(struct db *db, enum keys_kind kind, struct id key_id,
			  const unsigned char hash[KEYS_HASH], struct key_found *ret,
			  struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *stored = NULL;
	size_t n = 0;
	const struct keys_at at = { .kind = kind, .key_id = key_id };
	const struct db_who who = { .key_id = key_id };
	const struct arg args[] = { arg_id(key_id), arg_bytes(str_n(hash, KEYS_HASH)) };
	enum rc rc = db_run(db, &who, &KINDS[kind].authenticate, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) != 1)
		return not_found(&at, err);
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
