/* The document table. Never changes a document: its key is its content. */
#include "db/documents.h"

static const struct stmt MERGE = {
	"documents_merge",
	"INSERT INTO document (org_id, sha256, body, state)"
	" SELECT DISTINCT ON (s.sha256) $1::uuid, s.sha256, s.body, CASE WHEN s.malformed THEN "
	"'malformed' ELSE 'ok' END"
	" FROM stage_document s"
	" WHERE NOT EXISTS (SELECT FROM document d WHERE d.org_id = $1 AND d.sha256 = s.sha256)"
	" ORDER BY s.sha256 ON CONFLICT (org_id, sha256) DO NOTHING",
	1
};

enum rc documents_merge(struct db *db, struct id org_id, struct err *err)
{
	const struct arg args[] = { arg_id(org_id) };

	return db_run(db, NULL, &MERGE, args, NULL, err);
}
