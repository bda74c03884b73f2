"""No organization, no stranger and no dead database keeps others waiting."""
import concurrent.futures
import json
import time
import uuid
import zlib

import psycopg2
import pytest
import requests
from api import Organization, expect
from cutter import Cutter
from waiting import soon, wait_until

SOON = 1.5  # what is not held up by anything is answered in milliseconds; a loaded machine gets some more


def log_lines(process, event):
    return [line for line in map(json.loads, process.text().splitlines()) if line["event"] == event]


class Flood:
    """n requests of one organization at once, each on a connection of its own."""

    def __init__(self, org, n, path):
        self.pool = concurrent.futures.ThreadPoolExecutor(n)
        clients = [Organization(org.url, org.org_id, org.key) for _ in range(n)]
        self.answers = [self.pool.submit(c.get, path) for c in clients]

    def results(self):
        done = [a.result() for a in self.answers]
        self.pool.shutdown()
        return done


def timed(call):
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


@pytest.fixture
def slow_entities(database):
    """Every read of entity waits: the slowest statement that there can be."""
    connection = psycopg2.connect(database.url("postgres"))
    connection.cursor().execute("LOCK TABLE entity IN ACCESS EXCLUSIVE MODE")
    yield
    connection.close()


def waiting(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def test_one_organization_gets_its_share_and_the_others_do_not_notice(server, org, other_org, database, slow_entities):
    expect(other_org.get("/v1/connections"), 200)  # a connection that is kept, from before
    for _ in range(3):
        flood = Flood(org, 40, "/v1/entities?deleted=true")
        wait_until(lambda: waiting(database) == 6, "three quarters of the connections are taken")
        for _ in range(5):
            for client in (other_org, Organization(other_org.url, other_org.org_id, other_org.key)):
                assert soon(lambda c=client: c.get("/v1/connections"), SOON, "another's answer").status_code == 200
        for path in ("/livez", "/readyz"):
            assert soon(lambda p=path: requests.get(server.url + p, timeout=10), SOON, path).status_code == 200
        lasted = waiting(database) == 6
        answers = flood.results()
        if lasted:  # else the machine stood still for as long as a statement may take, and nothing was shown
            break
    assert lasted
    assert {a.status_code for a in answers} == {429, 503}
    assert sum(a.status_code == 503 for a in answers) >= 6, "statements end by themselves"
    for answer in answers:
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["code"] == ("too_many_requests" if answer.status_code == 429 else "unavailable")


def test_a_statement_ends_after_five_seconds(org, database, slow_entities):
    answer, seconds = timed(lambda: org.get("/v1/entities"))
    assert answer.status_code == 503
    assert 4 < seconds < 9


@pytest.fixture
def cutter(pg):
    made = Cutter(pg)
    yield made
    made.end()


def test_a_database_that_swallows_everything_holds_up_nothing_else(start_server, pg, cutter):
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    org = own.organization()
    kept = requests.Session()
    kept.get(own.url + "/livez", timeout=5)
    expect(org.get("/v1/connections"), 200)
    cutter.silent = True
    cutter.cut()
    flood = Flood(org, 30, "/v1/connections")
    for _ in range(10):
        for client in (kept, requests):
            assert soon(lambda c=client: c.get(own.url + "/livez", timeout=10), SOON, "/livez").status_code == 200
    assert {a.status_code for a in flood.results()} <= {429, 503}
    # It is known to be away now: nobody waits for it but the one that looks.
    answers = [timed(lambda: org.get("/v1/connections")) for _ in range(5)]
    assert {a.status_code for a, _ in answers} == {503}
    assert sorted(seconds for _, seconds in answers)[2] < SOON
    cutter.mend()
    wait_until(lambda: org.get("/v1/connections").status_code == 200, "the server finds its database again", within=40)


def test_the_log_says_once_why_the_database_is_away_and_once_that_it_is_back(start_server, pg, cutter):
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    org = own.organization()
    cutter.cut()
    wait_until(lambda: org.get("/v1/connections").status_code == 503, "the database is missed")
    for _ in range(20):
        assert org.get("/v1/connections").status_code == 503
        assert requests.get(own.url + "/readyz", timeout=10).status_code in (200, 503)
    cutter.mend()
    wait_until(lambda: org.get("/v1/connections").status_code == 200, "the database is back", within=40)
    [away] = log_lines(own, "database_away")
    assert "cannot connect" in away["text"] and cutter.directory in away["text"]
    assert len(log_lines(own, "database_back")) == 1


def test_a_database_that_is_away_at_the_start_is_said_with_its_cause(start_server, pg):
    own = start_server(database_url=f"host={pg.socket_dir} port=1 dbname=x user=connectord_app")
    assert requests.get(own.url + "/readyz", timeout=10).status_code == 503
    [away] = log_lines(own, "database_away")
    assert "cannot connect" in away["text"] and ".s.PGSQL.1" in away["text"]


def test_readiness_is_asked_once_a_second_whoever_asks(start_server, pg, cutter):
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    session, before, began = requests.Session(), cutter.sent, time.monotonic()
    for _ in range(200):
        assert session.get(own.url + "/readyz", timeout=10).status_code == 200
    assert cutter.sent - before <= 4 * (1 + time.monotonic() - began)
    cutter.cut()
    wait_until(lambda: session.get(own.url + "/readyz", timeout=10).status_code == 503, "it is not ready any more", within=5)


def made_up(org):
    prefix, env, _, _, _ = org.key.split("_")
    text = f"{prefix}_{env}_{uuid.uuid4().hex}_{uuid.uuid4().hex * 2}"
    return f"{text}_{zlib.crc32((text + '_').encode()):08x}"


def test_made_up_keys_are_bounded_and_known_ones_are_not_held_up(start_server):
    own = start_server()
    org, newcomer = own.organization(), own.organization()
    expect(org.get("/v1/connections"), 200)
    began, session, seen = time.monotonic(), requests.Session(), []
    while time.monotonic() - began < 7:  # longer than a key is remembered without asking again
        answer = session.get(own.url + "/v1/connections", headers={"Authorization": "Bearer " + made_up(org)}, timeout=10)
        seen.append(answer.status_code)
        if answer.status_code == 429:
            assert (answer.json()["code"], answer.headers["Retry-After"]) == ("too_many_requests", "1")
        if len(seen) % 20 == 0:
            assert org.get("/v1/connections").status_code == 200
    assert set(seen) == {401, 429}
    assert seen.count(401) <= 100 + 20 * (1 + time.monotonic() - began)
    wait_until(lambda: newcomer.get("/v1/connections").status_code == 200, "a key that was never seen gets in", within=20)


def test_the_few_tombstones_are_found_without_reading_all_that_is_there(org, database):
    connection = org.connect("123456789012")["id"].removeprefix("conn_")
    database.rows("""INSERT INTO entity (org_id, entity_id, connection_id, scope, part, kind, key, attrs_hash, deleted_at)
        SELECT %s, gen_random_uuid(), %s, 'iam', 'users', 'aws.iam_user', 'k' || n, '', CASE WHEN n <= 3 THEN now() END
        FROM generate_series(1, 20000) AS n""", org.org_id, connection)
    database.rows("VACUUM ANALYZE entity")
    for _ in range(8):  # also once the plan is a general one
        assert len(org.all("/v1/entities", deleted="true")) == 3
    wait_until(lambda: database.value("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'entity_gone'") >= 8,
               "the index of tombstones was used", within=30)
    assert len(expect(org.get("/v1/entities", limit=5), 200)["data"]) == 5
