/* A change for show. Handlers change nothing but the database, and notifications are sent by COMMIT, so what
 * is rolled back has not happened at all: the rules that judge it are the real ones.
 * Never shows a secret that would have been made: it will not exist. */
#include "server/rehearse.h"
#include "api/connection_make.h"
#include "api/problem.h"
#include "base/mem.h"

#include <assert.h>

struct show {
	struct http_request *req;
	struct http_reply reply;
};

/* Always an error, for that is what rolls back. */
static enum rc show_body(struct db *db, void *arg, struct err *err)
{
	struct show *s = arg;

	(void)db;
	http_reply_done(&s->reply);
	s->reply = s->req->route->run(s->req);
	return err_set(err, s->reply.status == 503 ? RC_RETRY : RC_CONFLICT, "rehearsal",
		       "nothing is kept");
}

struct http_reply rehearse_run(struct http_request *req)
{
	struct show s = { .req = req };
	const struct db_who who = http_who(req);
	struct err err = { 0 };
	char *hidden = NULL;
	enum rc rc = db_tx_shell(req->db, &who, show_body, &s, &err);

	assert(rc != RC_OK);
	if (s.reply.own_account) { /* the attempt was real: its line again, with nothing to undo it */
		http_reply_done(&s.reply);
		return connection_make_own_account(req);
	}
	if (s.reply.status >= 300)
		return s.reply;
	hidden = http_reply_hidden(&s.reply);
	if (hidden) {
		mem_free(s.reply.body);
		s.reply.body = hidden;
		s.reply.n = strlen(hidden);
	}
	s.reply.status = 200;
	s.reply.location[0] = '\0';
	s.reply.etag[0] = '\0';
	return s.reply;
}
