/* aws_probe: drives the AWS client from tests and prints what happened as JSON lines.
 *
 * 	aws_probe warm|call|pages|each SERVICE:ACTION [PARAMS] [options]
 *
 * PARAMS is a JSON object; `each` reads one JSON object a line from stdin. Pages and items are
 * printed as they come ({"page": ...}, {"item": ...}), the last line is the summary. Options:
 * --role ARN --external-id X --session-policy JSON --duration S --region R --home R --account A
 * --rates R --in-flight N --call-timeout S --deadline S --own-account A --cancel-after MS
 * --repeat N --every MS --threads N --ca-file PATH --quiet. Not part of the product. */
#include "aws/aws.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct options {
	const char *verb;
	const char *op;
	const char *params;
	const char *role, *external_id, *session_policy;
	const char *region, *home, *account, *rates, *ca_file;
	const char *own_accounts[2];
	int duration_s, in_flight, call_timeout_s, deadline_s, cancel_after_ms, repeat, every_ms;
	int threads;
	bool quiet;
};

struct work {
	const struct options *o;
	struct aws_env *env;
	struct aws_session *session;
	const struct aws_op *op;
	struct aws_target target;
	json_t *params;
	struct aws_tally tally;
	struct aws_fault fault;
	struct err err;
	enum rc rc;
	int64_t started, first_fault, items, faults;
	int64_t runs;
};

static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;

static void print(const struct work *w, json_t *line)
{
	char *text;

	if (!w->o->quiet) {
		text = json_text(line);
		pthread_mutex_lock(&out);
		puts(text);
		pthread_mutex_unlock(&out);
		mem_free(text);
	}
	json_decref(line);
}

static json_t *fault_json(const struct aws_fault *f)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "class", aws_class_name(f->class),
			 "code", f->code, "message", f->message, "request_id", f->request_id,
			 "deny_cause", f->deny_cause, "status", f->http_status);
}

static enum rc page(void *arg, json_t *reply, struct err *err)
{
	struct work *w = arg;

	(void)err;
	w->items++;
	print(w, json_pack("{s:O}", "page", reply));
	return RC_OK;
}

static json_t *next_line(void *arg, void **ret_item)
{
	struct err err = { 0 };
	char line[4096];
	json_t *params = NULL;

	(void)arg;
	*ret_item = NULL;
	if (fgets(line, sizeof(line), stdin) == NULL)
		return NULL;
	return json_parse(str_trim(str_c(line)), 8, &params, &err) == RC_OK ? params : NULL;
}

static enum rc each_done(void *arg, void *item, json_t *reply, bool more,
			 const struct aws_fault *fault, struct err *err)
{
	struct work *w = arg;

	(void)item;
	(void)err;
	if (reply == NULL) {
		w->faults++;
		print(w, json_pack("{s:o}", "item_fault", fault_json(fault)));
		return RC_OK;
	}
	if (!more)
		w->items++;
	print(w, json_pack("{s:O, s:b}", "item", reply, "more", more));
	return RC_OK;
}

static bool stop(void *arg)
{
	const struct work *w = arg;

	return w->o->cancel_after_ms > 0 &&
	       clock_mono() - w->started > w->o->cancel_after_ms * CLOCK_MS;
}

static enum rc run_once(struct work *w, struct aws_client *c)
{
	json_t *reply = NULL;
	const struct aws_each each = { next_line, each_done, w };
	enum rc rc;

	w->err = (struct err){ 0 };
	if (strcmp(w->o->verb, "warm") == 0)
		return aws_session_warm(w->session, c, &w->fault, &w->err);
	if (strcmp(w->o->verb, "pages") == 0)
		return aws_pages(c, &w->target, w->op, w->params, page, w, &w->fault, &w->tally,
				 &w->err);
	if (strcmp(w->o->verb, "each") == 0)
		return aws_each(c, &w->target, w->op, &each, &w->fault, &w->tally, &w->err);
	rc = aws_call(c, &w->target, w->op, w->params, &reply, &w->fault, &w->tally, &w->err);
	if (rc == RC_OK) {
		w->items++;
		print(w, json_pack("{s:o}", "page", reply));
	}
	return rc;
}

static void *thread(void *arg)
{
	struct work *w = arg;
	struct aws_client *c = aws_client_new(w->env);

	w->started = clock_mono();
	aws_client_stop_when(c, stop, w);
	for (int i = 0; i < w->o->repeat; i++) {
		if (i > 0 && w->o->every_ms > 0)
			clock_sleep(w->o->every_ms * CLOCK_MS);
		w->rc = run_once(w, c);
		w->runs++;
		if (w->rc != RC_OK)
			break;
	}
	aws_client_free(c);
	return NULL;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* getrusage's figure is inherited over exec from whoever started us; this one is our own. */
static json_int_t peak_kib(void)
{
	char line[128];
	long long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %lld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

static void summary(const struct work *w, int64_t elapsed)
{
	struct rusage u;
	char *text;
	json_t *j;

	getrusage(RUSAGE_SELF, &u);
	j = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I}",
		      "rc", err_rc_name(w->rc), "err_code", w->err.code, "err_text", w->err.text,
		      "fault", fault_json(&w->fault), "calls", (json_int_t)w->tally.calls, "pages",
		      (json_int_t)w->tally.pages, "throttles", (json_int_t)w->tally.throttles,
		      "retries", (json_int_t)w->tally.retries, "items", (json_int_t)w->items,
		      "faults", (json_int_t)w->faults, "runs", (json_int_t)w->runs, "elapsed_s",
		      (double)elapsed / (double)CLOCK_S, "cpu_s",
		      seconds(u.ru_utime) + seconds(u.ru_stime), "max_rss_kib", peak_kib());
	text = json_text(j);
	puts(text);
	mem_free(text);
	json_decref(j);
}

static int number(const char *text)
{
	int64_t n = 0;

	if (!str_to_i64(str_c(text), &n)) {
		fprintf(stderr, "aws_probe: \"%s\" is not a number\n", text);
		exit(2);
	}
	return (int)n;
}

static void set_option(struct options *o, int c)
{
	switch (c) {
	case 'r': o->role = optarg; break;
	case 'x': o->external_id = optarg; break;
	case 'p': o->session_policy = optarg; break;
	case 'u': o->duration_s = number(optarg); break;
	case 'g': o->region = optarg; break;
	case 'h': o->home = optarg; break;
	case 'a': o->account = optarg; break;
	case 't': o->rates = optarg; break;
	case 'n': o->in_flight = number(optarg); break;
	case 'c': o->call_timeout_s = number(optarg); break;
	case 'd': o->deadline_s = number(optarg); break;
	case 'o': o->own_accounts[0] = optarg; break;
	case 'k': o->cancel_after_ms = number(optarg); break;
	case 'e': o->repeat = number(optarg); break;
	case 'v': o->every_ms = number(optarg); break;
	case 'T': o->threads = number(optarg); break;
	case 'C': o->ca_file = optarg; break;
	case 'q': o->quiet = true; break;
	default: exit(2);
	}
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "role", 1, NULL, 'r' },
		{ "external-id", 1, NULL, 'x' },
		{ "session-policy", 1, NULL, 'p' },
		{ "duration", 1, NULL, 'u' },
		{ "region", 1, NULL, 'g' },
		{ "home", 1, NULL, 'h' },
		{ "account", 1, NULL, 'a' },
		{ "rates", 1, NULL, 't' },
		{ "in-flight", 1, NULL, 'n' },
		{ "call-timeout", 1, NULL, 'c' },
		{ "deadline", 1, NULL, 'd' },
		{ "own-account", 1, NULL, 'o' },
		{ "cancel-after", 1, NULL, 'k' },
		{ "repeat", 1, NULL, 'e' },
		{ "every", 1, NULL, 'v' },
		{ "threads", 1, NULL, 'T' },
		{ "ca-file", 1, NULL, 'C' },
		{ "quiet", 0, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .region = "us-east-1", .account = "", .repeat = 1, .threads = 1 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		set_option(o, c);
	if (optind < argc)
		o->verb = argv[optind++];
	if (optind < argc)
		o->op = argv[optind++];
	if (optind < argc)
		o->params = argv[optind++];
	if (o->verb == NULL || (o->op == NULL && strcmp(o->verb, "warm") != 0)) {
		fputs("usage: aws_probe warm|call|pages|each SERVICE:ACTION [PARAMS] [options]\n",
		      stderr);
		exit(2);
	}
	if (o->home == NULL)
		o->home = o->region;
}

static const struct aws_op *find_op(const char *name)
{
	struct str rest = str_c(name);
	AUTO_TEXT char *service = str_dup(str_cut(&rest, ':'));
	const struct aws_op *op = aws_op_find(service, rest.p);

	if (op == NULL) {
		fprintf(stderr, "aws_probe: there is no row for %s\n", name);
		exit(2);
	}
	return op;
}

static void open_session(const struct options *o, struct work *w)
{
	AUTO(aws_session) struct aws_session *base = aws_session_base(w->env);
	const struct aws_role role = {
		.role_arn = o->role,
		.external_id = o->external_id,
		.session_name = "aws_probe",
		.session_policy = o->session_policy,
		.region = o->home,
		.duration_s = o->duration_s,
	};

	w->session = o->role == NULL ? TAKE(base) : aws_session_role(w->env, base, &role);
}

static void run_all(const struct options *o, struct work *w)
{
	struct work *all = mem_array((size_t)o->threads, sizeof(*all));
	pthread_t *ids = mem_array((size_t)o->threads, sizeof(*ids));

	for (int i = 0; i < o->threads; i++) {
		all[i] = *w;
		pthread_create(&ids[i], NULL, thread, &all[i]);
	}
	for (int i = 0; i < o->threads; i++) {
		pthread_join(ids[i], NULL);
		aws_tally_add(&w->tally, &all[i].tally);
		w->items += all[i].items;
		w->faults += all[i].faults;
		w->runs += all[i].runs;
		if (w->rc == RC_OK) {
			w->rc = all[i].rc;
			w->fault = all[i].fault;
			w->err = all[i].err;
		}
	}
	mem_free(ids);
	mem_free(all);
}

int main(int argc, char **argv)
{
	struct options o;
	struct work w = { .o = &o };
	int64_t started;

	parse(argc, argv, &o);
	setvbuf(stdout, NULL, _IOLBF, 0);
	secret_harden_process();
	json_setup();
	aws_setup();
	const struct aws_settings settings = {
		.in_flight = o.in_flight,
		.rates = o.rates,
		.ca_file = o.ca_file,
		.call_timeout_s = o.call_timeout_s,
		.scope_deadline_s = o.deadline_s,
		.own_accounts = o.own_accounts,
	};
	w.op = o.op == NULL ? NULL : find_op(o.op);
	started = clock_mono();
	w.rc = aws_env_new(&settings, &w.env, &w.err);
	if (w.rc == RC_OK)
		open_session(&o, &w);
	if (w.rc == RC_OK && o.params != NULL)
		w.rc = json_parse(str_c(o.params), 16, &w.params, &w.err);
	if (w.rc == RC_OK) {
		w.target = (struct aws_target){ w.session, o.account, o.region, o.home };
		run_all(&o, &w);
	}
	summary(&w, clock_mono() - started);
	json_decref(w.params);
	aws_session_free(w.session);
	aws_env_free(w.env);
	return w.rc == RC_OK ? 0 : 1;
}
