/* A check from its order to its report: the way in (probe.h), then every wanted action, by simulation and by cheap calls. A draft
 * is checked like a connection and leaves nothing but its report. Never reads more than whether a call is let through. */
#include "workers/check/check.h"
#include "base/clock.h"
#include "db/checks.h"
#include "db/connection_state.h"
#include "workers/check/findings.h"
#include "workers/check/live.h"
#include "workers/check/simulate.h"
#include "workers/verify.h"

enum {
	CHECK_PROBE_S = 60, /* for the way in */
	CHECK_CALLS_S = 90, /* for the permissions; a call that has begun may take its own time */
};

struct check {
	struct task_run *run;
	struct id check_id;
	struct check_order *order;
	struct connection_state *c;
	struct probe probe;
	struct answers answers;
	struct aws_fault simulation;
	bool simulation_tried;
	struct aws_tally tally;
	int64_t until;
};

static bool is_over(void *check)
{
	const struct check *k = check;

	return k->run->stop(k->run->stop_arg) || clock_mono() > k->until;
}

/* Whose policies are simulated; NULL: nobody's that IAM would take. */
static const char *principal_of(const struct check *k)
{
	if (strcmp(k->c->auth_method, "assume_role") == 0)
		return k->c->role_arn;
	return str_has(str_c(k->probe.identity.arn), S(":user/")) ? k->probe.identity.arn : NULL;
}

static enum rc ask_aws(struct check *k, struct aws_session *session, struct err *err)
{
	const struct aws_target target = { .session = session,
					   .account = k->probe.identity.account,
					   .region = k->c->region,
					   .home_region = k->c->region };
	const struct simulate_target simulate = { .client = k->run->client,
						  .aws = &target,
						  .principal_arn = principal_of(k),
						  .account = k->probe.identity.account,
						  .tally = &k->tally };
	const struct live_target live = { .client = k->run->client,
					  .aws = &target,
					  .partition = k->probe.identity.partition,
					  .account = k->probe.identity.account,
					  .until = k->until,
					  .tally = &k->tally };
	const struct aws_fault let_in = { .class = AWS_OK };
	enum rc rc = RC_OK;

	answers_fault(&k->answers, "sts:GetCallerIdentity", &let_in);
	k->simulation_tried = simulate.principal_arn != NULL;
	if (k->simulation_tried)
		rc = simulate_all(&simulate, &k->answers, &k->simulation, err);
	if (rc == RC_OK && k->simulation_tried)
		answers_fault(&k->answers, "iam:SimulatePrincipalPolicy", &k->simulation);
	return rc == RC_OK ? live_all(&live, &k->answers, err) : rc;
}

static const char *why_unknown(const struct check *k)
{
	if (k->probe.rc != RC_OK)
		return "Not asked, because the connection could not be entered.";
	if (!k->simulation_tried)
		return "Not asked: it is not tried out without need, and IAM simulates no root "
		       "user.";
	if (k->simulation.class == AWS_DENIED)
		return "Not asked: it is not tried out without need. Allow "
		       "iam:SimulatePrincipalPolicy to find out.";
	return "Not asked: IAM's simulation gave no answer about it.";
}

static enum rc permissions(struct check *k, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	struct err own = { 0 };
	enum rc rc = RC_OK;

	if (k->probe.rc == RC_OK) {
		k->until = clock_mono() + CHECK_CALLS_S * CLOCK_S;
		aws_client_stop_when(k->run->client, is_over, k);
		rc = session_open_check(k->run, k->c, &session, &own);
		if (rc == RC_OK)
			rc = ask_aws(k, session, &own);
		aws_client_stop_when(k->run->client, k->run->stop, k->run->stop_arg);
	}
	if (k->run->stop(k->run->stop_arg))
		return err_set(err, RC_RETRY, "stopped", "the check was stopped");
	if (rc != RC_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	answers_close(&k->answers, why_unknown(k));
	return RC_OK;
}

static enum rc finish(struct check *k, struct err *err)
{
	const struct findings findings = {
		.probe = &k->probe,
		.answers = &k->answers,
		.simulation = k->simulation_tried ? &k->simulation : NULL,
		.calls = k->tally.calls + k->probe.tally.calls,
	};
	AUTO_JSON json_t *report = findings_report(&findings);
	AUTO_JSON json_t *rows = findings_rows(&k->answers);
	const struct check_result result = {
		.task = k->run->task,
		.check_id = k->check_id,
		.version = k->c->version,
		.account = k->probe.rc == RC_OK ? k->probe.identity.account : "",
		.report = report,
		.rows = rows,
	};
	enum rc rc = checks_finish(k->run->db, &result, err);

	k->run->finished = rc == RC_OK;
	return rc;
}

static enum rc run_check(struct check *k, struct err *err)
{
	const struct answers_scope scope = {
		.wanted = k->order->wanted,
		.organization = k->c->aws_organization_id[0] != '\0',
		.name_prefix = k->run->env->setup_name_prefix,
		.bucket = k->c->cloudtrail_bucket,
		.trail_prefix = k->c->cloudtrail_bucket[0] ? k->c->cloudtrail_digest_prefix : "",
	};
	struct answers_scope known = scope;
	bool draft = k->order->draft != NULL;
	enum rc rc = probe_run(k->run, k->c, CHECK_PROBE_S, &k->probe, err);

	k->run->retry_in_s = 0; /* what is no verdict is told as such and not tried again */
	if (rc == RC_OK && !draft)
		rc = verify_verdict(&k->probe, err);
	if (rc != RC_OK)
		return rc;
	known.partition = k->probe.identity.partition;
	answers_init(&k->answers, &known);
	rc = permissions(k, err);
	if (rc == RC_OK)
		rc = finish(k, err);
	if (rc == RC_OK && !draft && k->probe.rc == RC_OK)
		return verify_first_sync(k->run, k->c, err);
	return rc;
}

static enum rc load(struct check *k, struct err *err)
{
	const struct task *task = k->run->task;
	enum rc rc = id_parse_uuid(json_str(task->payload, "check_id"), &k->check_id);

	if (rc != RC_OK)
		return err_set(err, RC_DENIED, "check_gone", "the task names no check");
	rc = checks_load(k->run->db, task->org_id, k->check_id, &k->order, err);
	if (rc != RC_OK)
		return rc;
	if (!k->order->draft)
		return connection_state_load(k->run->db, task->org_id, task->connection_id, &k->c,
					     err);
	k->c = connection_state_draft(
		task->org_id, k->check_id, k->order->draft,
		str_n(k->order->sealed ? k->order->sealed : "", k->order->sealed_n));
	return RC_OK;
}

enum rc check_run(struct task_run *run, struct err *err)
{
	struct check k = { .run = run };
	enum rc rc = load(&k, err);

	if (rc == RC_OK && !k.c->deleted)
		rc = run_check(&k, err);
	answers_done(&k.answers);
	probe_done(&k.probe);
	connection_state_free(k.c);
	check_order_free(k.order);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}
