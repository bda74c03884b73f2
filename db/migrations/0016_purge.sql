-- 0016_purge: what a purge finds the changes of its connection by.
SELECT schema_step('0016_purge', '0015_creation', 'changes are found by their connection');

-- Else each step of a purge looks at all changes of the organization.
CREATE INDEX change_by_connection ON change (org_id, connection_id);
