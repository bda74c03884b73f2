/* Idempotency keys as rows. What is under way is a lock of its transaction and no row: a server that
 * dies or loses its connection leaves nothing behind that would have to be taken back.
 * Never stores a client's key, only its hash. */
#include "db/idempotency.h"

enum { PRUNE_WITH_STORE = 8 };

/* A statement of its own: the next one must look after the lock was got. */
static const struct stmt LOCK = { "idempotency_lock", "SELECT pg_try_advisory_xact_lock($1) AS got",
				  1 };
static const struct stmt FIND = {
	"idempotency_find",
	"SELECT fingerprint = $3 AS same, purged, status, body, location, etag FROM idempotency"
	" WHERE org_id = $1 AND key_hash = $2 AND expires_at > now()",
	3
};

static struct db_who whose(const struct idempotency_key *key)
{
	const struct id nobody = { { 0 } };

	return (struct db_who){ .org_id = key->org_id,
				.operator_role = id_eq(key->org_id, nobody) };
}

/* All zeros is a value here, where elsewhere it is none. */
static struct arg org_arg(const struct idempotency_key *key)
{
	const struct id nobody = { { 0 } };

	return id_eq(key->org_id, nobody) ? arg_c("00000000-0000-0000-0000-000000000000")
					  : arg_id(key->org_id);
}

static struct arg hash_arg(const unsigned char hash[TEXT_SHA256])
{
	return arg_bytes(str_n(hash, TEXT_SHA256));
}

enum rc idempotency_claim(struct db *db, const struct idempotency_key *key,
			  enum idempotency_state *ret, struct db_rows **ret_rows, struct err *err)
{
	AUTO(db_rows) struct db_rows *lock = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = whose(key);
	int64_t number = 0;
	enum rc rc = RC_OK;

	memcpy(&number, key->hash, sizeof(number));
	rc = db_run(db, &who, &LOCK, (const struct arg[]){ arg_i64(number) }, &lock, err);
	if (rc != RC_OK)
		return rc;
	*ret = IDEMPOTENCY_BUSY;
	if (!db_rows_bool(lock, 0, "got"))
		return RC_OK;
	rc = db_run(db, &who, &FIND,
		    (const struct arg[]){ org_arg(key), hash_arg(key->hash),
					  hash_arg(key->fingerprint) },
		    &rows, err);
	if (rc != RC_OK)
		return rc;
	*ret = db_rows_count(rows) == 0          ? IDEMPOTENCY_FREE
	       : !db_rows_bool(rows, 0, "same")  ? IDEMPOTENCY_OTHER
	       : db_rows_bool(rows, 0, "purged") ? IDEMPOTENCY_PURGED
						 : IDEMPOTENCY_STORED;
	if (*ret == IDEMPOTENCY_STORED)
		*ret_rows = TAKE(rows);
	return RC_OK;
}

struct idempotency_answer idempotency_read(const struct db_rows *rows)
{
	return (struct idempotency_answer){ .status = (int)db_rows_i64(rows, 0, "status"),
					    .body = db_rows_text(rows, 0, "body"),
					    .location = db_rows_text(rows, 0, "location"),
					    .etag = db_rows_text(rows, 0, "etag") };
}

/* Whoever stores takes some expired rows of the organization along; a conflict can only be with one. */
static const struct stmt STORE = {
	"idempotency_store",
	"WITH old AS (DELETE FROM idempotency WHERE org_id = $1 AND key_hash IN"
	"  (SELECT key_hash FROM idempotency WHERE org_id = $1 AND expires_at <= now()"
	"   AND key_hash <> $2 ORDER BY expires_at LIMIT $7::bigint FOR UPDATE SKIP LOCKED))"
	" INSERT INTO idempotency (org_id, key_hash, fingerprint, status, body, location, etag)"
	" VALUES ($1, $2, $3, $4, $5, $6, $8)"
	" ON CONFLICT (org_id, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint,"
	"  status = excluded.status, body = excluded.body, location = excluded.location,"
	"  etag = excluded.etag, purged = excluded.purged, created_at = excluded.created_at, "
	"expires_at = excluded.expires_at"
	"  WHERE idempotency.expires_at <= now()",
	8
};

enum rc idempotency_store(struct db *db, const struct idempotency_key *key,
			  const struct idempotency_answer *answer, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = whose(key);
	const struct arg args[] = { org_arg(key),
				    hash_arg(key->hash),
				    hash_arg(key->fingerprint),
				    arg_i64(answer->status),
				    arg_text(answer->body),
				    arg_text(answer->location),
				    arg_i64(PRUNE_WITH_STORE),
				    arg_text(answer->etag) };
	enum rc rc = db_run(db, &who, &STORE, args, &rows, err);

	if (rc == RC_OK && db_rows_affected(rows) != 1)
		return err_set(err, RC_BROKEN, "idempotency",
			       "an answer was stored while the key was held");
	return rc;
}

static const struct stmt PRUNE = {
	"idempotency_prune",
	"DELETE FROM idempotency WHERE (org_id, key_hash) IN (SELECT org_id, key_hash FROM"
	" idempotency WHERE expires_at <= now() ORDER BY expires_at LIMIT $1::bigint)",
	1
};

enum rc idempotency_prune(struct db *db, int limit, int64_t *ret_n, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &PRUNE, (const struct arg[]){ arg_i64(limit) }, &rows, err);

	if (rc == RC_OK)
		*ret_n = db_rows_affected(rows);
	return rc;
}
