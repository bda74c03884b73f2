/* Holds the lane of an organization, sends what is due and writes how each attempt ended. What was sent
 * but not written down is sent again: at least once, never lost. No transaction is open while anything
 * is in flight. */
#include "workers/notify/deliver.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "db/delivery_lane.h"
#include "db/events.h"
#include "workers/notify/attempt.h"
#include "workers/notify/post.h"
#include "workers/notify/sign.h"

#include <assert.h>
#include <sodium.h>

enum {
	DELIVER_EACH = 2, /* attempts under way to one endpoint */
	DELIVER_FLIGHTS = DELIVER_EACH * EVENTS_ENDPOINTS_MAX,
	DELIVER_BUDGET_S = 10, /* then nothing new is begun: others of the organization wait */
	DELIVER_LOOK_MS = 1000,
	DELIVER_TURN_MS = 100, /* how late a stop may be noticed */
	DELIVER_BLOCKED_S = 30,
	DELIVER_KEY_S = 5,     /* for a sealing key that is on its way to this worker */
	DELIVER_CROWDED_S = 2, /* and up to as much again */
	DELIVER_IDS_MAX = DELIVER_FLIGHTS * ID_UUID_TEXT + 3,
};

struct deliver {
	struct task_run *run;
	struct deliver_env *env;
	CURLM *multi;
	int open;
	bool key_unknown;
	struct post flights[DELIVER_FLIGHTS];
};

static void deliver_done(struct deliver *d)
{
	for (size_t i = 0; i < DELIVER_FLIGHTS; i++)
		post_close(&d->flights[i], d->multi);
	curl_multi_cleanup(d->multi);
}
DEFINE_AUTO_VALUE(deliver, deliver_done)

static const char *end_name(enum delivery_end end)
{
	switch (end) {
	case DELIVERY_DONE: return "delivered";
	case DELIVERY_AGAIN: return "again";
	case DELIVERY_EXHAUSTED: return "exhausted";
	case DELIVERY_GONE: return "gone";
	}
	return "again";
}

static enum rc settle(struct deliver *d, const struct post *f, int status, const char *fault,
		      struct err *err)
{
	struct delivery_result result = { .delivery_id = f->delivery_id,
					  .webhook_id = f->webhook_id };
	const struct attempt a = { .before = f->before,
				   .status = status,
				   .fault = fault,
				   .retry_after = str_c(f->retry_after),
				   .wall = clock_wall(),
				   .scale_ppm = d->env->retry_ppm,
				   .random = randombytes_random() };

	attempt_judge(&a, &result);
	metrics_add(METRICS_WEBHOOK_ATTEMPTS, METRICS_LABELS(end_name(result.end)), 1);
	return delivery_lane_settle(d->run->db, d->run->task, &result, err);
}

/* Opens one sealed secret and adds its signature. */
static enum rc sign(const struct deliver *d, const struct db_rows *rows, int row,
		    const char *column, struct str id, int64_t timestamp_s, struct post *f,
		    struct buf *out, struct err *err)
{
	AUTO(secret) struct secret *secret = NULL;
	AUTO_TEXT char *sealed = NULL;
	char org[ID_UUID_TEXT], webhook[ID_UUID_TEXT];
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { webhook, ID_UUID_TEXT - 1 },
					  .field = S("webhook_secret") };
	size_t n = 0;
	enum rc rc = RC_OK;

	id_uuid(d->run->task->org_id, org);
	id_uuid(f->webhook_id, webhook);
	sealed = db_rows_bytes(rows, row, column, &n);
	rc = sealfile_open(d->run->env->keyring, &place, str_n(sealed, n), &secret, err);
	if (rc == RC_OK)
		rc = sign_add(out, secret_str(secret), id, timestamp_s, buf_str(&f->body), err);
	return rc;
}

/* The body that is signed and sent; its members are the same at every attempt. */
static enum rc write_body(const struct db_rows *rows, int row, struct buf *out)
{
	AUTO_JSON json_t *body = json_object();

	json_object_set_new(body, "type", json_text_value(db_rows_text(rows, row, "type")));
	json_object_set_new(body, "timestamp", json_text_value(db_rows_text(rows, row, "at")));
	json_object_set_new(body, "data", db_rows_json(rows, row, "data"));
	return json_put(out, body);
}

/* A secret that is damaged is an attempt that failed. A key that we lack is our fault and costs the receiver none; what is due
 * under other keys goes on. */
static enum rc not_begun(struct deliver *d, struct post *f, enum rc why, struct err *err)
{
	buf_done(&f->body);
	if (why != RC_NOT_FOUND)
		return settle(d, f, 0, "secret_unreadable", err);
	d->key_unknown = true;
	return RC_OK;
}

static enum rc begin(struct deliver *d, struct post *f, const struct db_rows *rows, int row,
		     struct err *err)
{
	AUTO(buf) struct buf signature = BUF_INIT(SIGN_HEADER_MAX);
	AUTO_TEXT char *url = str_dup(db_rows_text(rows, row, "url"));
	char id[ID_TEXT_MAX];
	struct post_order order = { .url = url, .id = id };
	struct err own = { 0 };
	enum rc rc = RC_OK;

	*f = (struct post){ .env = d->env, .body = BUF_INIT(POST_BODY_MAX) };
	f->delivery_id = db_rows_id(rows, row, "delivery_id");
	f->webhook_id = db_rows_id(rows, row, "webhook_id");
	f->before = (int)db_rows_i64(rows, row, "attempts");
	id_text(db_rows_id(rows, row, "event_id"), "evt_", id);
	order.timestamp_s = clock_wall() / CLOCK_S;
	rc = write_body(rows, row, &f->body);
	if (rc == RC_OK)
		rc = sign(d, rows, row, "sealed_secret", str_c(id), order.timestamp_s, f,
			  &signature, &own);
	if (rc == RC_OK && !db_rows_is_null(rows, row, "sealed_previous"))
		rc = sign(d, rows, row, "sealed_previous", str_c(id), order.timestamp_s, f,
			  &signature, &own);
	if (rc != RC_OK)
		return not_begun(d, f, rc, err);
	order.signature = buf_c(&signature);
	rc = post_start(f, d->multi, &order, err);
	if (rc == RC_OK)
		d->open++;
	return rc;
}

static int flying_to(const struct deliver *d, struct id webhook_id)
{
	int n = 0;

	for (size_t i = 0; i < DELIVER_FLIGHTS; i++)
		n += d->flights[i].open && id_eq(d->flights[i].webhook_id, webhook_id);
	return n;
}

static struct post *free_flight(struct deliver *d)
{
	for (size_t i = 0; i < DELIVER_FLIGHTS; i++)
		if (!d->flights[i].open)
			return &d->flights[i];
	return NULL;
}

static void list_flying(const struct deliver *d, struct buf *out)
{
	enum rc rc = buf_putc(out, '{');

	for (size_t i = 0; rc == RC_OK && i < DELIVER_FLIGHTS; i++) {
		char id[ID_UUID_TEXT];

		if (!d->flights[i].open)
			continue;
		id_uuid(d->flights[i].delivery_id, id);
		rc = buf_printf(out, "%s%s", out->n > 1 ? "," : "", id);
	}
	if (rc == RC_OK)
		rc = buf_putc(out, '}');
	assert(rc == RC_OK);
}

static enum rc refill(struct deliver *d, struct err *err)
{
	AUTO(buf) struct buf flying = BUF_INIT(DELIVER_IDS_MAX);
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = RC_OK;

	list_flying(d, &flying);
	rc = delivery_lane_due(d->run->db, d->run->task, DELIVER_EACH, buf_str(&flying), &rows,
			       err);
	for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
		struct post *f = free_flight(d);

		if (f && flying_to(d, db_rows_id(rows, i, "webhook_id")) < DELIVER_EACH)
			rc = begin(d, f, rows, i, err);
	}
	return rc;
}

/* *ret_some: a place has become free. */
static enum rc collect(struct deliver *d, bool *ret_some, struct err *err)
{
	struct post *f = NULL;
	const char *fault = "";
	int status = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (f = post_ended(d->multi, &status, &fault)) != NULL) {
		rc = settle(d, f, status, fault, err);
		post_close(f, d->multi);
		d->open--;
		*ret_some = true;
	}
	return rc;
}

static enum rc turn(struct deliver *d, struct err *err)
{
	int running = 0;

	if (curl_multi_perform(d->multi, &running) != CURLM_OK ||
	    (running == d->open &&
	     curl_multi_poll(d->multi, NULL, 0, DELIVER_TURN_MS, NULL) != CURLM_OK))
		return err_set(err, RC_BROKEN, "transport", "libcurl lost its webhooks' requests");
	return RC_OK;
}

static enum rc fly(struct deliver *d, struct err *err)
{
	int64_t until = clock_mono() + DELIVER_BUDGET_S * CLOCK_S;
	int64_t look_at = 0;
	enum rc rc = RC_OK;

	for (;;) {
		int64_t now = clock_mono();
		bool some = false;

		if (d->run->stop(d->run->stop_arg))
			return err_set(err, RC_RETRY, "stopped",
				       "delivering was stopped and goes on later");
		if (now >= look_at && now < until) {
			rc = refill(d, err);
			look_at = clock_mono() + DELIVER_LOOK_MS * CLOCK_MS;
		}
		if (rc == RC_OK && d->open == 0)
			return RC_OK;
		if (rc == RC_OK)
			rc = turn(d, err);
		if (rc == RC_OK)
			rc = collect(d, &some, err);
		if (rc != RC_OK)
			return rc;
		if (some)
			look_at = 0;
	}
}

static enum rc clean(struct task_run *run, struct err *err)
{
	bool left = true;

	while (left && !run->stop(run->stop_arg)) {
		enum rc rc = delivery_lane_clean(run->db, run->task, &left, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc key_unknown(struct task_run *run, struct err *err)
{
	run->retry_in_s = DELIVER_KEY_S;
	return err_set(err, RC_RETRY, "seal_key_unknown",
		       "a webhook's secret is sealed to a key that this worker lacks; give it the "
		       "seal.key of the others");
}

static enum rc deliver(struct task_run *run, struct err *err)
{
	AUTO(deliver) struct deliver d = { .run = run, .env = run->env->deliver };
	bool ours = false;
	enum rc rc = RC_OK;

	d.multi = curl_multi_init();
	if (!d.multi)
		return err_set(err, RC_BROKEN, "transport", "libcurl does not start");
	rc = delivery_lane_take(run->db, run->task, &ours, err);
	if (rc == RC_OK && ours)
		rc = fly(&d, err);
	if (rc == RC_OK && ours)
		rc = clean(run, err);
	if (rc == RC_OK && d.key_unknown)
		return key_unknown(run, err);
	if (rc == RC_OK && ours)
		rc = delivery_lane_leave(run->db, run->task, err);
	run->finished = rc == RC_OK;
	return rc;
}

/* Half of a process's threads at most wait for receivers: when the way out is broken, the receivers of
 * all organizations hang at once, and syncs go on. */
enum rc deliver_run(struct task_run *run, struct err *err)
{
	struct deliver_env *env = run->env->deliver;
	enum rc rc = RC_OK;

	if (!run->env->keyring || !env) {
		run->retry_in_s = DELIVER_BLOCKED_S;
		return err_set(err, RC_RETRY, "sealing_key_missing",
			       "the worker has no sealing key to open the secrets of webhooks with;"
			       " set seal_key_file");
	}
	if (!deliver_env_enter(env)) {
		run->retry_in_s =
			DELIVER_CROWDED_S + (int)randombytes_uniform(DELIVER_CROWDED_S + 1);
		return err_set(err, RC_RETRY, "deliveries_crowded",
			       "half of this worker's threads deliver webhooks already");
	}
	rc = deliver(run, err);
	deliver_env_exit(env);
	return rc;
}
