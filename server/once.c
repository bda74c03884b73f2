/* Idempotency-Key. The handler's change and the stored answer are one transaction, so there is no moment at
 * which one exists without the other; a key is held by a lock of that transaction. After a lost answer to
 * COMMIT the stored row says whether it happened.
 * Never stores a refusal (it changed nothing) and never a secret that is shown once. */
#include "server/once.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/mem.h"
#include "db/idempotency.h"

#include <stdio.h>

enum { RESOLVE_MS = 2000, RESOLVE_PAUSE_MS = 50, KEY_BYTES_MAX = 1024, BUSY_RETRY_S = 1 };

struct turn {
	struct http_request *req;
	struct idempotency_key key;
	struct http_reply reply;
	bool final; /* the reply stands although its transaction is undone */
	enum idempotency_state state;
};

bool once_is_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < '!' || key.p[i] > '~')
			return false;
	return key.n >= 1 && key.n <= ONCE_KEY_MAX;
}

static void hash_lines(const struct str *lines, size_t n, unsigned char out[TEXT_SHA256])
{
	unsigned char all[8][TEXT_SHA256];

	for (size_t i = 0; i < n; i++)
		text_sha256(lines[i], all[i]);
	text_sha256(str_n(all, n * TEXT_SHA256), out);
}

static struct idempotency_key key_of(const struct http_request *req, struct str key,
				     struct str target)
{
	struct idempotency_key k = { .org_id = req->caller.org_id };
	const struct str name[] = { str_n(k.org_id.b, ID_BYTES), str_c(req->route->method),
				    str_c(req->route->pattern), key };
	const struct str request[] = { str_c(req->route->method), target, req->body };

	hash_lines(name, COUNT_OF(name), k.hash);
	hash_lines(request, COUNT_OF(request), k.fingerprint);
	return k;
}

static struct http_reply replay(const struct db_rows *rows)
{
	struct idempotency_answer a = idempotency_read(rows);
	struct http_reply reply = { .status = a.status, .replayed = true };

	if (a.body.n > 0) {
		reply.type = "application/json";
		reply.body = str_dup(a.body);
		reply.n = a.body.n;
	}
	(void)snprintf(reply.location, sizeof(reply.location), "%.*s", STR_FMT(a.location));
	(void)snprintf(reply.etag, sizeof(reply.etag), "%.*s", STR_FMT(a.etag));
	return reply;
}

static struct http_reply busy(const struct http_request *req)
{
	struct http_reply reply = problem_of(
		req, 409, "idempotency_in_flight",
		"A request with this Idempotency-Key is under way; ask again for its answer.");

	reply.retry_after_s = BUSY_RETRY_S;
	return reply;
}

static struct http_reply other(const struct http_request *req)
{
	return problem_of(req, 422, "idempotency_key_reused",
			  "This Idempotency-Key was used for another request within 24 hours;"
			  " every change needs a key of its own.");
}

static struct http_reply purged(const struct http_request *req)
{
	return problem_of(req, 409, "idempotency_answer_purged",
			  "The request with this Idempotency-Key was done, and what it made was"
			  " deleted since; to make it anew, use another key.");
}

/* What is stored of a reply; views into it and into hidden, which is http_reply_hidden() of it. */
static struct idempotency_answer stored_form(const struct http_reply *reply, const char *hidden)
{
	return (struct idempotency_answer){
		.status = reply->status,
		.body = hidden ? str_c(hidden) : str_n(reply->body ? reply->body : "", reply->n),
		.location = str_c(reply->location),
		.etag = str_c(reply->etag),
	};
}

static enum rc store(struct db *db, const struct turn *t, struct err *err)
{
	AUTO_TEXT char *hidden = http_reply_hidden(&t->reply);
	const struct idempotency_answer answer = stored_form(&t->reply, hidden);

	return idempotency_store(db, &t->key, &answer, err);
}

/* Another server may have done the same request while we did not know: then its answer is the true one. */
static bool stored_is_mine(const struct turn *t, const struct db_rows *rows)
{
	AUTO_TEXT char *hidden = http_reply_hidden(&t->reply);
	const struct idempotency_answer mine = stored_form(&t->reply, hidden);
	struct idempotency_answer a = idempotency_read(rows);

	return a.status == mine.status && str_eq(a.body, mine.body) &&
	       str_eq(a.location, mine.location) && str_eq(a.etag, mine.etag);
}

/* What was refused has been undone part by part already; what is left is committed, an audit row above
 * all. A failure of ours undoes everything and leaves the key free. */
static enum rc run_handler(struct db *db, struct turn *t, struct err *err)
{
	t->reply = t->req->route->run(t->req);
	if (t->reply.status < 300)
		return store(db, t, err);
	t->final = t->reply.status >= 500 || !db_tx_alive(db);
	if (!t->final)
		return RC_OK;
	return err_set(err, t->reply.status == 503 ? RC_RETRY : RC_CONFLICT, "refused",
		       "the handler refused");
}

static enum rc turn_body(struct db *db, void *arg, struct err *err)
{
	struct turn *t = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = RC_OK;

	http_reply_done(&t->reply);
	t->reply = (struct http_reply){ 0 };
	t->final = false;
	rc = idempotency_claim(db, &t->key, &t->state, &rows, err);
	if (rc != RC_OK)
		return rc;
	switch (t->state) {
	case IDEMPOTENCY_FREE: return run_handler(db, t, err);
	case IDEMPOTENCY_BUSY: t->reply = busy(t->req); break;
	case IDEMPOTENCY_OTHER: t->reply = other(t->req); break;
	case IDEMPOTENCY_PURGED: t->reply = purged(t->req); break;
	case IDEMPOTENCY_STORED: t->reply = replay(rows); break;
	}
	return RC_OK;
}

static enum rc look_body(struct db *db, void *arg, struct err *err)
{
	struct turn *t = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = idempotency_claim(db, &t->key, &t->state, &rows, err);

	if (rc != RC_OK || (t->state == IDEMPOTENCY_STORED && stored_is_mine(t, rows)))
		return rc;
	if (t->state == IDEMPOTENCY_STORED) {
		http_reply_done(&t->reply);
		t->reply = replay(rows);
	}
	return RC_OK;
}

/* Nobody told us how COMMIT ended. The transaction may even still be at it: its lock says so. */
static bool resolve(struct turn *t, const struct db_who *who)
{
	int64_t deadline = clock_mono() + RESOLVE_MS * CLOCK_MS;

	do {
		struct err err = { 0 };
		enum rc rc = db_tx(t->req->db, who, look_body, t, &err);

		if (rc == RC_OK && t->state != IDEMPOTENCY_BUSY)
			return true;
		clock_sleep(RESOLVE_PAUSE_MS * CLOCK_MS);
	} while (clock_mono() < deadline);
	return false;
}

static struct http_reply after_unknown(struct turn *t, const struct db_who *who)
{
	bool known = resolve(t, who);
	struct http_reply reply = { 0 };

	if (known && t->state == IDEMPOTENCY_STORED)
		return t->reply;
	http_reply_done(&t->reply);
	if (known && t->state == IDEMPOTENCY_PURGED)
		return purged(t->req);
	if (known && t->state == IDEMPOTENCY_OTHER)
		return other(t->req);
	reply = problem_of(t->req, 503, known ? "unavailable" : "outcome_unknown", "%s",
			   known ? "The database went away and nothing was changed; send it again."
				 : "The database went away while it was committing; send it again"
				   " with the same Idempotency-Key, it will not happen twice.");
	reply.retry_after_s = 1;
	return reply;
}

struct http_reply once_run(struct http_request *req, struct str key, struct str target)
{
	struct turn t = { .req = req, .key = key_of(req, key, target) };
	const struct db_who who = http_who(req);
	struct err err = { 0 };
	enum rc rc = db_tx_shell(req->db, &who, turn_body, &t, &err);

	if (rc == RC_OK || t.final)
		return t.reply;
	if (str_eq(str_c(err.code), S("commit_unknown")))
		return after_unknown(&t, &who);
	http_reply_done(&t.reply);
	return problem_err(req, &err);
}
