/* Reads of what checks found out per action. Never judges an answer: the worker that asked AWS did. */
#include "db/check_answers.h"

static const struct stmt LIST = {
	"check_answers_list",
	"SELECT account_id, capability, action, tier, state, cause, known_by, required, text,"
	" aws_request_id, check_id, checked_at FROM connection_permission"
	" WHERE org_id = $1 AND connection_id = $2 AND ($3 = 0 OR tier = $3)"
	" AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL"
	"  OR (account_id, tier, capability, action) > ($5::text, $6::integer, $7::text, $8::text))"
	" ORDER BY account_id, tier, capability, action LIMIT $9",
	9
};

enum rc check_answers_list(struct db *db, const struct db_who *who,
			   const struct check_answers_filter *f, struct db_rows **ret,
			   struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id),
				    arg_id(f->connection_id),
				    arg_i64(f->tier),
				    arg_opt(f->state),
				    arg_opt(f->after_account),
				    arg_i64(f->after_tier),
				    arg_text(f->after_capability),
				    arg_text(f->after_action),
				    arg_i64(f->limit) };

	return db_run(db, who, &LIST, args, ret, err);
}

static const struct stmt CAPABILITIES = {
	"check_answers_capabilities",
	"SELECT tier, capability, count(DISTINCT account_id) AS accounts,"
	" count(*) FILTER (WHERE state = 'granted') AS granted,"
	" count(*) FILTER (WHERE state = 'denied') AS denied,"
	" count(*) FILTER (WHERE state = 'unknown') AS unknown,"
	" count(*) FILTER (WHERE state = 'not_applicable') AS not_applicable,"
	" string_agg(DISTINCT action, ',') FILTER (WHERE state = 'denied') AS denied_actions,"
	" max(checked_at) AS checked_at FROM connection_permission"
	" WHERE org_id = $1 AND connection_id = $2 GROUP BY tier, capability"
	" ORDER BY tier, capability",
	2
};

enum rc check_answers_capabilities(struct db *db, const struct db_who *who, struct id connection_id,
				   struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_id(connection_id) };

	return db_run(db, who, &CAPABILITIES, args, ret, err);
}

static const struct stmt FORGET = {
	"check_answers_forget",
	"DELETE FROM connection_permission WHERE org_id = $1 AND connection_id = $2", 2
};

enum rc check_answers_forget(struct db *db, struct id org_id, struct id connection_id,
			     struct err *err)
{
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id) };

	return db_run(db, NULL, &FORGET, args, NULL, err);
}
