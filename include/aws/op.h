/* struct aws_op: an AWS operation as a row. Transport, signing, retry, paging and parsing exist
 * once and are driven by these fields; a service file (workers/aws/iam.c ...) is rows and nothing
 * else.
 *
 * Parameters and replies are json_t objects in the model's own names whatever the wire protocol is:
 * lists are arrays, structures are objects, XML scalars stay strings ("true", "1000", ISO times).
 * The reply is the content of the operation's result (for query services what lies inside
 * <XResult>), so "Users" is reply["Users"]. */
#ifndef AWS_OP_H
#define AWS_OP_H

#include <stddef.h>

enum aws_protocol { AWS_QUERY, AWS_EC2, AWS_JSON10, AWS_JSON11, AWS_REST_JSON, AWS_REST_XML };

struct aws_op {
	const char *service; /* endpoint id, key of the endpoint table and of
				AWS_ENDPOINT_URL_<SERVICE>: "iam" */
	enum aws_protocol proto;
	const char *action;     /* "ListUsers" */
	const char *version;    /* query and ec2: "2010-05-08" */
	const char *target;     /* json: X-Amz-Target prefix */
	const char *method;     /* rest: "GET", "POST"; NULL = POST */
	const char *path;       /* rest: "/2017-03-31/tags/{Arn}"; NULL = "/" */
	const char *iam_action; /* what a policy must allow: "iam:ListUsers"; NULL = needs none */
	const char *bucket; /* limiter group inside the service; NULL = the service's own bucket */
	/* The reply's lists by path, "Users" or "UserDetailList|GroupDetailList"; NULL = not a
	 * list. XML lists whose elements are not <member> or <item> name the element:
	 * "DBInstances/DBInstance". */
	const char *lists;
	const char *next_in;  /* pager: request parameter ("Marker"); NULL = not paged */
	const char *next_out; /* reply member ("Marker") */
	const char *more; /* boolean reply member that says whether a page follows ("IsTruncated");
			     NULL = the token does */
	const char *limit_in; /* page size parameter ("MaxItems"); NULL = none */
	int limit;            /* its value */
	/* XML replies: paths of every list below the reply, so that a list of one is still an array
	 * and a list of none is []: "Users/Tags", "UserDetailList/GroupList" ...; separated by
	 * spaces. Lists named in `lists` need no mention. <member>, <item> and <entry> wrappers are
	 * recognized without help. */
	const char *xml_lists;
};

#endif
