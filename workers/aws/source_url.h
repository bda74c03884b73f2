/* Which URLs the environment may name for credentials. They come from the operator's environment, never from a customer. */
#ifndef WORKERS_AWS_SOURCE_URL_H
#define WORKERS_AWS_SOURCE_URL_H

#include "aws/netguard.h"

/* https anywhere; http only to an address of that door, written as such, or to localhost. No user, no fragment. */
bool source_url_may_ask(const char *url, enum netguard_door door);

#endif
