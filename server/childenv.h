/* The environment of `up`'s children: ours, minus what a child has no business with, plus its
 * settings. */
#ifndef SERVER_CHILDENV_H
#define SERVER_CHILDENV_H

#include "base/config.h"

struct childenv_set {
	const char *name; /* of a setting; NULL ends the list */
	const char *value;
};
/* keep_aws: only a worker gets AWS_* (credentials). drop: settings that it must not see, as
 * "|name|name|". A NULL-terminated array; mem_free() each and the array. */
char **childenv_make(const struct config *c, bool keep_aws, const char *drop,
		     const struct childenv_set *set) NEVER_NULL;

#endif
