/* The registry: a hash table of series that only grows, found and made without a lock, and its text
 * in OpenMetrics format 1.0. The one thing that a whole process shares and changes, so all of it is
 * atomic. Never frees a series; never keeps more than METRICS_SERIES_MAX. */
#include "base/metrics.h"
#include "base/mem.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SLOTS = 2 * METRICS_SERIES_MAX, BUCKETS_MAX = 14 };
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are found by a mask");

enum kind { COUNTER, GAUGE, INFO, QUICK, SLOW };

struct family {
	const char *name, *unit;
	enum kind kind;
	const char *labels[METRICS_LABELS_MAX];
	const char *help;
};

static const struct family FAMILIES[METRICS_FAMILIES] = {
#define X(id, kind_, name_, unit_, l1, l2, l3, help_)                                              \
	[METRICS_##id] = { .name = (name_),                                                        \
			   .unit = (unit_),                                                        \
			   .kind = (kind_),                                                        \
			   .labels = { l1, l2, l3 },                                               \
			   .help = (help_) },
#include "base/metrics.def"
#undef X
};

/* ns 0 ends a list; what is above its last bound falls into the bucket behind it. */
static const struct {
	int64_t ns;
	const char *le;
} BOUNDS[][BUCKETS_MAX] = {
	[QUICK] = { { CLOCK_MS, "0.001" },
		    { 2500000, "0.0025" },
		    { 5 * CLOCK_MS, "0.005" },
		    { 10 * CLOCK_MS, "0.01" },
		    { 25 * CLOCK_MS, "0.025" },
		    { 50 * CLOCK_MS, "0.05" },
		    { 100 * CLOCK_MS, "0.1" },
		    { 250 * CLOCK_MS, "0.25" },
		    { 500 * CLOCK_MS, "0.5" },
		    { CLOCK_S, "1.0" },
		    { 2500 * CLOCK_MS, "2.5" },
		    { 5 * CLOCK_S, "5.0" },
		    { 10 * CLOCK_S, "10.0" },
		    { 0, NULL } },
	[SLOW] = { { 100 * CLOCK_MS, "0.1" },
		   { 500 * CLOCK_MS, "0.5" },
		   { CLOCK_S, "1.0" },
		   { 5 * CLOCK_S, "5.0" },
		   { 10 * CLOCK_S, "10.0" },
		   { 30 * CLOCK_S, "30.0" },
		   { 60 * CLOCK_S, "60.0" },
		   { 300 * CLOCK_S, "300.0" },
		   { 900 * CLOCK_S, "900.0" },
		   { 3600 * CLOCK_S, "3600.0" },
		   { 14400 * CLOCK_S, "14400.0" },
		   { 0, NULL } },
};

struct series {
	enum metrics_id id; /* immutable once it is in the table, like labels */
	char labels[METRICS_LABELS_MAX][METRICS_VALUE_MAX];
	_Atomic int64_t value; /* of a histogram: the sum */
	_Atomic int64_t buckets[BUCKETS_MAX];
	atomic_bool used; /* for the series "overflow", which are always there */
};

static _Atomic(struct series *) table[SLOTS];
static atomic_int series_n, family_n[METRICS_FAMILIES];
static struct series overflow[METRICS_FAMILIES];

static void fill(struct series *s, enum metrics_id id, const struct metrics_labels *labels)
{
	s->id = id;
	for (int i = 0; i < METRICS_LABELS_MAX && FAMILIES[id].labels[i]; i++) {
		assert(labels->values[i]);
		(void)snprintf(s->labels[i], METRICS_VALUE_MAX, "%s", labels->values[i]);
	}
}

static bool fits(const struct series *s, enum metrics_id id, const struct metrics_labels *labels)
{
	if (s->id != id)
		return false;
	for (int i = 0; i < METRICS_LABELS_MAX && FAMILIES[id].labels[i]; i++)
		if (strncmp(s->labels[i], labels->values[i], METRICS_VALUE_MAX - 1) != 0)
			return false;
	return true;
}

static size_t hash(enum metrics_id id, const struct metrics_labels *labels)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)id;

	for (int i = 0; i < METRICS_LABELS_MAX && FAMILIES[id].labels[i]; i++) {
		const char *p = labels->values[i];

		for (int n = 0; n < METRICS_VALUE_MAX - 1 && p[n]; n++)
			h = (h ^ (unsigned char)p[n]) * UINT64_C(1099511628211);
		h = (h ^ 0xff) * UINT64_C(1099511628211);
	}
	return (size_t)(h ^ (h >> 32)) & (SLOTS - 1);
}

/* Room for one more; what is counted here is given back by release(). */
static bool reserve(enum metrics_id id)
{
	if (atomic_fetch_add(&family_n[id], 1) < METRICS_FAMILY_MAX) {
		if (atomic_fetch_add(&series_n, 1) < METRICS_SERIES_MAX)
			return true;
		atomic_fetch_sub(&series_n, 1);
	}
	atomic_fetch_sub(&family_n[id], 1);
	return false;
}

static void release(enum metrics_id id)
{
	atomic_fetch_sub(&series_n, 1);
	atomic_fetch_sub(&family_n[id], 1);
}

/* Puts a new series into an empty slot; whoever came first there is returned. NULL: no room. */
static struct series *put(_Atomic(struct series *) *slot, enum metrics_id id,
			  const struct metrics_labels *labels)
{
	struct series *made = NULL, *there = NULL;

	if (!reserve(id))
		return NULL;
	made = MEM_NEW(struct series);
	fill(made, id, labels);
	if (atomic_compare_exchange_strong(slot, &there, made))
		return made;
	release(id);
	mem_free(made);
	return there;
}

/* A table twice as large as its content always has an empty slot to stop at. */
static struct series *find(enum metrics_id id, const struct metrics_labels *labels)
{
	struct series *s = NULL;

	for (size_t at = hash(id, labels);; at = (at + 1) & (SLOTS - 1)) {
		s = atomic_load_explicit(&table[at], memory_order_acquire);
		if (!s)
			s = put(&table[at], id, labels);
		if (!s)
			break;
		if (fits(s, id, labels))
			return s;
	}
	atomic_store_explicit(&overflow[id].used, true, memory_order_relaxed);
	return &overflow[id];
}

void metrics_add(enum metrics_id id, struct metrics_labels labels, int64_t n)
{
	struct series *s = find(id, &labels);

	assert(FAMILIES[id].kind == GAUGE || (FAMILIES[id].kind == COUNTER && n >= 0));
	atomic_fetch_add_explicit(&s->value, n, memory_order_relaxed);
}

void metrics_set(enum metrics_id id, struct metrics_labels labels, int64_t value)
{
	struct series *s = find(id, &labels);

	assert(FAMILIES[id].kind <= INFO);
	atomic_store_explicit(&s->value, value, memory_order_relaxed);
}

void metrics_observe(enum metrics_id id, struct metrics_labels labels, int64_t ns)
{
	struct series *s = find(id, &labels);
	enum kind kind = FAMILIES[id].kind;
	int64_t value = ns > 0 ? ns : 0;
	int at = 0;

	assert(kind == QUICK || kind == SLOW);
	while (BOUNDS[kind][at].ns && value > BOUNDS[kind][at].ns)
		at++;
	atomic_fetch_add_explicit(&s->buckets[at], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->value, value, memory_order_relaxed);
}

/* The first failure stays; what comes after it is not written. */
struct writer {
	struct buf *out;
	enum rc rc;
};

static void say(struct writer *w, const char *text)
{
	if (w->rc == RC_OK)
		w->rc = buf_put(w->out, str_c(text));
}

static void say_escaped(struct writer *w, const char *value)
{
	for (; *value && w->rc == RC_OK; value++) {
		if (*value == '\n')
			w->rc = buf_put(w->out, S("\\n"));
		else if (*value == '"' || *value == '\\')
			w->rc = buf_printf(w->out, "\\%c", *value);
		else
			w->rc = buf_putc(w->out, *value);
	}
}

static void say_label(struct writer *w, bool *any, const char *name, const char *value)
{
	say(w, *any ? "," : "{");
	say(w, name);
	say(w, "=\"");
	say_escaped(w, value);
	say(w, "\"");
	*any = true;
}

/* name_suffix{label="value",...,le="..."} and the space behind it. */
static void say_name(struct writer *w, const struct series *s, const char *suffix, const char *le)
{
	const struct family *f = &FAMILIES[s->id];
	bool any = false;

	say(w, f->name);
	say(w, suffix);
	for (int i = 0; i < METRICS_LABELS_MAX && f->labels[i]; i++)
		say_label(w, &any, f->labels[i], s->labels[i]);
	if (le)
		say_label(w, &any, "le", le);
	say(w, any ? "} " : " ");
}

static void say_number(struct writer *w, int64_t value)
{
	if (w->rc == RC_OK)
		w->rc = buf_printf(w->out, "%lld\n", (long long)value);
}

static void say_value(struct writer *w, const struct family *f, int64_t value)
{
	int64_t part = value % CLOCK_S;

	if (strcmp(f->unit, "seconds") != 0)
		say_number(w, value);
	else if (w->rc == RC_OK)
		w->rc = buf_printf(w->out, "%s%lld.%09lld\n", value < 0 ? "-" : "",
				   (long long)(value < 0 ? -(value / CLOCK_S) : value / CLOCK_S),
				   (long long)(part < 0 ? -part : part));
}

/* The count is what the buckets hold, so that it agrees with them while others count on. */
static void say_histogram(struct writer *w, struct series *s)
{
	const struct family *f = &FAMILIES[s->id];
	int64_t count = 0;
	const char *le = NULL;

	for (int i = 0; i < BUCKETS_MAX; i++) {
		le = BOUNDS[f->kind][i].le;
		count += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
		say_name(w, s, "_bucket", le ? le : "+Inf");
		say_number(w, count);
		if (!le)
			break;
	}
	say_name(w, s, "_count", NULL);
	say_number(w, count);
	say_name(w, s, "_sum", NULL);
	say_value(w, f, atomic_load_explicit(&s->value, memory_order_relaxed));
}

static void say_series(struct writer *w, struct series *s)
{
	static const char *const SUFFIXES[] = {
		[COUNTER] = "_total", [GAUGE] = "", [INFO] = "_info"
	};
	const struct family *f = &FAMILIES[s->id];

	if (f->kind == QUICK || f->kind == SLOW) {
		say_histogram(w, s);
		return;
	}
	say_name(w, s, SUFFIXES[f->kind], NULL);
	say_value(w, f, atomic_load_explicit(&s->value, memory_order_relaxed));
}

static void say_line(struct writer *w, const char *word, const char *name, const char *text)
{
	say(w, "# ");
	say(w, word);
	say(w, " ");
	say(w, name);
	say(w, " ");
	say(w, text);
	say(w, "\n");
}

static void say_head(struct writer *w, const struct family *f)
{
	static const char *const TYPES[] = { [COUNTER] = "counter",
					     [GAUGE] = "gauge",
					     [INFO] = "info",
					     [QUICK] = "histogram",
					     [SLOW] = "histogram" };

	say_line(w, "TYPE", f->name, TYPES[f->kind]);
	if (*f->unit)
		say_line(w, "UNIT", f->name, f->unit);
	say_line(w, "HELP", f->name, f->help);
}

static void say_overflow(struct writer *w, enum metrics_id id)
{
	static const struct metrics_labels OVERFLOW = { { "overflow", "overflow", "overflow" } };
	struct series shown = { .value = 0 };

	fill(&shown, id, &OVERFLOW);
	shown.value = atomic_load_explicit(&overflow[id].value, memory_order_relaxed);
	for (int i = 0; i < BUCKETS_MAX; i++)
		shown.buckets[i] =
			atomic_load_explicit(&overflow[id].buckets[i], memory_order_relaxed);
	say_series(w, &shown);
}

static void say_family(struct writer *w, enum metrics_id id)
{
	if (atomic_load(&family_n[id]) == 0)
		return;
	say_head(w, &FAMILIES[id]);
	for (size_t i = 0; i < SLOTS; i++) {
		struct series *s = atomic_load_explicit(&table[i], memory_order_acquire);

		if (s && s->id == id)
			say_series(w, s);
	}
	if (atomic_load_explicit(&overflow[id].used, memory_order_relaxed))
		say_overflow(w, id);
}

enum rc metrics_write(struct buf *out)
{
	struct writer w = { .out = out, .rc = RC_OK };

	for (int id = 0; id < METRICS_FAMILIES; id++)
		say_family(&w, (enum metrics_id)id);
	say(&w, "# EOF\n");
	return w.rc;
}
