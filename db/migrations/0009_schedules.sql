-- 0009_schedules: cron, time zones, overlap and catch-up of schedules
SELECT schema_step('0009_schedules', '0008_check', 'cron, time zones, overlap and catch-up of schedules');

ALTER TABLE schedule
    ALTER COLUMN every_s DROP NOT NULL,
    ADD COLUMN cron              text CHECK (char_length(cron) BETWEEN 1 AND 128),
    ADD COLUMN time_zone         text NOT NULL DEFAULT 'UTC' CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    ADD COLUMN jitter_s          integer NOT NULL DEFAULT 0 CHECK (jitter_s BETWEEN 0 AND 86400),
    ADD COLUMN overlap           text NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip', 'buffer_one')),
    ADD COLUMN catch_up_window_s integer NOT NULL DEFAULT 31536000 CHECK (catch_up_window_s BETWEEN 60 AND 31536000),
    ADD COLUMN buffered_tick     timestamptz,
    ADD COLUMN failures          integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    ADD COLUMN backoff_until     timestamptz,
    ADD COLUMN due_at            timestamptz NOT NULL GENERATED ALWAYS AS (greatest(next_at, backoff_until)) STORED,
    ADD CONSTRAINT schedule_when CHECK (num_nonnulls(every_s, cron) = 1);
COMMENT ON COLUMN schedule.every_s IS 'interval; NULL when cron says when';
COMMENT ON COLUMN schedule.cron IS 'cron expression of base/cron.h; NULL when every_s says when';
COMMENT ON COLUMN schedule.time_zone IS 'IANA name of the zone in which cron is read';
COMMENT ON COLUMN schedule.jitter_s IS 'cron: each tick is late by a part of this, the same one for ever, from a hash of the connection';
COMMENT ON COLUMN schedule.overlap IS 'what a tick does while a sync is active: skip, or buffer_one to run when that is over';
COMMENT ON COLUMN schedule.catch_up_window_s IS 'a tick that is later than this when a scheduler comes is not run, only counted as missed';
COMMENT ON COLUMN schedule.buffered_tick IS 'the tick that waits for the active sync to end; NULL = none';
COMMENT ON COLUMN schedule.failures IS 'syncs that failed in a row; 0 again after a success, a sync by hand, or a person''s change of schedule or credentials';
COMMENT ON COLUMN schedule.backoff_until IS 'no scheduled run before, since syncs failed; NULL = none';
COMMENT ON COLUMN schedule.due_at IS 'when a scheduler takes it: next_at, or the end of the backing off';
DROP INDEX schedule_due;
CREATE INDEX schedule_due ON schedule (due_at) WHERE NOT paused;
CREATE INDEX schedule_buffered ON schedule (org_id, connection_id) WHERE buffered_tick IS NOT NULL AND NOT paused;
