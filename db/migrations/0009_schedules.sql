-- 0009_schedules: cron, time zones, overlap and catch-up of schedules
SELECT schema_step('0009_schedules', '0008_check', 'cron, time zones, overlap and catch-up of schedules');
