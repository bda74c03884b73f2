/* ?validate_only=true: everything is judged by the code that would do it, and nothing is kept. */
#ifndef SERVER_REHEARSE_H
#define SERVER_REHEARSE_H

#include "api/http.h"

/* Runs the handler of req in a transaction that is undone. A success becomes 200 with what would have been
 * answered; a refusal stays as it is. */
struct http_reply rehearse_run(struct http_request *req);

#endif
