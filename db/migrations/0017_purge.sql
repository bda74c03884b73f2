-- 0017_purge: what a purge finds the changes of its connection by.
SELECT schema_step('0017_purge', '0014_operator_audit_chain', 'changes are found by their connection');

-- Else each step of a purge looks at all changes of the organization.
CREATE INDEX change_by_connection ON change (org_id, connection_id);
