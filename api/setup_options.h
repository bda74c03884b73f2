/* What a caller wants to be set up: the query parameters of /v1/aws/setup and its variants, judged. */
#ifndef API_SETUP_OPTIONS_H
#define API_SETUP_OPTIONS_H

#include "api/problem.h"
#include "base/permission.h"

enum { SETUP_OPTIONS_TIERS = 4 };

struct setup_options {
	struct permission_places places;    /* views into the request and the environment */
	bool tier[SETUP_OPTIONS_TIERS + 1]; /* by number; the first is unused */
	uint64_t named; /* bit i: PERMISSION_CAPABILITIES[i] was asked for by name */
	bool organization, via_management;
};

/* tiers: those of a request that names neither tiers nor capabilities, "1,2,3". False: p says why. */
MUST_CHECK bool setup_options_read(const struct http_request *req, const char *tiers,
				   struct setup_options *ret, struct problem *p);

#endif
