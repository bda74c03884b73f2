-- 0010_identity: what the workers know of their own identity and keys
SELECT schema_step('0010_identity', '0009_schedules', 'what the workers know of their own identity and keys');
