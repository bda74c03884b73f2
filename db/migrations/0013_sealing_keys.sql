-- 0013_sealing_keys: which sealing keys are no longer accepted.
SELECT schema_step('0013_sealing_keys', '0012_audit_chain', 'sealing keys that are withdrawn');

-- Asked in each transaction that has just stored a sealed value (db/sealed.c), so that what was sealed before a key went and is
-- stored after it is refused instead of lost.
CREATE TABLE sealing_key_withdrawn (
    key_id       bytea PRIMARY KEY CHECK (octet_length(key_id) = 8),
    withdrawn_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sealing_key_withdrawn IS 'sealing keys that nothing may be stored under any more; holds names of keys, no key and no data of an organization';
COMMENT ON COLUMN sealing_key_withdrawn.key_id IS 'which key, as envelopes of base/seal.h name it';
COMMENT ON COLUMN sealing_key_withdrawn.withdrawn_at IS 'when connectord keys rotate --retire withdrew it';
ALTER TABLE sealing_key_withdrawn ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealing_key_withdrawn FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON sealing_key_withdrawn FOR SELECT USING (true);
SELECT worker_table('sealing_key_withdrawn');
GRANT SELECT ON sealing_key_withdrawn TO connectord_app;
GRANT SELECT, INSERT ON sealing_key_withdrawn TO connectord_worker;
