"""Schedules: one run a tick whatever the number of schedulers, one catch-up after an absence, phase kept, pauses honoured."""
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
