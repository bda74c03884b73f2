/* The contract, api/openapi.yaml, as JSON inside the binary. */
#ifndef SERVER_OPENAPI_H
#define SERVER_OPENAPI_H

#include "base/str.h"

struct str openapi_json(void);

#endif
