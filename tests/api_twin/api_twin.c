/* The bare twin of the API bench: libmicrohttpd and libpq with nothing between them. GET /<a>/<b> runs the prepared statement
 * with both segments as parameters and answers with the values of all rows, joined. No guard, no credential, no row security
 * (it connects as a superuser), no JSON. It exists to be beaten to a fraction; it is no example. */
#include <libpq-fe.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MAX = 64, ANSWER_MAX = 1024 * 1024, PARAMETERS_MAX = 3 };

static PGconn *idle[POOL_MAX];
static int idle_n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int parameters;
static __thread char answer_text[ANSWER_MAX];

static PGconn *take(void)
{
	PGconn *c = NULL;

	pthread_mutex_lock(&lock);
	while (idle_n == 0)
		pthread_cond_wait(&freed, &lock);
	c = idle[--idle_n];
	pthread_mutex_unlock(&lock);
	return c;
}

static void give(PGconn *c)
{
	pthread_mutex_lock(&lock);
	idle[idle_n++] = c;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

static size_t join(const PGresult *r)
{
	size_t n = 0;

	for (int row = 0; row < PQntuples(r); row++)
		for (int column = 0; column < PQnfields(r); column++) {
			size_t size = (size_t)PQgetlength(r, row, column);

			if (n + size + 1 > ANSWER_MAX)
				return n;
			memcpy(answer_text + n, PQgetvalue(r, row, column), size);
			n += size;
			answer_text[n++] = '\t';
		}
	return n;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_n, void **seen)
{
	char first[64] = "", second[64] = "";
	const char *values[PARAMETERS_MAX] = { first, second, "101" };
	struct MHD_Response *response = NULL;
	enum MHD_Result queued = MHD_NO;
	PGconn *db = NULL;
	PGresult *r = NULL;
	int status = 0;

	(void)cls, (void)method, (void)version, (void)upload, (void)upload_n;
	if (!*seen) {
		*seen = c;
		return MHD_YES;
	}
	if (sscanf(url, "/%63[^/]/%63s", first, second) != 2)
		return MHD_NO;
	db = take();
	r = PQexecPrepared(db, "twin", parameters, values, NULL, NULL, 0);
	give(db);
	status = PQresultStatus(r) != PGRES_TUPLES_OK ? 500 : PQntuples(r) == 0 ? 404 : 200;
	response = MHD_create_response_from_buffer(join(r), answer_text, MHD_RESPMEM_MUST_COPY);
	PQclear(r);
	queued = MHD_queue_response(c, (unsigned)status, response);
	MHD_destroy_response(response);
	return queued;
}

/* argv: PORT CONNINFO POOL PARAMETERS STATEMENT */
int main(int argc, char **argv)
{
	struct MHD_Daemon *daemon = NULL;
	sigset_t set;
	int number = 0, pool = 0;

	if (argc != 6)
		return 64;
	pool = atoi(argv[3]);
	parameters = atoi(argv[4]);
	if (pool < 1 || pool > POOL_MAX || parameters < 1 || parameters > PARAMETERS_MAX)
		return 64;
	for (int i = 0; i < pool; i++) {
		PGconn *c = PQconnectdb(argv[2]);
		PGresult *r = PQprepare(c, "twin", argv[5], parameters, NULL);

		if (PQresultStatus(r) != PGRES_COMMAND_OK) {
			fprintf(stderr, "api_twin: %s", PQerrorMessage(c));
			return 70;
		}
		PQclear(r);
		idle[idle_n++] = c;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
					  MHD_USE_POLL,
				  (uint16_t)atoi(argv[1]), NULL, NULL, handle, NULL,
				  MHD_OPTION_CONNECTION_LIMIT, 1000u, MHD_OPTION_END);
	if (!daemon)
		return 70;
	puts("ready");
	fflush(stdout);
	sigwait(&set, &number);
	return 0;
}
