"""connectord worker as a process: what it refuses to start on, what it waits for, how it ends."""
import pytest

from conftest import Worker
from waiting import wait_until


@pytest.fixture
def start(directory, database, keys):
    started = []

    def begin(place=None, **settings):
        started.append(Worker(directory, place or database, keys, **settings))
        return started[-1]
    yield begin
    for process in started:
        process.end()


def test_it_starts_without_an_aws_identity_and_says_so(start):
    worker = start().ready()
    wait_until(lambda: "base_identity_missing" in worker.text(), "it says what is missing")
    assert worker.stop() == 0
    assert '"worker_draining"' in worker.text() and '"drained"' in worker.text()


def test_it_refuses_a_database_of_another_version(start, pg):
    empty = pg.empty_database()
    worker = start(empty)
    assert worker.wait_exit() == 78
    assert "connectord migrate" in worker.tail(1)
    pg.drop(empty)


def test_it_waits_for_a_database_that_is_away(start, pg):
    pg.stop()
    try:
        worker = start()
        worker.wait_log('"database_away"')
    finally:
        pg.start()
    worker.ready()
    assert worker.text().count('"event":"database_away"') == 1
    assert worker.stop() == 0


def test_it_can_be_stopped_while_it_waits(start, pg):
    pg.stop()
    try:
        worker = start()
        worker.wait_log('"database_away"')
        assert worker.stop() == 0
    finally:
        pg.start()


def test_it_meets_a_dead_database_says_so_once_and_carries_on(start, pg):
    worker = start(poll_ms=100).ready()
    pg.stop("immediate")
    worker.wait_log('"database_away"')
    pg.start()
    worker.wait_log('"database_back"')
    assert worker.alive and worker.text().count('"event":"database_away"') == 1


@pytest.mark.parametrize("settings, words", [
    ({"heartbeat_s": 30, "lease_s": 30}, "heartbeat_s must be less than lease_s"),
    ({"database_url": ""}, "database_url is not set"),
    ({"seal_key_file": "/nonexistent/seal.key"}, "/nonexistent/seal.key"),
])
def test_it_refuses_settings_that_cannot_work(start, settings, words):
    worker = start(**settings)
    assert worker.wait_exit() == 78
    assert words in worker.text()
