-- 0007_semantics: idempotency of requests, the change feed
SELECT schema_step('0007_semantics', '0006_callers', 'idempotency of requests, the change feed');
