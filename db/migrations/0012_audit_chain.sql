-- 0012_audit_chain: hash chain of the audit
SELECT schema_step('0012_audit_chain', '0011_webhooks', 'hash chain of the audit');
