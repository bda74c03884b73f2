-- 0006_callers: scopes of keys, rotation, service keys
SELECT schema_step('0006_callers', '0005_inventory', 'scopes of keys, rotation, service keys');
