/* A load generator for the API bench: N keep-alive connections over loopback, closed loop (as fast as answers come) or open
 * loop (a fixed rate; latency counts from the moment a request was due, so that a stall is not hidden by waiting for it).
 * Ends after so many seconds, or so many requests if that is sooner. Prints one JSON line. Never retries: a connection that
 * breaks is counted and opened again. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 1024,
	REPLY_MAX = 1024 * 1024,
	LINE_MAX_BYTES = 16 * 1024,
	REQUESTS_MAX = 400000,
	SAMPLES_MAX = 20 * 1000 * 1000,
	STATUS_MAX = 600,
};

static const int64_t SECOND = 1000000000;

struct request {
	char *bytes;
	size_t n;
};

struct link {
	int fd;
	bool busy;
	const struct request *request;
	size_t sent, got;
	int64_t began;
	char *in;
};

struct load {
	int port, connections;
	double seconds, rate;
	struct request *requests;
	size_t requests_n, next, count; /* count 0: until the time is over */
	struct link links[CONNECTIONS_MAX];
	int epoll;
	uint32_t *samples; /* microseconds */
	size_t samples_n;
	int64_t status[STATUS_MAX], broken;
	int64_t due;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(70);
}

/* Lines "METHOD PATH CREDENTIAL BODY"; "-" = none. */
static void read_requests(struct load *l, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[LINE_MAX_BYTES], bytes[2 * LINE_MAX_BYTES];

	if (!f)
		die(path);
	l->requests = calloc(REQUESTS_MAX, sizeof(*l->requests));
	while (l->requests_n < REQUESTS_MAX && fgets(line, sizeof(line), f)) {
		char *save = NULL, *method = strtok_r(line, " \n", &save);
		const char *target = strtok_r(NULL, " \n", &save);
		const char *key = strtok_r(NULL, " \n", &save);
		const char *body = strtok_r(NULL, "\n", &save);
		struct request *r = &l->requests[l->requests_n];
		int n = 0;

		if (!method || !target || !key)
			continue;
		n = snprintf(bytes, sizeof(bytes), "%s %s HTTP/1.1\r\nHost: bench\r\n", method,
			     target);
		if (strcmp(key, "-") != 0)
			n += snprintf(bytes + n, sizeof(bytes) - (size_t)n,
				      "Authorization: Bearer %s\r\n", key);
		if (body && strcmp(body, "-") != 0)
			n += snprintf(bytes + n, sizeof(bytes) - (size_t)n,
				      "Content-Type: application/json\r\nContent-Length: "
				      "%zu\r\n\r\n%s",
				      strlen(body), body);
		else
			n += snprintf(bytes + n, sizeof(bytes) - (size_t)n, "\r\n");
		r->n = (size_t)n;
		r->bytes = memcpy(malloc(r->n + 1), bytes, r->n);
		l->requests_n++;
	}
	fclose(f);
	if (l->requests_n == 0) {
		fprintf(stderr, "api_load: no requests in %s\n", path);
		exit(64);
	}
}

static void open_link(struct load *l, struct link *k)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)l->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = k };
	int one = 1;

	k->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (k->fd < 0 || connect(k->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, k->fd, &ev) != 0)
		die("epoll_ctl");
	k->busy = false;
	k->got = 0;
}

static void broke(struct load *l, struct link *k)
{
	l->broken++;
	close(k->fd);
	open_link(l, k);
}

static void send_next(struct load *l, struct link *k, int64_t began)
{
	const struct request *r = NULL;

	k->busy = l->count == 0 || l->next < l->count;
	if (!k->busy)
		return;
	r = &l->requests[l->next++ % l->requests_n];
	k->began = began;
	k->got = 0;
	/* Requests are small and the socket is empty: one call takes them whole. */
	if (send(k->fd, r->bytes, r->n, MSG_NOSIGNAL) != (ssize_t)r->n)
		broke(l, k);
}

/* Whether the whole answer is there; its status then. */
static bool is_whole(const struct link *k, int *ret_status)
{
	const char *head = memmem(k->in, k->got, "\r\n\r\n", 4);
	const char *length = NULL;
	size_t body = 0;

	if (!head)
		return false;
	length = memmem(k->in, (size_t)(head - k->in), "Content-Length: ", 16);
	body = length ? strtoul(length + 16, NULL, 10) : 0;
	if (k->got < (size_t)(head - k->in) + 4 + body)
		return false;
	*ret_status = atoi(k->in + 9);
	return true;
}

static void note(struct load *l, const struct link *k, int status)
{
	int64_t us = (now() - k->began) / 1000;

	if (status > 0 && status < STATUS_MAX)
		l->status[status]++;
	if (l->samples_n < SAMPLES_MAX)
		l->samples[l->samples_n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void heard(struct load *l, struct link *k)
{
	ssize_t n = recv(k->fd, k->in + k->got, REPLY_MAX - k->got, 0);
	int status = 0;

	if (n <= 0 || k->got + (size_t)n == REPLY_MAX) {
		broke(l, k);
		return;
	}
	k->got += (size_t)n;
	k->in[k->got] = '\0';
	if (!is_whole(k, &status))
		return;
	note(l, k, status);
	k->busy = false;
	if (l->rate <= 0)
		send_next(l, k, now());
}

/* What is due goes to whoever is free; what nobody takes stays due. */
static void send_due(struct load *l, int64_t step)
{
	int64_t at = now();

	for (int i = 0; i < l->connections && l->due <= at; i++)
		if (!l->links[i].busy) {
			send_next(l, &l->links[i], l->due);
			l->due += step;
		}
}

static bool is_over(const struct load *l, int64_t until)
{
	if (l->count > 0 && l->samples_n + (size_t)l->broken >= l->count)
		return true;
	return now() >= until;
}

static void run(struct load *l)
{
	struct epoll_event events[CONNECTIONS_MAX];
	int64_t began = now(), until = began + (int64_t)(l->seconds * (double)SECOND);
	int64_t step = l->rate > 0 ? (int64_t)((double)SECOND / l->rate) : 0;

	l->due = began;
	for (int i = 0; i < l->connections && l->rate <= 0; i++)
		send_next(l, &l->links[i], now());
	while (!is_over(l, until)) {
		struct timespec wait = { 0, 50 * 1000 * 1000 };
		int n = 0;

		if (step > 0) {
			int64_t left = 0;

			send_due(l, step);
			left = l->due - now();
			wait.tv_nsec = left < 20000          ? 20000
				       : left < wait.tv_nsec ? left
							     : wait.tv_nsec;
		}
		n = epoll_pwait2(l->epoll, events, CONNECTIONS_MAX, &wait, NULL);
		if (n < 0 && errno != EINTR)
			die("epoll");
		for (int i = 0; i < n; i++)
			heard(l, events[i].data.ptr);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double quantile(const struct load *l, double q)
{
	size_t at = (size_t)(q * (double)(l->samples_n - 1));

	return l->samples_n ? (double)l->samples[at] / 1000.0 : 0;
}

static void print(struct load *l, double took)
{
	const char *comma = "";

	qsort(l->samples, l->samples_n, sizeof(*l->samples), by_value);
	printf("{\"requests\":%zu,\"seconds\":%.3f,\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"max_ms\":%.3f,\"broken\":%lld,\"status\":{",
	       l->samples_n, took, (double)l->samples_n / took, quantile(l, 0.5), quantile(l, 0.99),
	       quantile(l, 1), (long long)l->broken);
	for (int i = 0; i < STATUS_MAX; i++)
		if (l->status[i] > 0) {
			printf("%s\"%d\":%lld", comma, i, (long long)l->status[i]);
			comma = ",";
		}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static struct load l;
	int64_t began = 0;

	if (argc != 6 && argc != 7) {
		fprintf(stderr,
			"usage: api_load PORT CONNECTIONS SECONDS RATE REQUESTS_FILE [COUNT]\n"
			"RATE 0: as fast as answers come; COUNT: ends after so many requests\n");
		return 64;
	}
	l.port = atoi(argv[1]);
	l.connections = atoi(argv[2]);
	l.seconds = atof(argv[3]);
	l.rate = atof(argv[4]);
	l.count = argc > 6 ? strtoul(argv[6], NULL, 10) : 0;
	if (l.connections < 1 || l.connections > CONNECTIONS_MAX)
		return 64;
	read_requests(&l, argv[5]);
	l.samples = malloc(SAMPLES_MAX * sizeof(*l.samples));
	l.epoll = epoll_create1(0);
	for (int i = 0; i < l.connections; i++) {
		l.links[i].in = malloc(REPLY_MAX + 1);
		open_link(&l, &l.links[i]);
	}
	began = now();
	run(&l);
	print(&l, (double)(now() - began) / (double)SECOND);
	return 0;
}
