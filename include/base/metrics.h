/* The series of this process: counters, gauges and histograms, in one registry that costs an atomic
 * addition and no lock. The number of series is bounded whatever the label values: what does not fit
 * counts in the family's series "overflow". No label names a tenant.
 *
 * 	metrics_add(METRICS_AWS_CALLS, METRICS_LABELS("iam"), 1); */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"
#include "base/clock.h"

enum metrics_id {
#define X(id, ...) METRICS_##id,
#include "base/metrics.def"
#undef X
	METRICS_FAMILIES
};

enum {
	METRICS_LABELS_MAX = 3,
	METRICS_VALUE_MAX =
		96, /* bytes of a label's value, its NUL included; longer ones are cut */
	METRICS_FAMILY_MAX = 512, /* series of one family */
	METRICS_SERIES_MAX = 2048,
	METRICS_TEXT_MAX = 4 * 1024 * 1024,
};
#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* One value for each label of the family, in its order; borrowed for the call. */
struct metrics_labels {
	const char *values[METRICS_LABELS_MAX];
};
#define METRICS_LABELS(...) ((struct metrics_labels){ { __VA_ARGS__ } })
#define METRICS_NONE        METRICS_LABELS(NULL)

/* Counters, n >= 0, and gauges. n 0 makes the series visible. */
void metrics_add(enum metrics_id id, struct metrics_labels labels, int64_t n);
/* Gauges, and counters whose total is kept elsewhere. */
void metrics_set(enum metrics_id id, struct metrics_labels labels, int64_t value);
/* Histograms. */
void metrics_observe(enum metrics_id id, struct metrics_labels labels, int64_t ns);
/* All families that have series, as OpenMetrics text. RC_LIMIT: out's maximum is too small. */
MUST_CHECK enum rc metrics_write(struct buf *out);

#endif
