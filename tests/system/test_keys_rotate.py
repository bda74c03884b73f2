"""Rotation of the sealing keys: online, killed at any point and begun again, and the old key opens nothing afterwards.

The dose is ROWS values (10,000; CONNECTORD_ROTATE_ROWS changes it) and KILLS kills -9 of a rewrap that runs, while a server seals
and a worker opens: syncs of all these connections go on, and none fails."""
import concurrent.futures
import contextlib
import os
import random
import shutil
import subprocess
import threading
import uuid
from pathlib import Path

import psycopg2.extras
import pytest
import webhook
from api import Organization
from processes import Process, binary, clean_environment, run
from receiver import Receiver
from waiting import wait_until

ACCOUNT = "111122223333"
KEY = ("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003")
ROWS = int(os.environ.get("CONNECTORD_ROTATE_ROWS", 10_000))
ORGANIZATIONS, BUSY, KILLS, FILE_KILLS = 10, 6, 20, 4
SYNCERS, SYNCS_MIN = 2, 20
QUICK = {"aws_rates": "iam=1000", "aws_call_timeout_s": 20, "aws_scope_deadline_s": 40, "poll_ms": 50}
STUCK, DONE, CONFIG = 1, 0, 78
ALL_SEALED = """SELECT substring(sealed_secret_access_key FROM 4 FOR 8) FROM connection WHERE sealed_secret_access_key IS NOT NULL
    UNION ALL SELECT substring(sealed_secret FROM 4 FOR 8) FROM webhook WHERE sealed_secret IS NOT NULL
    UNION ALL SELECT substring(sealed_previous FROM 4 FOR 8) FROM webhook WHERE sealed_previous IS NOT NULL"""
ROWS_AS_THEY_ARE = "SELECT connection_id, version, updated_at FROM connection ORDER BY 1"


class Keys:
    """`connectord keys` on one folder and database."""

    def __init__(self, directory, database):
        self.directory, self.database = directory, database

    def argv(self, what, *more):
        return [binary(), "keys", what, str(self.directory), f"--database-url={self.database.worker_url}", *more]

    def __call__(self, what, *more):
        return run(self.argv(what, *more), within=300, env=clean_environment())

    def start(self, place, what, *more):
        return Process(self.argv(what, *more), clean_environment(), place, "keys")

    def lines(self):
        return [line for line in (self.directory / "seal.key").read_text().splitlines() if line.startswith("seal-secret:")]

    def ids(self):
        """Key ids of seal.key as status shows them, newest first."""
        return [line.split()[1] for line in self("status").stdout.splitlines() if line.startswith("  key") and "  newest" in line or "  old " in line]


def connect(org, **more):
    """Creates an access-key connection; waits when the server asks to."""
    body = {"name": f"key {random.random()}", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1",
            "auth": {"method": "access_key", "access_key_id": KEY[0], "secret_access_key": KEY[1]}, **more}
    answers = []

    def made():
        answers.append(org.post("/v1/connections", body))
        assert answers[-1].status_code in (201, 429), answers[-1].text
        return answers[-1].status_code == 201
    wait_until(made, "a connection is made", 30)
    return answers[-1].json()


def connect_many(database, org, public, n):
    """n connections with one sealed secret each, behind the API's back: made one by one they would take minutes. Their ids."""
    probe = Path(os.environ.get("SEAL_PROBE_BIN") or Path(binary()).parent / "tests" / "seal_probe")
    assert probe.exists(), f"{probe} is missing: build the target seal_probe"
    ids = [str(uuid.uuid4()) for _ in range(n)]
    made = subprocess.run([str(probe), str(public), "secret_access_key"], input="".join(f"{org.org_id} {i} {KEY[1]}\n" for i in ids),
                          capture_output=True, text=True, timeout=60, check=True)
    rows = [(org.org_id, i, f"many {i[:8]}", ACCOUNT, KEY[0], bytes.fromhex(sealed))
            for i, sealed in zip(ids, made.stdout.splitlines(), strict=True)]
    connection = database.connect()
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, """INSERT INTO connection (org_id, connection_id, name, aws_account_id, access_key_id,
            sealed_secret_access_key, authoritative_status, region, auth_method) VALUES %s""", rows,
            "(%s, %s, %s, %s, %s, %s, 'none', 'us-east-1', 'access_key')", page_size=1000)
    return ["conn_" + i.replace("-", "") for i in ids]


def under(database):
    """How many values are sealed under each key."""
    counts = {}
    for (key,) in database.rows(ALL_SEALED):
        counts[bytes(key).hex()] = counts.get(bytes(key).hex(), 0) + 1
    return counts


@contextlib.contextmanager
def left(database, key):
    """A function that tells how many values of connections are still under `key`; asked often, so it keeps its session."""
    asking = database.connect()
    with contextlib.closing(asking), asking.cursor() as cursor:
        def ask():
            cursor.execute("SELECT count(*) FROM connection WHERE substring(sealed_secret_access_key FROM 4 FOR 8) = %s", (bytes.fromhex(key),))
            return cursor.fetchone()[0]
        yield ask


def bare(connection):
    return connection["id"].removeprefix("conn_")


@pytest.fixture
def place(directory, tmp_path, keys):
    """A folder of keys of its own."""
    made = tmp_path / "keys"
    made.mkdir()
    for name in ("seal.key", "seal.pub", "operator.key"):
        shutil.copy(keys.directory / name, made / name)
    return made


@pytest.fixture
def fresh(pg):
    made = pg.database()
    yield made
    pg.drop(made)


@pytest.fixture
def rotation(place, fresh):
    return Keys(place, fresh)


@pytest.fixture
def serving(start_server, place, fresh):
    made = start_server(database=fresh, seal_public_file=place / "seal.pub")
    yield made
    made.stop()


def quiet(database):
    """No work but what a test asks for."""
    database.rows("UPDATE schedule SET next_at = now() + interval '10 days'")
    database.rows("DELETE FROM task")


class Load(threading.Thread):
    """Does something for ever, until end()."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping, self.errors = threading.Event(), []

    def run(self):
        try:
            while not self.stopping.wait(0.3):
                self.turn()
        except Exception as error:  # the test's own thread must hear of it
            self.errors.append(repr(error))

    def end(self):
        self.stopping.set()
        self.join(60)
        assert self.errors == [] and not self.is_alive()


class Syncing(Load):
    """Syncs connections one after the other, each of which has a secret to be opened."""

    def __init__(self, connections):
        super().__init__()
        self.connections, self.ended = connections, []

    def turn(self):
        org, connection = random.choice(self.connections)
        self.ended.append(org.wait_sync(org.sync(connection)["id"]))


class Changing(Load):
    """Changes some connections: what an access key's owner would do."""

    def __init__(self, org, busy, database):
        super().__init__()
        self.org, self.busy, self.database = org, busy, database
        self.patched, self.bad = 0, []
        self.right = {c["id"]: True for c in busy}

    def turn(self):
        connection = random.choice(self.busy)
        right = random.random() < 0.5
        answer = self.org.patch(f"/v1/connections/{connection['id']}", {"auth": {
            "method": "access_key", "access_key_id": KEY[0], "secret_access_key": KEY[1] if right else "x" * 40}},
            self.org.get(f"/v1/connections/{connection['id']}").headers["ETag"])
        assert answer.status_code in (200, 429), answer.text
        if answer.status_code == 200:
            self.right[connection["id"]] = right
            self.patched += 1
        self.bad += self.database.rows("SELECT connection_id, verify_code FROM connection WHERE org_id = %s"
                                       " AND (verify_code LIKE 'sealing%%' OR verify_code = 'secret_damaged')", self.org.org_id)


FURTHER_ON = """SELECT FROM connection WHERE (org_id, connection_id) = (SELECT org_id, connection_id FROM connection
    WHERE substring(sealed_secret_access_key FROM 4 FOR 8) = %s ORDER BY org_id, connection_id OFFSET %s LIMIT 1) FOR NO KEY UPDATE"""


def kill_among_values(rotation, place, key, still, some):
    """Kills a run that has sealed some values, or the few more that it comes to meanwhile; whether it was at its values then. A row
    that is held keeps it from coming to the end of them should we be slow."""
    before = still()
    holding = rotation.database.connect()
    with contextlib.closing(holding), holding.cursor() as cursor:
        holding.autocommit = False
        cursor.execute(FURTHER_ON, (bytes.fromhex(key), 2 * some))
        running = rotation.start(place, "rotate")
        wait_until(lambda: still() <= before - some, running.tail, poll=0.01)
        hit = running.alive
        running.kill()
    return hit and 0 < still() < before


def test_rotation_under_load_survives_kills_and_leaves_the_old_key_nothing(
        rotation, place, serving, fresh, start_awssim, start_worker, tmp_path):
    aws = start_awssim("demo")
    orgs = [serving.organization() for _ in range(ORGANIZATIONS)]
    many = [(org, i) for org in orgs for i in connect_many(fresh, org, place / "seal.pub", ROWS // ORGANIZATIONS)]
    for org in orgs:
        assert org.post("/v1/webhooks", {"url": "https://example.com/hook"}).status_code == 201
    busy_org = serving.organization()
    busy = [connect(busy_org) for _ in range(BUSY)]
    quiet(fresh)
    old_files = tmp_path / "old"
    shutil.copytree(place, old_files)
    kept = {row[0]: row[1:] for row in fresh.rows(ROWS_AS_THEY_ARE)}
    ((started, total),) = under(fresh).items()
    assert total == ROWS + ORGANIZATIONS + BUSY

    worker = start_worker(aws, database=fresh, seal_key_file=place / "seal.key", **QUICK)
    changing, syncing = Changing(busy_org, busy, fresh), [Syncing(many[n::SYNCERS]) for n in range(SYNCERS)]
    for load in (changing, *syncing):
        load.start()
    for n in range(FILE_KILLS):  # while it makes and replaces files
        running = rotation.start(tmp_path, "rotate")
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.popen.wait(0.01 * 2 ** n)
        running.kill()
    assert rotation("status").returncode == DONE  # at any point every value opens
    hits = 0
    with left(fresh, started) as still:
        for n in range(1, KILLS + 1):  # somewhere among the values
            hits += kill_among_values(rotation, tmp_path, started, still, ROWS // (4 * KILLS))
            if n % 10 == 0:
                assert rotation("status").returncode == DONE
    # Values are under both keys now, and stay so for as many syncs and changes as it takes.
    wait_until(lambda: sum(len(load.ended) for load in syncing) >= SYNCS_MIN and changing.patched, worker.tail, 120)
    done = rotation("rotate", "--retire")
    assert done.returncode == DONE, done.stderr
    synced = sum(len(load.ended) for load in syncing)
    for load in (changing, *syncing):
        load.end()
    assert (hits, synced >= SYNCS_MIN, changing.patched > 0) == (KILLS, True, True), (hits, synced, changing.patched)
    assert changing.bad == [] and worker.alive and serving.alive
    assert [sync for load in syncing for sync in load.ended if sync["state"] != "complete"] == []

    assert len(rotation.lines()) == 1 and rotation.lines()[0] not in (old_files / "seal.key").read_text()
    (newest,) = rotation.ids()
    assert under(fresh) == {newest: total}
    old = Keys(old_files, fresh)("status")
    assert old.returncode == STUCK and f"{total} cannot be opened" in old.stdout, old.stdout
    # What people see of the rows is as it was; the busy ones were changed by people.
    now = {row[0]: row[1:] for row in fresh.rows(ROWS_AS_THEY_ARE)}
    changed = {bare(c) for c in busy}
    assert {k: v for k, v in now.items() if k.replace("-", "") not in changed} == \
        {k: v for k, v in kept.items() if k.replace("-", "") not in changed}
    # The last change won, also where a rewrap was on its way: the worker opens it, and AWS says whether it is right.
    for connection in busy:
        wanted = ("verified", "") if changing.right[connection["id"]] else ("refused", "access_key_refused")
        fresh.rows("UPDATE schedule SET next_at = now() WHERE connection_id = %s AND kind = 'verify'", bare(connection))
        wait_until(lambda: fresh.rows("SELECT verify_state, verify_code FROM connection WHERE connection_id = %s",
                                      bare(connection))[0] == wanted, lambda: f"{connection['id']} {wanted}\n{worker.tail()}", 60)
    # One that was never touched, opened by the worker that has been there all along.
    quiet_org, untouched = next(one for one in many if not one[0].syncs(one[1]))
    quiet_org.complete_sync(untouched)
    # Each organization can read what was done to its secrets.
    assert fresh.value("SELECT sum((detail ->> 'values')::int) FROM audit WHERE action = 'secrets.rewrapped' AND org_id = %s",
                       orgs[0].org_id) >= ROWS // ORGANIZATIONS + 1
    worker.stop()


def test_without_retire_the_old_key_stays_and_the_next_run_makes_no_other(rotation, serving, fresh, place):
    org = serving.organization()
    connect(org)
    before, mode = rotation.lines(), (place / "seal.key").stat().st_mode
    first = rotation("rotate")
    assert first.returncode == DONE and "--retire" in first.stdout, first.stderr
    assert len(rotation.lines()) == 2 and rotation.lines()[1:] == before
    assert (place / "seal.key").stat().st_mode == mode
    again = rotation("rotate")
    assert again.returncode == DONE and "goes on" in again.stdout
    assert len(rotation.lines()) == 2
    # The server has taken the new public key by itself.
    connect(org)
    newest, _ = rotation.ids()
    assert under(fresh) == {newest: 2}
    assert rotation("rotate", "--retire").returncode == DONE
    assert len(rotation.lines()) == 1 and rotation.ids() == [newest]
    shown = "".join(done.stdout + done.stderr for done in (first, again, rotation("status")))
    assert not any(line.removeprefix("seal-secret:") in shown for line in before + rotation.lines())


def test_a_value_that_does_not_open_is_named_and_keeps_the_old_keys(rotation, serving, fresh):
    org = serving.organization()
    good, broken = connect(org), connect(org)
    fresh.rows("UPDATE connection SET sealed_secret_access_key = overlay(sealed_secret_access_key placing '\\x00' from 60)"
               " WHERE connection_id = %s", bare(broken))
    done = rotation("rotate", "--retire", "--single-host")
    assert done.returncode == CONFIG and "the old keys stay" in done.stderr
    assert broken["id"] in done.stdout and good["id"] not in done.stdout and "seal_broken" in done.stdout
    assert len(rotation.lines()) == 2
    shown = rotation("status")
    assert shown.returncode == STUCK and "1 cannot be opened" in shown.stdout and broken["id"] in shown.stdout


def sealed(database, connection):
    return bytes(database.value("SELECT sealed_secret_access_key FROM connection WHERE connection_id = %s", bare(connection)))


PUT_BACK = "UPDATE connection SET sealed_secret_access_key = %s WHERE connection_id = %s"


def test_old_keys_stay_for_what_is_sealed_with_them_but_not_committed_yet(rotation, serving, fresh, tmp_path):
    one = connect(serving.organization())
    old = sealed(fresh, one)
    assert rotation("rotate").returncode == DONE
    writing = fresh.connect()
    with contextlib.closing(writing), writing.cursor() as cursor:
        writing.autocommit = False
        cursor.execute(PUT_BACK, (old, bare(one)))
        running = rotation.start(tmp_path, "rotate", "--retire")
        running.wait_log("a transaction is still writing")
        assert len(rotation.lines()) == 2 and running.alive
        writing.commit()
    assert running.wait_exit() == DONE, running.tail()
    assert under(fresh) == {rotation.ids()[0]: 1} and len(rotation.lines()) == 1


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = %s"


@contextlib.contextmanager
def locked(database, tables, mode):
    """Nobody writes to these tables until the block ends; release() ends it sooner."""
    holding = database.connect()
    with contextlib.closing(holding), holding.cursor() as cursor:
        holding.autocommit = False
        cursor.execute(f"LOCK TABLE {tables} IN {mode} MODE")
        yield holding.commit


def test_what_was_sealed_with_a_key_that_went_meanwhile_is_refused_and_not_lost(rotation, start_server, fresh, place, tmp_path):
    """Each request that seals: sealed with the old key before it is withdrawn, stored when it is."""
    elsewhere = tmp_path / "seal.pub"
    shutil.copy(place / "seal.pub", elsewhere)  # of a machine that does not get the new one
    server = start_server(database=fresh, seal_public_file=elsewhere)
    org = server.organization()
    one, key = connect(org), {"method": "access_key", "access_key_id": KEY[0], "secret_access_key": KEY[1]}
    hook = org.post("/v1/webhooks", {"url": "https://example.com/hook"}).json()["id"]
    new = {"name": "late", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1", "auth": key}
    requests = [
        lambda to: to.post("/v1/connections", new),
        lambda to: to.post("/v1/connections", new, params={"validate_only": "true"}),
        lambda to: to.patch(f"/v1/connections/{one['id']}", {"auth": key}),
        lambda to: to.post("/v1/connections/import", {"version": 1, "allow_duplicates": True, "connections": [new]}),
        lambda to: to.post("/v1/webhooks", {"url": "https://example.com/other"}),
        lambda to: to.post(f"/v1/webhooks/{hook}/rotate-secret"),
    ]
    with locked(fresh, "sealing_key_withdrawn", "EXCLUSIVE") as let_withdraw:
        running = rotation.start(tmp_path, "rotate", "--retire", "--single-host")
        wait_until(lambda: fresh.value(WAITING, "connectord keys") == 1, running.tail)
        with locked(fresh, "connection, connection_check, webhook", "SHARE") as let_commit, \
                concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            answers = [pool.submit(send, Organization(org.url, org.org_id, org.key)) for send in requests]
            wait_until(lambda: fresh.value(WAITING, "connectord server") == len(requests), server.tail)
            let_withdraw()
            wait_until(lambda: fresh.value("SELECT count(*) FROM sealing_key_withdrawn") == 1, running.tail)
            let_commit()
            answers = [answer.result() for answer in answers]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "sealing_key_withdrawn"), answer.text
        assert answer.headers["Retry-After"] and "send it again" in answer.json()["detail"]
    assert running.wait_exit() == DONE, running.tail()
    (newest,) = rotation.ids()
    assert under(fresh) == {newest: 2} and len(rotation.lines()) == 1
    assert fresh.value("SELECT count(*) FROM connection_check") == 0
    # The server goes on refusing until it has the new key, and then takes what is sent again.
    assert [send(org).status_code for send in requests] == [503] * len(requests)
    shutil.copy(place / "seal.pub", elsewhere)
    wait_until(lambda: requests[0](org).status_code == 201, "the server has the new key")
    assert [send(org).status_code for send in requests[1:]] == [202, 200, 201, 201, 200]
    assert set(under(fresh)) == {newest}
    server.stop()


def test_a_run_that_is_killed_after_dropping_the_old_keys_has_not_lost_them(rotation, serving, fresh, place, tmp_path):
    org = serving.organization()
    one, other = connect(org), connect(org)
    old = sealed(fresh, one), sealed(fresh, other)
    retired, before = place / "seal.key.retired", rotation.lines()
    running = rotation.start(tmp_path, "rotate", "--retire", "--single-host")
    wait_until(lambda: len(rotation.lines()) == 1 and rotation.lines() != before, running.tail, 60, poll=0.005)
    running.kill()
    assert retired.stat().st_mode & 0o777 == 0o600 and before[0] in retired.read_text()
    # Of a server that was slower than it may be; and one that no key opens.
    fresh.rows(PUT_BACK, old[0], bare(one))
    fresh.rows(PUT_BACK, old[1][:-1] + bytes([old[1][-1] ^ 1]), bare(other))
    assert "goes on" in rotation("status").stdout
    stuck = rotation("rotate", "--retire")
    assert stuck.returncode == CONFIG and "seal.key.retired" in stuck.stderr and other["id"] in stuck.stdout
    fresh.rows(PUT_BACK, old[1], bare(other))
    done = rotation("rotate")
    assert done.returncode == DONE and "goes on" in done.stdout, done.stderr
    assert not retired.exists() and len(rotation.lines()) == 1
    assert under(fresh) == {rotation.ids()[0]: 2}


def test_on_several_machines_no_run_both_gives_out_a_key_and_relies_on_it(rotation, serving, fresh, place):
    connect(serving.organization())
    before, public = rotation.lines(), (place / "seal.pub").read_text()
    counts = under(fresh)
    refused = rotation("rotate", "--retire")
    assert refused.returncode == CONFIG and "--single-host" in refused.stderr and rotation.lines() == before
    for _ in range(2):
        added = rotation("rotate", "--add-only")
        assert added.returncode == DONE and "When all workers have" in added.stdout, added.stderr
        assert len(rotation.lines()) == 2 and rotation.lines()[1:] == before
    assert (place / "seal.pub").read_text() == public and under(fresh) == counts
    assert rotation("rotate", "--retire").returncode == CONFIG  # servers do not have it yet
    assert (place / "seal.pub").read_text() == public
    assert rotation("rotate").returncode == DONE
    assert (place / "seal.pub").read_text() != public and under(fresh) == {rotation.ids()[0]: 1}
    assert [rotation("rotate", *flags).returncode for flags in (["--single-host"], ["--add-only", "--retire"])] == [64, 64]


def test_a_value_moved_to_another_row_is_not_rewrapped_into_it(rotation, serving, fresh):
    """Rewrapping must not make a stolen blob good: it opens values in their own place only."""
    org, other = serving.organization(), serving.organization()
    mine, theirs = connect(org), connect(other)
    blob = fresh.value("SELECT sealed_secret_access_key FROM connection WHERE connection_id = %s", bare(theirs))
    fresh.rows("UPDATE connection SET sealed_secret_access_key = %s WHERE connection_id = %s", blob, bare(mine))
    done = rotation("rotate")
    assert done.returncode == CONFIG and mine["id"] in done.stdout and theirs["id"] not in done.stdout
    assert bytes(fresh.value("SELECT sealed_secret_access_key FROM connection WHERE connection_id = %s", bare(mine))) == bytes(blob)


def test_two_rotations_at_once_and_halves_that_do_not_belong_together_are_refused(rotation, serving, fresh, place, tmp_path):
    connect(serving.organization())
    with locked(fresh, "connection", "SHARE"):  # so that the first is not done before the second comes
        running = rotation.start(tmp_path, "rotate")
        running.wait_log("is the newest")
        second = rotation("rotate")
    assert second.returncode == CONFIG and "another rotation" in second.stderr
    assert running.wait_exit() == DONE
    assert rotation("rotate", "--retire").returncode == DONE
    other = tmp_path / "other"
    assert run([binary(), "keys", "new", str(other)]).returncode == DONE
    shutil.copy(other / "seal.pub", place / "seal.pub")
    before = rotation.lines()
    done = rotation("rotate")
    assert done.returncode == CONFIG and "no secret half" in done.stderr
    assert rotation.lines() == before


def test_a_key_that_has_not_reached_a_worker_costs_a_receiver_no_attempt(start_server, start_worker, fresh, place, tmp_path):
    late = tmp_path / "late"
    assert run([binary(), "keys", "new", str(late)]).returncode == DONE
    serving = start_server(database=fresh, seal_public_file=place / "seal.pub", webhook_allow_http="true")
    worker = start_worker(database=fresh, seal_key_file=late / "seal.key", **webhook.SETTINGS)
    receiver = Receiver()
    try:
        one = webhook.Endpoint(serving.organization(), receiver)
        one.test()
        worker.wait_log("seal_key_unknown")
        (waiting,) = one.deliveries()
        assert (waiting["state"], waiting["attempts"], waiting["last_error"]) == ("pending", 0, "")
        shutil.copy(place / "seal.key", late / "seal.key")
        assert one.wait_state("delivered")["attempts"] == 1
    finally:
        receiver.end()
        worker.stop()
        serving.stop()
