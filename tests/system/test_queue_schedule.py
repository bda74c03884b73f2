"""Schedules: one run a tick whatever the number of schedulers, one catch-up after an absence, phase kept, pauses honoured."""
import datetime

import pytest

from probe import Queue, Worker, call
from waiting import wait_until


@pytest.fixture(scope="module")
def queue(database):
    return Queue(database)


@pytest.fixture
def schedulers(queue, directory):
    """Three processes that schedule, and end with the test."""
    started = []

    def start(count=3):
        started.extend(Worker(directory, queue.database, scheduler=1, threads=2, poll_ms=200) for _ in range(count))
        return [process.ready() for process in started]
    yield start
    for process in started:
        process.end()


@pytest.fixture
def connection(queue):
    org_id = queue.organization()
    connection_id = queue.connection(org_id)
    queue.database.rows("INSERT INTO probe_part VALUES (%s, 'users', 'ok')", connection_id)
    return org_id, connection_id


def schedule(queue, connection, kind="sync", every_s=3600, due_s=0):
    """A schedule whose next tick lies due_s seconds in the past."""
    assert call(queue.database, "schedule", *connection, kind, every_s, 0, 0)[0] == "OK"
    queue.database.rows("UPDATE schedule SET next_at = now() - make_interval(secs => %s) WHERE connection_id = %s AND kind = %s",
                        due_s, connection[1], kind)
    return queue.database.value("SELECT next_at FROM schedule WHERE connection_id = %s AND kind = %s", connection[1], kind)


def state(queue, connection, kind="sync"):
    """(missed, seconds to the next tick, ...)"""
    return queue.database.rows("""SELECT missed, extract(epoch FROM next_at - now())::float8 FROM schedule
        WHERE connection_id = %s AND kind = %s""", connection[1], kind)[0]


def syncs(queue, connection):
    return queue.database.rows("SELECT tick, state FROM sync WHERE connection_id = %s ORDER BY tick", connection[1])


def test_three_schedulers_start_each_tick_once(queue, schedulers):
    """Forty connections become due at once under three schedulers that all look."""
    connections = []
    for _ in range(40):
        org_id = queue.organization()
        connections.append((org_id, queue.connection(org_id)))
        queue.database.rows("INSERT INTO probe_part VALUES (%s, 'users', 'ok')", connections[-1][1])
    ticks = [schedule(queue, c, due_s=5) for c in connections]
    schedulers()
    wait_until(lambda: queue.count("schedule", "next_at <= now()") == 0, "all are passed")
    wait_until(lambda: not queue.count("task"), "all are run")
    for connection, tick in zip(connections, ticks):
        assert syncs(queue, connection) == [(tick, "complete")]
        missed, ahead = state(queue, connection)
        assert missed == 0 and 3500 < ahead <= 3600


def test_a_long_absence_is_made_good_by_one_run(queue, schedulers, connection):
    """Ten ticks passed while nobody ran: one catch-up for the latest, nine counted as missed, the phase unchanged."""
    tick = schedule(queue, connection, every_s=60, due_s=9 * 60 + 30)
    schedulers()
    wait_until(lambda: syncs(queue, connection), "it catches up")
    wait_until(lambda: not queue.count("task"), "it is run")
    assert [(t - tick).total_seconds() for t, _ in syncs(queue, connection)] == [9 * 60]
    missed, ahead = state(queue, connection)
    assert missed == 9 and 0 < ahead <= 30


def test_an_active_sync_makes_its_tick_a_missed_one(queue, schedulers, connection):
    assert call(queue.database, "start", *connection)[0] == "OK"
    queue.database.rows("UPDATE task SET run_at = now() + interval '1 hour' WHERE connection_id = %s", connection[1])
    schedule(queue, connection, due_s=1)
    schedulers(1)
    wait_until(lambda: state(queue, connection)[0] == 1, "the tick is counted as missed")
    assert len(syncs(queue, connection)) == 1
    queue.database.rows("DELETE FROM task WHERE connection_id = %s", connection[1])


def test_one_verify_task_at_a_time(queue, schedulers, connection):
    schedule(queue, connection, kind="verify", due_s=1)
    queue.database.rows("""INSERT INTO task (org_id, connection_id, task_id, kind, run_at)
        VALUES (%s, %s, gen_random_uuid(), 'verify', now() + interval '1 hour')""", *connection)
    schedulers()
    wait_until(lambda: state(queue, connection, "verify")[1] > 0, "the tick is passed")
    assert queue.count("task", "connection_id = %s", connection[1]) == 1
    queue.database.rows("DELETE FROM task WHERE connection_id = %s", connection[1])
    schedule(queue, connection, kind="verify", due_s=1)
    wait_until(lambda: queue.count("probe_effect", "kind = 'verify' AND org_id = %s", connection[0]) == 1, "it is verified")


def test_a_paused_schedule_runs_nothing_and_owes_nothing(queue, schedulers, connection):
    other = queue.organization()
    witness = (other, queue.connection(other))
    call(queue.database, "schedule", *connection, "sync", 60, 0, 1)
    queue.database.rows("UPDATE schedule SET next_at = now() - interval '90 s' WHERE connection_id = %s", connection[1])
    schedule(queue, witness, due_s=1)
    schedulers(1)
    wait_until(lambda: syncs(queue, witness), "a pass was made")
    assert syncs(queue, connection) == []
    assert call(queue.database, "schedule", *connection, "sync", 60, 0, 0)[0] == "OK"
    missed, ahead = state(queue, connection)
    assert missed == 0 and 0 < ahead <= 30  # the next tick of the old phase: 90 s ago + 2 periods


def test_setting_the_same_period_again_keeps_the_phase(queue, connection):
    call(queue.database, "schedule", *connection, "sync", 3600, 1234, 0)
    before = queue.database.value("SELECT next_at FROM schedule WHERE connection_id = %s", connection[1])
    call(queue.database, "schedule", *connection, "sync", 3600, 5, 0)
    assert queue.database.value("SELECT next_at FROM schedule WHERE connection_id = %s", connection[1]) == before
    call(queue.database, "schedule", *connection, "sync", 7200, 5, 0)
    assert state(queue, connection)[1] <= 5
    queue.database.rows("DELETE FROM schedule WHERE connection_id = %s", connection[1])


def test_a_schedule_that_cannot_run_does_not_hold_up_the_others(queue, schedulers, connection):
    """The connection is being deleted: its tick is passed over, the next organization's runs."""
    schedule(queue, connection, due_s=100)
    queue.database.rows("UPDATE connection SET deleted_at = now() WHERE connection_id = %s", connection[1])
    other = queue.organization()
    witness = (other, queue.connection(other))
    schedule(queue, witness, due_s=1)
    schedulers(1)
    wait_until(lambda: syncs(queue, witness), "the other one runs")
    assert syncs(queue, connection) == [] and state(queue, connection)[1] > 0


# Cron, overlap, catch-up and backing off.

def row(queue, connection, columns):
    return queue.database.rows(f"SELECT {columns} FROM schedule WHERE connection_id = %s AND kind = 'sync'", connection[1])[0]


def change(queue, connection, columns, *args):
    queue.database.rows(f"UPDATE schedule SET {columns} WHERE connection_id = %s AND kind = 'sync'", *args, connection[1])


def by_cron(queue, connection, cron, zone="UTC", late="1 s", **fields):
    """A schedule by cron whose tick was due `late` ago; fields are more of its columns."""
    schedule(queue, connection)
    change(queue, connection, "every_s = NULL, cron = %s, time_zone = %s, next_at = now() - %s::interval" +
           "".join(f", {name} = %s" for name in fields), cron, zone, late, *fields.values())
    return row(queue, connection, "next_at")[0]


def put_sync(queue, connection, kind, run_at="now()"):
    """A sync whose only task is of this kind, put in at once: a running worker would take what is changed afterwards."""
    queue.database.rows(f"""WITH s AS (INSERT INTO sync (org_id, sync_id, connection_id, cause, requested_by, tasks_left)
        VALUES (%s, gen_random_uuid(), %s, 'create', 'worker', 1) RETURNING org_id, connection_id, sync_id)
        INSERT INTO task (org_id, task_id, connection_id, sync_id, kind, account_id, run_at)
        SELECT org_id, gen_random_uuid(), connection_id, sync_id, %s, '111122223333', {run_at} FROM s""", *connection, kind)
    queue.database.rows("SELECT pg_notify('task', '')")


def active(queue, connection):
    """A sync that stays active until finish()."""
    put_sync(queue, connection, "sync_account", "now() + interval '1 hour'")


def finish(queue, connection):
    queue.database.rows("UPDATE task SET run_at = now() WHERE connection_id = %s", connection[1])
    queue.database.rows("SELECT pg_notify('task', '')")


def test_three_schedulers_take_a_cron_tick_once_and_the_next_is_at_its_local_time(queue, schedulers, connection):
    tick = by_cron(queue, connection, "45 5 * * *", "Asia/Kathmandu")
    schedulers()
    wait_until(lambda: syncs(queue, connection) == [(tick, "complete")], "it runs once")
    next_at, missed = row(queue, connection, "next_at AT TIME ZONE 'UTC', missed")
    now = queue.database.value("SELECT now() AT TIME ZONE 'UTC'")
    assert next_at.time() == datetime.time(0, 0) and now < next_at <= now + datetime.timedelta(days=1)
    assert missed == 0


def test_cron_ticks_of_an_absence_are_made_good_by_one_run(queue, schedulers, connection):
    """Twenty minutes with a tick every minute: the latest runs, the others are counted."""
    first = by_cron(queue, connection, "* * * * *", late="20 min")
    schedulers()
    wait_until(lambda: syncs(queue, connection), "it catches up")
    ticks = [t for t, _ in syncs(queue, connection)]
    assert ticks[0].second == 0 and datetime.timedelta(minutes=18) < ticks[0] - first <= datetime.timedelta(minutes=21)
    missed = row(queue, connection, "missed")[0]
    assert 19 <= missed <= 20
    ahead = "next_at > now() AND extract(second FROM next_at) = 0 AND next_at <= now() + interval '1 min'"
    wait_until(lambda: row(queue, connection, ahead) == (True,), "the next tick is that of the next minute")


@pytest.mark.parametrize("late_s, run", [(50 * 60, True), (70 * 60, False)])
def test_a_tick_is_made_good_within_its_window_only(queue, schedulers, connection, late_s, run):
    schedule(queue, connection, every_s=7200, due_s=late_s)
    change(queue, connection, "catch_up_window_s = 3600")
    other = queue.organization()
    witness = (other, queue.connection(other))
    schedule(queue, witness, due_s=1)
    schedulers(1)
    wait_until(lambda: state(queue, connection)[1] > 0 and syncs(queue, witness), "a pass was made")
    wait_until(lambda: not queue.count("task", "connection_id = %s", connection[1]), "what was started is over")
    assert len(syncs(queue, connection)) == (1 if run else 0)
    missed, ahead = state(queue, connection)
    assert missed == (0 if run else 1) and 7100 - late_s < ahead <= 7200 - late_s


def test_the_latest_of_many_ticks_decides_whether_the_window_holds(queue, schedulers, connection):
    schedule(queue, connection, every_s=7200, due_s=3 * 7200 + 60)
    change(queue, connection, "catch_up_window_s = 3600")
    schedulers(1)
    wait_until(lambda: syncs(queue, connection), "the latest tick is only a minute late")
    assert state(queue, connection)[0] == 3


def test_buffer_one_keeps_one_tick_until_the_sync_is_over(queue, schedulers, connection):
    active(queue, connection)
    tick = schedule(queue, connection, due_s=1)
    change(queue, connection, "overlap = 'buffer_one'")
    schedulers()
    wait_until(lambda: row(queue, connection, "buffered_tick")[0] == tick, "the tick is kept")
    assert row(queue, connection, "missed, next_at > now()") == (0, True)
    change(queue, connection, "next_at = now()")
    wait_until(lambda: row(queue, connection, "missed")[0] == 1, "a second tick is missed")
    assert row(queue, connection, "buffered_tick")[0] == tick and len(syncs(queue, connection)) == 1
    finish(queue, connection)
    wait_until(lambda: [s for _, s in syncs(queue, connection)] == ["complete", "complete"], "the kept tick runs")
    assert [t for t, _ in syncs(queue, connection) if t] == [tick]
    assert row(queue, connection, "buffered_tick, missed") == (None, 1)


def test_a_pause_drops_the_kept_tick(queue, schedulers, connection):
    active(queue, connection)
    schedule(queue, connection, due_s=1)
    change(queue, connection, "overlap = 'buffer_one'")
    schedulers(1)
    wait_until(lambda: row(queue, connection, "buffered_tick IS NOT NULL")[0], "the tick is kept")
    assert call(queue.database, "schedule", *connection, "sync", 3600, 0, 1)[0] == "OK"
    assert row(queue, connection, "buffered_tick, paused") == (None, True)
    finish(queue, connection)
    wait_until(lambda: not queue.count("task", "connection_id = %s", connection[1]), "the sync ends")
    assert len(syncs(queue, connection)) == 1


def test_skip_keeps_nothing(queue, schedulers, connection):
    active(queue, connection)
    schedule(queue, connection, due_s=1)
    schedulers(1)
    wait_until(lambda: row(queue, connection, "missed, buffered_tick") == (1, None), "the tick is missed")
    finish(queue, connection)
    wait_until(lambda: not queue.count("task", "connection_id = %s", connection[1]), "the sync ends")
    assert len(syncs(queue, connection)) == 1


def failures(queue, connection):
    return queue.count("sync", "connection_id = %s AND state = 'failed'", connection[1])


def fail(queue, connection):
    """Runs a sync that ends failed."""
    before = failures(queue, connection)
    put_sync(queue, connection, "denied")
    wait_until(lambda: failures(queue, connection) == before + 1, "it fails")


def waits(queue, connection):
    """(failures, seconds from now to the end of the backing off)"""
    return row(queue, connection, "failures, extract(epoch FROM backoff_until - now())::float8")


def test_failures_in_a_row_back_off_and_a_success_ends_it(queue, schedulers, connection):
    schedule(queue, connection, every_s=3600, due_s=-600)
    schedulers(1)
    for failures, hours in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24)):
        fail(queue, connection)
        found, wait = waits(queue, connection)
        assert found == failures and hours * 3600 - 120 < wait <= hours * 3600
    put_sync(queue, connection, "sync_account")
    wait_until(lambda: "complete" in [s for _, s in syncs(queue, connection)], "a sync completes")
    assert waits(queue, connection) == (0, None)


def test_a_sync_by_hand_ends_the_backing_off_and_one_by_itself_does_not(queue, schedulers, connection):
    schedule(queue, connection, every_s=3600, due_s=-600)
    schedulers(1)
    fail(queue, connection)
    active(queue, connection)
    assert waits(queue, connection)[0] == 1
    finish(queue, connection)
    wait_until(lambda: "complete" in [s for _, s in syncs(queue, connection)], "a sync completes")
    change(queue, connection, "failures = 2, backoff_until = now() + interval '1 hour'")
    assert call(queue.database, "start", *connection)[0] == "OK"
    assert waits(queue, connection) == (0, None)


def test_a_sync_that_was_partial_or_canceled_is_no_failure(queue, schedulers, connection):
    schedule(queue, connection, every_s=3600, due_s=-600)
    schedulers(1)
    active(queue, connection)
    sync_id = queue.database.value("SELECT sync_id FROM sync WHERE connection_id = %s AND state = 'queued'", connection[1])
    assert call(queue.database, "cancel", connection[0], sync_id)[0] == "OK"
    wait_until(lambda: "canceled" in [s for _, s in syncs(queue, connection)], "it is canceled")
    assert waits(queue, connection) == (0, None)
    queue.database.rows("INSERT INTO probe_part VALUES (%s, 'roles', 'denied')", connection[1])
    fail(queue, connection)
    assert waits(queue, connection)[0] == 1
    put_sync(queue, connection, "sync_account")
    wait_until(lambda: "partial" in [s for _, s in syncs(queue, connection)], "a sync ends partial")
    assert waits(queue, connection) == (0, None)


def test_nothing_scheduled_runs_while_it_backs_off_and_one_run_ends_it(queue, schedulers, connection):
    tick = schedule(queue, connection, every_s=3600, due_s=3 * 3600 + 5)
    change(queue, connection, "failures = 2, backoff_until = now() + interval '1 hour'")
    other = queue.organization()
    witness = (other, queue.connection(other))
    schedule(queue, witness, due_s=1)
    schedulers()
    wait_until(lambda: syncs(queue, witness), "a pass was made")
    assert syncs(queue, connection) == [] and row(queue, connection, "next_at")[0] == tick
    change(queue, connection, "backoff_until = now()")
    wait_until(lambda: [s for _, s in syncs(queue, connection)] == ["complete"], "the latest tick runs")
    assert [(t - tick).total_seconds() for t, _ in syncs(queue, connection)] == [3 * 3600]
    assert row(queue, connection, "failures, missed") == (0, 3)


def test_backing_off_of_cron_counts_its_own_period(queue, schedulers, connection):
    by_cron(queue, connection, "0 */2 * * *", late="-1 h")
    schedulers(1)
    fail(queue, connection)
    found, wait = waits(queue, connection)
    assert found == 1 and 7080 < wait <= 7200


def test_a_persons_pause_outlives_failures_and_successes(queue, schedulers, connection):
    """Nothing but a person sets or clears it: not the end of a sync, whatever it was, not the backing off, not a scheduler."""
    call(queue.database, "schedule", *connection, "sync", 60, 0, 1)
    queue.database.rows("UPDATE connection SET paused = true WHERE connection_id = %s", connection[1])
    schedulers()
    fail(queue, connection)
    active(queue, connection)
    finish(queue, connection)
    wait_until(lambda: "complete" in [s for _, s in syncs(queue, connection)], "a sync by hand completes")
    change(queue, connection, "next_at = now() - interval '1 h', backoff_until = now()")
    other = queue.organization()
    witness = (other, queue.connection(other))
    schedule(queue, witness, due_s=1)
    wait_until(lambda: syncs(queue, witness), "a pass was made")
    assert row(queue, connection, "paused") == (True,)
    assert queue.database.value("SELECT paused FROM connection WHERE connection_id = %s", connection[1]) is True
    assert len(syncs(queue, connection)) == 2


def test_a_time_zone_that_is_gone_does_not_hold_up_the_others(queue, schedulers, connection):
    by_cron(queue, connection, "* * * * *", "Europe/Atlantis", late="2 h")
    other = queue.organization()
    witness = (other, queue.connection(other))
    schedule(queue, witness, due_s=1)
    schedulers(1)
    wait_until(lambda: syncs(queue, witness), "the other one runs")
    assert syncs(queue, connection) == [] and row(queue, connection, "missed, next_at > now()") == (1, True)
