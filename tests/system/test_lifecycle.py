"""A connection from its change to its end, with workers that are at work on it."""
import uuid

import pytest
from api import expect
from waiting import wait_until

ACCOUNT = "111122223333"
QUICK = {"aws_rates": "iam=1000,sts=1000,ec2=1000", "aws_call_timeout_s": 5, "poll_ms": 50, "new_role_grace_s": 0}
# What stays when the last connection is gone: the organization itself, who may call for it, what was done, and that its
# Idempotency-Keys are taken.
STAYS = {"audit", "audit_head", "connection_count", "event", "idempotency"}


def role(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def auth(name):
    return {"auth": {"method": "assume_role", "role_arn": role(name)}}


def hex_id(connection):
    return connection["id"].removeprefix("conn_")


class TestANewRole:
    @pytest.fixture(scope="class")
    def aws(self, start_awssim):
        return start_awssim("external-id")

    @pytest.fixture(scope="class")
    def worker(self, start_worker, aws):
        worker = start_worker(aws, **QUICK)
        yield worker
        worker.stop()

    @pytest.fixture
    def synced(self, org, aws, worker):
        aws.set(external_id=org.org_id)
        made = org.connect(ACCOUNT, role_arn=role("right"))
        assert org.wait_first_sync(made["id"])["state"] == "complete", worker.tail()
        return made

    def wait_verification(self, org, made, state):
        return org.wait_connection(made["id"], lambda c: c["verification"]["state"] == state, f"is {state}")

    def test_is_not_used_before_it_is_verified(self, org, aws, synced):
        """The role can be entered by anybody: it answers every call, and is asked nothing."""
        since = aws.last()
        changed = expect(org.patch("/v1/connections/" + synced["id"], auth("none")), 200)
        assert changed["verification"]["state"] == "pending"
        done = org.wait_sync(org.sync(synced["id"])["id"])
        assert (done["state"], done["reason_code"]) == ("failed", "external_id_not_enforced")
        refused = self.wait_verification(org, synced, "refused")
        assert refused["status"]["state"] == "action_required"
        calls = aws.calls(since)
        assert [c for c in calls if c["operation"] == "AssumeRole" and c["role_arn"] == role("none")], "it was looked at"
        assert {c["operation"] for c in calls} <= {"AssumeRole", "GetCallerIdentity"}, "and nothing was read through it"

    def test_is_used_when_all_probes_have_passed(self, org, aws, synced):
        since = aws.last()
        expect(org.patch("/v1/connections/" + synced["id"], auth("two-tenants")), 200)
        self.wait_verification(org, synced, "verified")
        assert org.wait_sync(org.sync(synced["id"])["id"])["state"] == "complete"
        calls = aws.calls(since)
        first_read = next(i for i, c in enumerate(calls) if c["service"] == "iam")
        probes = [c for c in calls[:first_read] if c["operation"] == "AssumeRole" and c["role_arn"] == role("two-tenants")]
        assert {c["status"] for c in probes} == {200, 403}, "with our ID it opens, and without it does not"

    def test_another_account_is_refused_at_once(self, org, aws, synced):
        since = aws.last()
        answer = org.patch("/v1/connections/" + synced["id"], {"auth": {"method": "assume_role", "role_arn": "arn:aws:iam::444455556666:role/R"}})
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/auth/role_arn"
        assert org.connection(synced["id"])["verification"]["state"] == "verified"
        assert [c for c in aws.calls(since) if c["operation"] == "AssumeRole"] == []


def is_purged(database, connection):
    return database.value("SELECT count(*) FROM connection WHERE connection_id = %s", hex_id(connection)) == 0


def rows_of(database, org):
    """How many rows each table holds of an organization."""
    tables = [row[0] for row in database.rows(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition")]
    assert len(tables) > 12
    return {t: database.value(f"SELECT count(*) FROM {t} WHERE org_id = %s", org.org_id) for t in tables}


def test_deletion_with_jobs_running_leaves_nothing(start_awssim, start_server, start_worker, pg):
    """Six connections in the midst of their syncs: all is gone within a minute, the trail stays, and no late answer of AWS
    becomes a row."""
    place = pg.database()
    try:
        aws = start_awssim("demo", latency_ms=150)
        org = start_server(database=place).organization()
        aws.set(external_id=org.org_id)
        worker = start_worker(aws, database=place, **QUICK)
        before = rows_of(place, org)
        made = []
        for n in range(6):
            body = {"name": f"c{n}", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1", **auth("ConnectordReadOnly")}
            made.append(expect(org.post("/v1/connections", body, headers={"Idempotency-Key": str(uuid.uuid4())}), 201))
        wait_until(lambda: place.value("SELECT count(*) FROM task WHERE kind = 'sync_account' AND state = 'leased'") > 0
                   and place.value("SELECT count(*) FROM entity") > 0, lambda: worker.tail(), 60)
        for connection in made:
            path = "/v1/connections/" + connection["id"]
            assert org.delete(path).status_code == 202
            again = org.delete(path).status_code
            assert again == 204 or (again == 404 and is_purged(place, connection)), "again is the same, until nothing is left of it"
            assert org.get(path).status_code == 404
        wait_until(lambda: place.value("SELECT count(*) FROM connection") == 0,
                   lambda: (place.rows("SELECT kind, state, attempts, last_error FROM task"), worker.tail()), within=60)
        assert org.delete("/v1/connections/" + made[0]["id"]).status_code == 404
        aws.wait_idle()
        wait_until(lambda: place.value("SELECT count(*) FROM task") == 0, "nothing is queued any more")
        after = rows_of(place, org)
        assert {t: n for t, n in after.items() if n != before[t] and t not in STAYS} == {}
        assert place.value("SELECT sum(n) FROM connection_count") == 0
        for connection in made:
            left = place.value("SELECT count(*) FROM idempotency WHERE strpos(location || body, %s) > 0", connection["id"])
            assert left == 0
        deleted = "SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.deleted'"
        assert place.value(deleted, org.org_id) == 6
        # The account can be connected anew.
        again = org.connect(ACCOUNT, role_arn=role("ConnectordReadOnly"))
        assert org.wait_first_sync(again["id"], within=90)["state"] == "complete"
        assert place.value("SELECT count(*) FROM entity WHERE NOT stub AND deleted_at IS NULL") > 10
        worker.stop()
    finally:
        pg.drop(place)


def test_a_key_stays_taken_when_its_connection_is_gone_and_answers_end_with_their_day(start_awssim, start_server, start_worker, pg):
    place = pg.database()
    try:
        aws = start_awssim("demo")
        org = start_server(database=place).organization()
        aws.set(external_id=org.org_id)
        start_worker(aws, database=place, **QUICK)
        body = {"name": "c", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1", **auth("ConnectordReadOnly")}
        old, kept = str(uuid.uuid4()), str(uuid.uuid4())
        for key in (old, kept):
            expect(org.post("/v1/connections", body, headers={"Idempotency-Key": key}), 201)
        place.rows("UPDATE idempotency SET expires_at = now() - interval '1 s' WHERE created_at = (SELECT min(created_at) FROM idempotency)")
        wait_until(lambda: place.value("SELECT count(*) FROM idempotency") == 1, "the worker forgets what is a day old")
        assert org.post("/v1/connections", body, headers={"Idempotency-Key": kept}).headers["Idempotency-Replayed"] == "true"
        for connection in org.all("/v1/connections"):
            assert org.delete("/v1/connections/" + connection["id"]).status_code == 202
        wait_until(lambda: place.value("SELECT count(*) FROM connection") == 0, "both are purged", 60)
        late = org.post("/v1/connections", body, headers={"Idempotency-Key": kept})
        assert (late.status_code, late.json()["code"]) == (409, "idempotency_answer_purged"), "nothing comes back to life"
        assert place.value("SELECT count(*) FROM connection") == 0
        assert place.rows("SELECT body, location, etag FROM idempotency") == [("", "", "")]
    finally:
        pg.drop(place)


# Each kill meets the worker in a transaction that waits for this row, after steps of the purge that were committed.
KILLED_AT = {
    "edge": "SELECT FROM edge WHERE org_id = %s ORDER BY ctid DESC LIMIT 1 FOR UPDATE",
    "entity": "SELECT FROM entity WHERE org_id = %s AND account_id = '111122223333' ORDER BY ctid DESC LIMIT 1 FOR UPDATE",
    "change": "SELECT FROM change WHERE org_id = %s ORDER BY change_id DESC LIMIT 1 FOR UPDATE",
    "connection": "SELECT FROM connection WHERE org_id = %s AND deleted_at IS NOT NULL FOR KEY SHARE",
}
ROWS = 6_000  # of each table; a step takes 5,000


def fill(place, org, connection, account, rows):
    place.rows("""INSERT INTO entity (org_id, entity_id, connection_id, account_id, scope, part, kind, key, attrs_hash)
        SELECT %s, md5(%s || n)::uuid, %s, %s, 'iam', 'users', 'aws.iam_user', n, '' FROM generate_series(1, %s) AS n""",
               org.org_id, account, connection, account, rows)
    place.rows("""INSERT INTO edge (org_id, edge_id, connection_id, account_id, scope, part, kind, src_id, dst_id, attrs_hash)
        SELECT org_id, entity_id, connection_id, account_id, scope, part, 'trusts', entity_id, entity_id, '' FROM entity WHERE connection_id = %s""", connection)
    place.rows("""INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op)
        SELECT org_id, connection_id, entity_id, 'entity', entity_id, kind, 'created' FROM entity WHERE connection_id = %s""", connection)
    place.rows("""INSERT INTO sync (org_id, sync_id, connection_id, cause, state)
        SELECT org_id, entity_id, connection_id, 'schedule', 'complete' FROM entity WHERE connection_id = %s""", connection)
    place.rows("""INSERT INTO coverage (org_id, connection_id, account_id, region, scope, part, state, sync_id)
        SELECT org_id, connection_id, account_id, region, scope, key, 'ok', entity_id FROM entity WHERE connection_id = %s""", connection)


def kill_at(place, org, worker, table):
    """SIGKILL in the middle of a step: the worker's transaction waits for a row that we hold, until it is dead."""
    holder = place.connect()
    try:
        holder.autocommit = False
        with holder.cursor() as cursor:
            cursor.execute(KILLED_AT[table], (org.org_id,))
            assert cursor.rowcount == 1
            started = worker()
            wait_until(lambda: place.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'connectord worker' AND wait_event_type = 'Lock'"),
                       lambda: (table, started.tail()), 30)
        started.kill()
    finally:
        holder.close()
    wait_until(lambda: place.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'connectord worker%'") == 0, "its sessions are over")
    place.rows("UPDATE task SET leased_until = now() - interval '1 s' WHERE state = 'leased'")  # as if its lease had run out


def test_a_purge_whose_workers_are_killed_goes_on(start_server, start_worker, pg):
    """Four SIGKILLs, each in the middle of a step. Two lost workers in a row would end any other task for good; a purge that gets
    on is never given up, and what was committed is not done again."""
    place = pg.database()
    try:
        org = start_server(database=place).organization()
        doomed, beside = (hex_id(org.connect(account)) for account in (ACCOUNT, "444455556666"))
        place.rows("DELETE FROM task")
        place.rows("DELETE FROM schedule")
        fill(place, org, beside, "444455556666", 100)
        fill(place, org, doomed, ACCOUNT, ROWS)
        place.rows("ANALYZE")
        assert org.delete("/v1/connections/conn_" + doomed).status_code == 202

        def worker():
            return start_worker(database=place, **QUICK, lease_s=4, heartbeat_s=1, task_attempts=2)
        for table in KILLED_AT:
            kill_at(place, org, worker, table)
            left = place.value(f"SELECT count(*) FROM {table} WHERE connection_id = %s", doomed)
            assert 0 < left < ROWS, (table, left)
        last = worker()
        wait_until(lambda: place.value("SELECT count(*) FROM connection WHERE connection_id = %s", doomed) == 0,
                   lambda: (place.rows("SELECT kind, state, attempts, lost, last_error FROM task"), last.tail()), 60)
        for table in ("entity", "edge", "change", "sync", "coverage"):
            assert place.rows(f"SELECT connection_id::text, count(*) FROM {table} GROUP BY 1") == [(str(uuid.UUID(beside)), 100)], table
        assert place.value("SELECT count(*) FROM task") == 0
        assert last.stop() == 0
    finally:
        pg.drop(place)


def test_a_purge_that_was_lost_is_queued_by_the_next_deletion(org, database):
    path = "/v1/connections/" + org.connect(ACCOUNT)["id"]
    assert org.delete(path).status_code == 202
    purges = "SELECT count(*) FROM task WHERE org_id = %s AND kind = 'purge'"
    database.rows("DELETE FROM task WHERE org_id = %s AND kind = 'purge'", org.org_id)
    for _ in range(2):
        assert org.delete(path).status_code == 204
        assert database.value(purges, org.org_id) == 1
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.deleted'", org.org_id) == 1
