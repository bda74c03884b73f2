/* Where the operator's own credentials come from: one function a source, asked in order. */
#ifndef WORKERS_AWS_PROVIDER_H
#define WORKERS_AWS_PROVIDER_H

#include "base/buf.h"
#include "workers/aws/creds.h"

enum { PROVIDER_LOOKED_MAX = 1024 };

struct provider {
	const char *name;
	/* RC_OK: *ret. RC_NOT_FOUND: this source has none; a word on where it looked is appended to
	 * *looked. Other: the source exists and is broken. get is getenv, or a test's. */
	enum rc (*load)(const char *(*get)(const char *name), struct creds **ret,
			struct buf *looked, struct err *err);
};
/* The i-th source, NULL past the end: environment, shared files. */
const struct provider *provider_at(size_t i);
/* The first source that has credentials. RC_NOT_FOUND names every place. */
MUST_CHECK enum rc provider_load(const char *(*get)(const char *name), struct creds **ret,
				 struct err *err);

#endif
