/* JSON as YAML that people can read. */
#ifndef API_SETUP_YAML_H
#define API_SETUP_YAML_H

#include "base/json.h"

/* Appends tree (an object), members in the order in which they were set. Every text is a quoted JSON string, so that no value
 * can become a key, a tag or another type. */
MUST_CHECK enum rc setup_yaml_put(struct buf *out, const json_t *tree);

#endif
