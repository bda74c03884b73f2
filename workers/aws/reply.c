/* Answers of all protocols. An answer that is not what the operation promises is never taken for an
 * empty one: it is "unparsable_reply" and tried again. */
#include "workers/aws/reply.h"
#include "base/clock.h"
#include "base/text.h"
#include "workers/aws/classify.h"
#include <stdio.h>

static bool is_xml(const struct aws_op *op)
{
	return op->proto == AWS_QUERY || op->proto == AWS_EC2 || op->proto == AWS_REST_XML;
}

void reply_done(struct reply *r)
{
	xml_free(r->xml);
	r->xml = NULL;
	if (r->secret)
		buf_wipe(&r->body);
	buf_done(&r->body);
}

void reply_start(struct reply *r, const struct aws_op *op)
{
	struct xml_rules rules = { .shape = &r->shape, .drop = op->drop, .secret = op->secret };

	reply_done(r);
	r->op = op;
	r->secret = op->secret;
	r->status = 0;
	r->head_bytes = 0;
	r->head_lines = 0;
	r->retry_after_ms = -1;
	r->date_wall = 0;
	r->request_id[0] = '\0';
	r->error_code[0] = '\0';
	r->body_bytes = 0;
	r->cut = NULL;
	r->body = (struct buf)BUF_INIT(REPLY_BODY_MAX);
	if (!is_xml(op))
		return;
	shape_compile(&r->shape, op->lists, op->xml_lists);
	if (op->proto == AWS_QUERY) {
		snprintf(r->result_name, sizeof(r->result_name), "%sResult", op->action);
		rules.result = r->result_name;
	}
	r->xml = xml_new(&rules);
}

static void copy_text(char *out, size_t max, struct str s)
{
	size_t n = s.n < max - 1 ? s.n : max - 1;

	memcpy(out, s.p, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < ' ' || (unsigned char)out[i] >= 0x7f)
			out[i] = '?';
}

/* "com.amazonaws.x#ThrottlingException:http://..." -> "ThrottlingException" */
static struct str bare_code(struct str s)
{
	struct str rest = s;
	struct str before = str_cut(&rest, '#');

	if (before.n < s.n)
		s = rest;
	return str_trim(str_cut(&s, ':'));
}

static void status_line(struct reply *r, struct str line)
{
	int64_t status = 0;

	/* A new head (after 100 Continue) starts the facts again, not the counters. */
	r->request_id[0] = '\0';
	r->error_code[0] = '\0';
	r->retry_after_ms = -1;
	r->date_wall = 0;
	(void)str_cut(&line, ' ');
	r->status = str_to_i64(str_cut(&line, ' '), &status) && status >= 100 && status <= 999
			    ? (int)status
			    : 0;
}

bool reply_head(struct reply *r, struct str line)
{
	struct str value;
	struct str name;
	int64_t ms;

	r->head_bytes += line.n;
	r->head_lines++;
	if (r->head_bytes > REPLY_HEAD_MAX || r->head_lines > REPLY_LINES_MAX) {
		r->cut = "the head of the answer is too long";
		return false;
	}
	line = str_trim(line);
	if (str_starts(line, S("HTTP/"))) {
		status_line(r, line);
		return true;
	}
	value = line;
	name = str_trim(str_cut(&value, ':'));
	value = str_trim(value);
	if (str_eq_nocase(name, S("x-amzn-requestid")) ||
	    str_eq_nocase(name, S("x-amz-request-id")))
		copy_text(r->request_id, sizeof(r->request_id), value);
	else if (str_eq_nocase(name, S("x-amzn-errortype")))
		copy_text(r->error_code, sizeof(r->error_code), bare_code(value));
	else if (str_eq_nocase(name, S("x-amz-retry-after")) && str_to_i64(value, &ms) && ms >= 0)
		r->retry_after_ms = ms;
	else if (str_eq_nocase(name, S("date")) && clock_parse_http(value, &r->date_wall) != RC_OK)
		r->date_wall = 0;
	return true;
}

bool reply_body(struct reply *r, struct str bytes)
{
	if (bytes.n > REPLY_BODY_MAX - r->body_bytes) {
		r->cut = "the answer is longer than 64 MiB";
		return false;
	}
	r->body_bytes += bytes.n;
	if (r->xml == NULL)
		return buf_put(&r->body, bytes) == RC_OK;
	/* Text that is no XML is read to its end all the same: the connection stays usable, and the
	 * status may say enough. Past a limit it is not. */
	if (xml_feed(r->xml, bytes) == RC_LIMIT) {
		r->cut = xml_reason(r->xml);
		return false;
	}
	return true;
}

static void set_code(struct aws_fault *fault, struct str code)
{
	copy_text(fault->code, sizeof(fault->code), code);
}

static void set_message(struct aws_fault *fault, struct str message)
{
	AUTO(buf) struct buf clean = BUF_INIT(4 * AWS_MESSAGE_MAX);
	size_t n;

	if (text_clean(&clean, str_sub(str_trim(message), 0, AWS_MESSAGE_MAX - 1)) != RC_OK)
		return;
	n = clean.n < AWS_MESSAGE_MAX - 1 ? clean.n : AWS_MESSAGE_MAX - 1;
	/* Not in the middle of a character. */
	while (n > 0 && n < clean.n && ((unsigned char)clean.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(fault->message, clean.p, n);
	fault->message[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)fault->message[i] < ' ')
			fault->message[i] = ' ';
}

static struct str first_text(const json_t *obj, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		struct str s = json_str(obj, *keys);

		if (s.n > 0)
			return s;
	}
	return S("");
}

static const char *const MESSAGE_KEYS[] = { "Message", "message", "errorMessage", NULL };
static const char *const ID_KEYS[] = { "RequestId", "RequestID", "requestId", NULL };

/* The element that holds Code and Message, in each of the forms that AWS has. */
static const json_t *xml_error(const char *root_name, const json_t *root)
{
	const json_t *e = json_at(root, "Errors/Error");

	if (e == NULL)
		e = json_object_get(root, "Error");
	if (json_is_array(e))
		e = json_array_get(e, 0);
	if (e == NULL && strcmp(root_name, "Error") == 0)
		e = root;
	return json_is_object(e) && json_str(e, "Code").n > 0 ? e : NULL;
}

static void finish_fault(struct reply *r, struct aws_fault *fault)
{
	fault->http_status = r->status;
	if (r->request_id[0] != '\0')
		memcpy(fault->request_id, r->request_id, sizeof(r->request_id));
	fault->class = classify(r->status, fault->code, fault->message);
	if (fault->class == AWS_DENIED)
		snprintf(fault->deny_cause, sizeof(fault->deny_cause), "%s",
			 classify_cause(fault->message));
	if (fault->code[0] == '\0')
		snprintf(fault->code, sizeof(fault->code), "http_%d", r->status);
}

static bool unparsable(struct reply *r, const char *why, struct aws_fault *fault)
{
	finish_fault(r, fault);
	if (r->status >= 200 && r->status < 300) {
		fault->class = AWS_TRANSIENT;
		snprintf(fault->code, sizeof(fault->code), "unparsable_reply");
		snprintf(fault->message, sizeof(fault->message),
			 "the answer to %s is not what the operation promises: %s", r->op->action,
			 why);
	} else if (r->status >= 500) {
		fault->class = AWS_TRANSIENT;
	}
	return false;
}

/* The operation's own content inside the root element; NULL: it is something else. */
static json_t *xml_content(const struct reply *r, const char *root_name, json_t *root)
{
	char wanted[AWS_CODE_MAX];
	json_t *result;

	if (r->op->proto == AWS_REST_XML)
		return json_is_object(root) ? root : NULL;
	snprintf(wanted, sizeof(wanted), "%sResponse", r->op->action);
	if (strcmp(root_name, wanted) != 0)
		return NULL;
	if (r->op->proto == AWS_EC2)
		return json_is_object(root) ? root : NULL;
	result = json_object_get(root, r->result_name);
	return json_is_object(result) ? result : NULL;
}

static bool end_xml(struct reply *r, json_t **ret_result, struct aws_fault *fault)
{
	AUTO_JSON json_t *root = NULL;
	const char *root_name = "";
	const json_t *error;
	json_t *content;

	if (xml_end(r->xml, &root_name, &root) != RC_OK)
		return unparsable(r, xml_reason(r->xml), fault);
	error = xml_error(root_name, root);
	if (error != NULL) {
		struct str id = first_text(root, ID_KEYS);

		set_code(fault, json_str(error, "Code"));
		set_message(fault, first_text(error, MESSAGE_KEYS));
		if (id.n == 0)
			id = first_text(error, ID_KEYS);
		if (r->request_id[0] == '\0')
			copy_text(r->request_id, sizeof(r->request_id), id);
		finish_fault(r, fault);
		return false;
	}
	content = r->status >= 200 && r->status < 300 ? xml_content(r, root_name, root) : NULL;
	if (content == NULL)
		return unparsable(r, "another root element", fault);
	*ret_result = json_incref(content);
	return true;
}

/* Removes the members that must never be kept, at any depth that the parser let through. */
static void drop_members(json_t *j, const char *drop)
{
	struct str rest = str_c(drop);
	const char *key;
	json_t *value;
	size_t i;

	while (rest.n > 0) {
		struct str name = str_cut(&rest, ' ');

		if (json_is_object(j) && name.n > 0)
			json_object_deln(j, name.p, name.n);
	}
	json_object_foreach (j, key, value)
		drop_members(value, drop);
	json_array_foreach (j, i, value)
		drop_members(value, drop);
}

static void json_error(struct reply *r, const json_t *body, struct aws_fault *fault)
{
	static const char *const code_keys[] = { "__type", "code", "Code", NULL };
	struct str code = bare_code(first_text(body, code_keys));

	if (r->error_code[0] != '\0')
		code = str_c(r->error_code);
	set_code(fault, code);
	set_message(fault, first_text(body, MESSAGE_KEYS));
	finish_fault(r, fault);
}

static bool end_json(struct reply *r, json_t **ret_result, struct aws_fault *fault)
{
	AUTO_JSON json_t *body = NULL;
	bool good = r->status >= 200 && r->status < 300;
	struct err err = { 0 };

	if (good && r->status == 204 && r->body.n == 0) {
		*ret_result = json_object();
		return true;
	}
	if (json_parse(buf_str(&r->body), REPLY_JSON_DEPTH_MAX, &body, &err) != RC_OK ||
	    !json_is_object(body)) {
		if (r->error_code[0] != '\0' && !good) {
			json_error(r, NULL, fault);
			return false;
		}
		return unparsable(r, "not a JSON object", fault);
	}
	if (!good || (r->error_code[0] != '\0' && json_str(body, "__type").n > 0)) {
		json_error(r, body, fault);
		return false;
	}
	if (r->op->drop != NULL)
		drop_members(body, r->op->drop);
	*ret_result = TAKE(body);
	return true;
}

bool reply_end(struct reply *r, json_t **ret_result, struct aws_fault *fault)
{
	*fault = (struct aws_fault){ .op = r->op };
	return r->xml != NULL ? end_xml(r, ret_result, fault) : end_json(r, ret_result, fault);
}
