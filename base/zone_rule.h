/* What a zone is made of: shared by zone.c (TZif files) and zone_rule.c (the rule in their footer). */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include "base/str.h"

enum { ZONE_DAY_S = 86400, ZONE_OFFSET_MAX_S = 26 * 3600 };

/* "Mm.w.d", "Jn" or "n", and the seconds after local midnight. */
struct zone_date {
	char kind;
	int month, week, day;
	int64_t at_s;
};

/* A POSIX TZ string as RFC 9636 extends it. */
struct zone_rule {
	bool has_dst;
	int std_s, dst_s; /* offsets east of UTC */
	struct zone_date start, end;
};

struct zone_change {
	int64_t at;
	int offset_s; /* from then on */
};
enum { ZONE_RULE_YEARS = 3, ZONE_RULE_CHANGES = 2 * ZONE_RULE_YEARS };

/* False: no rule that is acceptable. */
bool zone_rule_parse(struct str text, struct zone_rule *ret);
/* The changes of the year before, of and after the instant, in order; returns how many. */
int zone_rule_changes(const struct zone_rule *r, int64_t at,
		      struct zone_change out[ZONE_RULE_CHANGES]);

#endif
