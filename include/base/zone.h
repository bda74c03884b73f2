/* Time zones of the IANA database as it is installed (TZif files, version 2 and later): which offset
 * holds at an instant, from when and until when. An object is immutable once loaded; loading one takes
 * tens of microseconds, so callers load, use and free. Never reads TZ or the machine's own zone. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/err.h"
#include "base/str.h"

struct zone;
void zone_free(struct zone *z);
DEFINE_AUTO(zone)

enum { ZONE_NAME_MAX = 64, ZONE_FILE_MAX = 65536 };

/* Spelling only: parts of letters, digits, _ - and +, each beginning with a capital letter, up to three
 * of them with a slash between. So no name leads out of the database's folder, and "localtime" or
 * "posix/..." are none. */
bool zone_is_name(struct str name);
/* RC_INVALID unknown_time_zone: no such name in the database. RC_BROKEN: its file is damaged. UTC is there
 * without a database. */
MUST_CHECK enum rc zone_load(struct str name, struct zone **ret, struct err *err);
/* The same from the bytes of a TZif file. */
MUST_CHECK enum rc zone_parse(struct str file, struct zone **ret, struct err *err);

/* The time during which one offset holds: [from, to) in seconds of Unix time, INT64_MIN and INT64_MAX where
 * there is no end. before_s is the offset that held until from (offset_s when nothing came before). */
struct zone_span {
	int64_t from, to;
	int offset_s, before_s;
};
struct zone_span zone_span(const struct zone *z, int64_t at);

#endif
