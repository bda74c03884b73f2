"""How tasks end: poison, denial, retry, unknown kinds, late finishes, cancellation, drain, and what their sync says then."""
import signal

import pytest

from probe import Queue, Worker, call
from waiting import wait_until


@pytest.fixture(scope="module")
def queue(database):
    return Queue(database)


@pytest.fixture
def worker(queue, directory):
    """worker(**options) -> a probe worker; all end with the test."""
    started = []

    def start(**options):
        started.append(Worker(directory, queue.database, **{"lease_s": 3, "heartbeat_s": 1, "poll_ms": 200, **options}))
        return started[-1].ready()
    yield start
    for process in started:
        if process.alive:
            process.signal(signal.SIGCONT)
        process.end()


@pytest.fixture
def parts(queue):
    """A connection whose probe sync will write the given coverage."""
    def make(*states):
        org_id = queue.organization()
        connection_id = queue.connection(org_id)
        for number, (state, code) in enumerate(states):
            queue.database.rows("INSERT INTO probe_part VALUES (%s, %s, %s, %s, %s)", connection_id, f"part{number}", state,
                                code, f"because of {code}" if code else "")
        return org_id, connection_id
    return make


def run_sync(queue, org_id, connection_id):
    rc, code, sync_id = call(queue.database, "start", org_id, connection_id)
    assert rc == "OK", code
    wait_until(lambda: queue.sync(sync_id)[0] not in ("queued", "running"), "the sync ends")
    return sync_id


@pytest.mark.parametrize("states, expected, code", [
    ([("ok", ""), ("unsupported", ""), ("region_disabled", ""), ("not_enabled", ""), ("skipped_by_config", "")], "complete", ""),
    ([("ok", ""), ("denied", "missing_permission")], "partial", "missing_permission"),
    ([("ok", ""), ("throttled", "")], "partial", "throttled"),
    ([], "partial", "nothing_covered"),
])
def test_a_sync_ends_as_its_coverage_says(queue, worker, parts, states, expected, code):
    worker()
    org_id, connection_id = parts(*states)
    sync_id = run_sync(queue, org_id, connection_id)
    assert queue.sync(sync_id) == (expected, code, 0)
    state, completed = queue.database.rows("""SELECT last_sync_state, last_complete_at IS NOT NULL FROM connection
        WHERE connection_id = %s""", connection_id)[0]
    assert (state, completed) == (expected, expected == "complete")
    started, finished = queue.database.rows("SELECT started_at, finished_at FROM sync WHERE sync_id = %s", sync_id)[0]
    assert started <= finished


def test_coverage_of_an_earlier_sync_does_not_count(queue, worker, parts):
    worker()
    org_id, connection_id = parts(("denied", "missing_permission"))
    assert queue.sync(run_sync(queue, org_id, connection_id))[0] == "partial"
    queue.database.rows("UPDATE probe_part SET part = 'other', state = 'ok', reason_code = '' WHERE connection_id = %s",
                        connection_id)
    assert queue.sync(run_sync(queue, org_id, connection_id))[0] == "complete"


def test_one_sync_of_a_connection_at_a_time(queue, parts):
    org_id, connection_id = parts(("ok", ""))
    rc, _, sync_id = call(queue.database, "start", org_id, connection_id)
    assert rc == "OK"
    assert call(queue.database, "start", org_id, connection_id) == ("CONFLICT", "sync_active", sync_id)
    stranger = queue.organization()
    assert call(queue.database, "start", stranger, connection_id)[:2] == ("NOT_FOUND", "connection_not_found")
    assert queue.count("task", "sync_id = %s", sync_id) == 1
    assert call(queue.database, "cancel", org_id, sync_id)[0] == "OK"


def test_the_server_role_may_start_and_cancel(queue, parts):
    org_id, connection_id = parts(("ok", ""))
    rc, _, sync_id = call(queue.database, "start", org_id, connection_id, role="connectord_app")
    assert rc == "OK"
    assert call(queue.database, "cancel", org_id, sync_id, role="connectord_app")[0] == "OK"
    assert queue.sync(sync_id) == ("canceled", "canceled", 0)
    assert queue.count("task", "sync_id = %s", sync_id) == 0
    assert call(queue.database, "cancel", org_id, sync_id)[:2] == ("CONFLICT", "sync_finished")
    assert call(queue.database, "cancel", org_id, connection_id)[:2] == ("NOT_FOUND", "sync_not_found")
    actions = [r[0] for r in queue.database.rows("SELECT action FROM audit WHERE org_id = %s ORDER BY audit_id", org_id)]
    assert actions == ["sync.started", "sync.canceled"]


def test_a_running_task_hears_of_its_cancellation_long_before_the_next_beat(queue, worker, parts):
    org_id, connection_id = parts(("ok", ""))
    _, _, sync_id = call(queue.database, "start", org_id, connection_id)
    queue.database.rows("""UPDATE task SET kind = 'wait', payload = '{"ms": 60000}' WHERE sync_id = %s""", sync_id)
    before = queue.begun("wait")
    worker(lease_s=120, heartbeat_s=60)
    wait_until(lambda: queue.begun("wait") > before, "the task runs")
    assert queue.sync(sync_id)[0] == "running"
    assert call(queue.database, "cancel", org_id, sync_id)[0] == "OK"
    wait_until(lambda: queue.sync(sync_id)[0] == "canceled", "the sync is canceled", within=5)
    queue.assert_settled()


def test_a_task_of_a_canceled_sync_is_not_run(queue, worker, parts):
    org_id, connection_id = parts(("ok", ""))
    _, _, sync_id = call(queue.database, "start", org_id, connection_id)
    queue.database.rows("UPDATE sync SET cancel = true WHERE sync_id = %s", sync_id)
    worker()
    wait_until(lambda: queue.sync(sync_id)[0] == "canceled", "the sync is canceled")
    assert queue.count("probe_effect", "org_id = %s", org_id) == 0


def test_poison_ends_failed_and_leaves_the_others_alone(queue, worker, parts):
    """Each attempt kills its whole process; what shares the process is run again elsewhere."""
    org_id, connection_id = parts(("ok", ""))
    _, _, sync_id = call(queue.database, "start", org_id, connection_id)
    queue.database.rows("UPDATE task SET kind = 'crash' WHERE sync_id = %s", sync_id)
    other = queue.organization()
    effects = queue.insert(other, "effect", 200, '{"ms": 20}')
    options = {"lease_s": 1, "heartbeat_s": 1, "threads": 2, "attempts": 5}
    running, crashes = [worker(**options), worker(**options)], 0

    def over():
        nonlocal crashes
        for number, process in enumerate(running):
            if not process.alive:
                assert process.returncode == -signal.SIGSEGV, process.tail()
                crashes += 1
                running[number] = worker(**options)
        # A process that died is not always seen to be dead before another one has given its task up.
        return queue.sync(sync_id)[0] not in ("queued", "running") and not queue.count("task") and crashes >= queue.begun("crash")
    wait_until(over, lambda: f"the poison is given up after {crashes} crashes", within=120)
    assert queue.sync(sync_id)[:2] == ("failed", "worker_lost")
    assert queue.begun("crash") == 5 and crashes == 5
    assert queue.count("probe_effect", "task_id = ANY(%s::uuid[])", effects) == 200
    queue.assert_settled()


def test_denied_fails_at_once_and_the_sync_says_why(queue, worker, parts):
    org_id, connection_id = parts(("ok", ""))
    _, _, sync_id = call(queue.database, "start", org_id, connection_id)
    queue.database.rows("UPDATE task SET kind = 'denied' WHERE sync_id = %s", sync_id)
    worker()
    wait_until(lambda: queue.sync(sync_id)[0] == "failed", "the sync fails")
    assert queue.sync(sync_id)[1] == "probe_denied"
    assert queue.database.value("SELECT last_sync_state FROM connection WHERE connection_id = %s", connection_id) == "failed"
    queue.assert_settled()


def test_again_is_tried_until_its_attempts_are_used_up(queue, worker):
    org_id = queue.organization()
    queue.database.rows("""CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.run_at := now() + interval '1 hour'; RETURN NEW; END $$""")
    queue.database.rows("CREATE TRIGGER later BEFORE UPDATE ON task FOR EACH ROW WHEN (NEW.kind = 'again' AND NEW.state = 'ready')"
                        " EXECUTE FUNCTION later()")  # so that the second attempt does not come before we have looked
    task_id = queue.insert(org_id, "again")[0]
    process = worker(attempts=2)
    wait_until(lambda: queue.count("task", "attempts = 1 AND state = 'ready' AND last_error LIKE 'probe_again:%%'"),
               "the first attempt is over")
    queue.database.rows("DROP TRIGGER later ON task")
    queue.database.rows("UPDATE task SET run_at = now() WHERE task_id = %s", task_id)
    wait_until(lambda: not queue.count("task", "task_id = %s", task_id), "it is given up")
    process.wait_log('"task_failed"')  # written when it is so already
    assert process.text().count('"task_retried"') == 1 and process.text().count('"task_failed"') == 1
    queue.assert_settled()


def test_an_unknown_kind_waits_for_a_worker_that_knows_it(queue, worker):
    org_id = queue.organization()
    task_id = queue.insert(org_id, "from_the_future")[0]
    worker()
    wait_until(lambda: queue.count("task", "state = 'ready' AND attempts = 1 AND run_at > now() + interval '30 s'"),
               "it is put back for later")
    queue.database.rows("DELETE FROM task WHERE task_id = %s", task_id)
    queue.assert_settled()


def test_a_task_that_takes_too_long_is_told_to_stop(queue, worker):
    org_id = queue.organization()
    queue.insert(org_id, "late", payload='{"ms": 60000}')
    worker()
    wait_until(lambda: queue.begun("late") == 1 and not queue.count("task"), "it is stopped and given up")
    assert queue.count("probe_effect", "kind = 'late'") == 0
    queue.assert_settled()


def test_a_late_finish_is_refused_by_the_fence(queue):
    org_id = queue.organization()
    task_id = queue.insert(org_id, "noop")[0]
    assert call(queue.database, "late") == ("OK", "-", task_id)
    queue.assert_settled()


def test_a_worker_that_slept_through_its_lease_changes_nothing(queue, worker):
    """SIGSTOP until another worker has done the work; its own transaction then finds the fence closed."""
    org_id = queue.organization()
    zombie = worker(threads=1, lease_s=1, heartbeat_s=1)
    task_id = queue.insert(org_id, "stuck", payload='{"ms": 3000}')[0]
    wait_until(lambda: queue.count("probe_begun", "task_id = %s", task_id), "it begins")
    zombie.signal(signal.SIGSTOP)
    queue.database.rows("UPDATE task SET payload = '{\"ms\": 100}' WHERE task_id = %s", task_id)
    worker(threads=1, lease_s=2, heartbeat_s=1)
    wait_until(lambda: queue.count("probe_effect", "task_id = %s", task_id), "the other one does it")
    zombie.signal(signal.SIGCONT)
    assert zombie.stop() == 0  # the drain waits for its task, which ends by being refused
    rows = queue.database.rows("SELECT lease, pid <> %s FROM probe_effect WHERE task_id = %s", zombie.pid, task_id)
    assert rows == [(2, True)]
    queue.assert_settled()


def test_drain_stops_claiming_finishes_what_runs_and_charges_nothing(queue, worker):
    org_id = queue.organization(slots=8)
    queue.insert(org_id, "wait", 40, '{"ms": 400}')
    before = queue.begun("wait")
    process = worker(threads=4, drain_s=20)
    wait_until(lambda: queue.begun("wait") >= before + 4, "four run")
    process.signal(signal.SIGTERM)
    asked = queue.database.value("SELECT clock_timestamp()")
    assert process.wait_exit() == 0
    late = queue.count("probe_begun", "kind = 'wait' AND org_id = %s AND at > %s + interval '100 ms'", org_id, asked)
    assert late == 0
    begun = queue.count("probe_begun", "org_id = %s", org_id)
    assert queue.count("probe_effect", "org_id = %s", org_id) == begun  # what ran was finished
    assert queue.count("task", "attempts <> 0 OR state <> 'ready'") == 0
    assert queue.count("org_queue", "running <> 0") == 0
    queue.database.rows("DELETE FROM task")


def test_drain_gives_back_what_does_not_end_in_time(queue, worker):
    """One listens to the stop flag, one does not: both are free again at once, uncharged, and the process is gone."""
    org_id = queue.organization()
    tasks = queue.insert(org_id, "wait", 1, '{"ms": 60000}') + queue.insert(org_id, "stuck", 1, '{"ms": 60000}')
    process = worker(threads=2, drain_s=2, lease_s=60, heartbeat_s=10)
    wait_until(lambda: queue.count("probe_begun", "task_id = ANY(%s::uuid[])", tasks) == 2, "both run")
    process.signal(signal.SIGTERM)
    assert process.wait_exit() == 0
    assert queue.database.rows("SELECT state, attempts FROM task WHERE task_id = ANY(%s::uuid[])", tasks) == [("ready", 0)] * 2
    assert queue.count("org_queue", "running <> 0") == 0
    queue.database.rows("DELETE FROM task")


def test_a_slot_that_leaked_is_found_by_the_sweep(queue, worker):
    """A purge deletes a connection and its leased tasks with it; the slots must come back."""
    org_id = queue.organization(slots=1)
    queue.database.rows("UPDATE org_queue SET running = 1 WHERE org_id = %s", org_id)
    task_id = queue.insert(org_id, "effect")[0]
    worker(lease_s=2, heartbeat_s=1)
    wait_until(lambda: queue.count("probe_effect", "task_id = %s", task_id), "the slot is found free")
    queue.assert_settled()


def test_a_body_whose_commit_may_have_happened_is_never_repeated(pg):
    """A part of it lost a race and was undone, which alone would be a reason to run it all again."""
    fresh = pg.database()
    Queue(fresh)
    assert call(fresh, "lost")[:2] == ("OK", "-")
    fresh.rows("""CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$""")
    fresh.rows("CREATE CONSTRAINT TRIGGER die AFTER INSERT ON probe_effect DEFERRABLE INITIALLY DEFERRED"
               " FOR EACH ROW EXECUTE FUNCTION die()")
    assert call(fresh, "lost")[:2] == ("RETRY", "commit_unknown")
    pg.drop(fresh)
