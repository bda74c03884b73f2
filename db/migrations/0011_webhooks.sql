-- 0011_webhooks: webhook endpoints, events and deliveries
SELECT schema_step('0011_webhooks', '0010_identity', 'webhook endpoints, events and deliveries');
