/* Task kinds: a name, a function, its limits. A pool is given a table of these, so that tests can bring their own. */
#ifndef WORKERS_KINDS_H
#define WORKERS_KINDS_H

#include "aws/aws.h"
#include "base/sealfile.h"
#include "db/tasks.h"
#include "workers/deliver_env.h"

/* What all threads of a worker process share; immutable after start except what locks itself. */
struct worker_env {
	struct aws_env *aws;
	struct aws_session *base;    /* the operator's identity; NULL = none found */
	struct sealfile *keyring;    /* sealfile_open(); NULL = no sealing key configured */
	struct deliver_env *deliver; /* NULL: no webhooks are delivered */
	bool external_id_enforce;
	int new_role_grace_s;
	int verify_every_s;
	const char *setup_name_prefix; /* of what customers are asked to create for us */
};

struct task_run {
	struct task *task;
	struct db *db;             /* this thread's */
	struct aws_client *client; /* this thread's */
	const struct worker_env *env;
	bool (*stop)(
		void *arg); /* true: drained, cancelled or lease lost; leave at the next page */
	void *stop_arg;
	bool finished;  /* the function called tasks_finish in its own last transaction */
	int retry_in_s; /* with RC_RETRY: when; 0 = the pool's backoff */
};

/* RC_OK: done (the pool calls tasks_finish unless finished is set). Otherwise rc.def's outcome decides: LATER retries until
 * attempts run out, DEAD fails the task, DROP leaves it to its new owner. */
typedef enum rc task_fn(struct task_run *run, struct err *err);

struct task_kind {
	const char *name; /* NULL ends the table */
	task_fn *run;
	int attempts_max; /* 0 = the setting's */
	int timeout_s;    /* stop is raised after this */
};
extern const struct task_kind KINDS[];

#endif
