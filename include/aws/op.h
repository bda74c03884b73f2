/* struct aws_op: an AWS operation as a row. Transport, signing, retry, paging and parsing exist
 * once and are driven by these fields; a service file (workers/aws/iam.c ...) is rows and nothing
 * else.
 *
 * Parameters and replies are json_t objects in the names of the wire (for query and JSON services
 * the model's own; ec2's replies are lower camel: "regionInfo"): lists are arrays, structures and
 * maps are objects, XML scalars stay strings ("true", "1000", ISO times). The reply is the content
 * of the operation's result (for query services what lies inside <XResult>), so "Users" is
 * reply["Users"].
 *
 * Lists in XML replies are declared by path, because XML does not tell a list of one from a
 * structure, nor an empty list from an empty text. Item elements do not appear in paths.
 * 	"Users/Tags"               <Tags> holds <member> or <item> elements
 * 	"DBInstances:DBInstance"   <DBInstances> holds <DBInstance> elements; below: "DBInstances/TagList:Tag"
 * 	"Contents:"                <Contents> itself repeats, without a wrapper */
#ifndef AWS_OP_H
#define AWS_OP_H

#include <stdbool.h>
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
	/* The lists that this operation is called for, separated by "|": "Users",
	 * "UserDetailList|GroupDetailList"; NULL = not a list. Absent from an answer = []. */
	const char *lists;
	const char *next_in;  /* pager: request parameter ("Marker"); NULL = not paged */
	const char *next_out; /* reply member ("Marker") */
	const char *more; /* boolean reply member that says whether a page follows ("IsTruncated");
			     NULL = the token does */
	const char *limit_in;  /* page size parameter ("MaxItems"); NULL = none */
	int limit;             /* its value */
	const char *xml_lists; /* every other list of an XML reply, separated by spaces */
	const char *drop;      /* reply members that are never kept, at any depth: "QRCodePNG" */
	bool secret;           /* request or reply hold a secret: buffers are wiped */
	bool anonymous;        /* nobody signs it; the target's session may be NULL */
};

/* Every row of every service file, NULL past the end: what the client can call at all. The
 * permissions that we publish are proven against it. */
const struct aws_op *aws_op_at(size_t i);
const struct aws_op *aws_op_find(const char *service, const char *action); /* NULL: no such row */

#endif
