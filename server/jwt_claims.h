/* What a verified payload says. */
#ifndef SERVER_JWT_CLAIMS_H
#define SERVER_JWT_CLAIMS_H

#include "server/jwt.h"

/* payload: an object. now_s: wall time. RC_DENIED: the code names the claim's fault. */
MUST_CHECK enum rc jwt_claims_read(const struct jwt_settings *settings, const json_t *payload,
				   double now_s, struct jwt_claims *ret, struct err *err);

#endif
