/* What a body may say about a schedule, and how a schedule is shown. */
#ifndef API_SCHEDULE_FIELDS_H
#define API_SCHEDULE_FIELDS_H

#include "api/bodies.h"
#include "base/json_out.h"
#include "db/schedule_rows.h"

/* A merge patch over *v. every_s is the interval of a schedule that says nothing; at is where the schedule stands in the
 * body ("/schedule", or "" when it is the body). Every kind of body is brought to this one's shape by its reader. */
void schedule_fields_apply(struct schedule_values *v, const struct body_schedule_patch *in,
			   int64_t every_s, const char *at, struct problem *p);
/* Writes what is stored as members of the object that o is in. */
void schedule_fields_put(struct json_out *o, const struct db_rows *rows, int row);

#endif
