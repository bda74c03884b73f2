"""Idempotency-Key: a change that is sent again happened once, whatever went wrong in between."""
import concurrent.futures
import random
import socket
import uuid

import pytest
from api import Organization, expect
from contract import contract, resolve
from cutter import Cutter
from waiting import wait_until

ACCOUNT = "123456789012"
BODY = {"name": "once", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1",
        "auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/R"}}
CUTS = 60


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


def key():
    return str(uuid.uuid4())


def named(database, org, name="once"):
    return database.value("SELECT count(*) FROM connection WHERE org_id = %s AND name = %s", org.org_id, name)


def kept(answer):
    return {name: answer.headers.get(name) for name in ("Location", "ETag", "Content-Type")}


def test_the_same_request_gets_the_same_answer_and_happens_once(org, database):
    k = key()
    first = org.post("/v1/connections", BODY, **keyed(k))
    assert first.status_code == 201 and "Idempotency-Replayed" not in first.headers
    again = org.post("/v1/connections", BODY, **keyed(k))
    assert (again.status_code, again.text, kept(again)) == (201, first.text, kept(first))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert named(database, org) == 1
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.created'", org.org_id) == 1
    assert database.value("SELECT count(*) FROM task WHERE org_id = %s", org.org_id) == 1


def test_another_request_with_the_key_is_refused(org, database):
    k = key()
    expect(org.post("/v1/connections", BODY, **keyed(k)), 201)
    answer = org.post("/v1/connections", {**BODY, "name": "twice"}, **keyed(k))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert named(database, org, "twice") == 0


def test_a_key_belongs_to_its_route_and_its_organization(org, other_org, database):
    k = key()
    made = expect(org.post("/v1/connections", BODY, **keyed(k)), 201)
    sync = expect(org.post(f"/v1/connections/{made['id']}/syncs", **keyed(k)), 202)
    assert expect(org.post(f"/v1/connections/{made['id']}/syncs", **keyed(k)), 202) == sync
    theirs = org_post = other_org.post("/v1/connections", BODY, **keyed(k))
    assert org_post.status_code == 201 and theirs.json()["id"] != made["id"]
    assert "Idempotency-Replayed" not in theirs.headers
    assert named(database, org) == named(database, other_org) == 1


def test_two_connections_are_two_requests_though_the_route_is_one(org):
    one, two = org.connect(ACCOUNT), org.connect(ACCOUNT)
    k = key()
    expect(org.post(f"/v1/connections/{one['id']}/syncs", **keyed(k)), 202)
    assert org.post(f"/v1/connections/{two['id']}/syncs", **keyed(k)).status_code == 422


def test_a_cancel_is_answered_again_as_it_was(org):
    sync = org.sync(org.connect(ACCOUNT)["id"])
    k = key()
    first = org.post(f"/v1/syncs/{sync['id']}/cancel", **keyed(k))
    assert first.status_code == 202
    assert org.post(f"/v1/syncs/{sync['id']}/cancel", **keyed(k)).text == first.text
    assert org.post(f"/v1/syncs/{sync['id']}/cancel", **keyed(key())).status_code == 409


@pytest.mark.parametrize("body, status", [({**BODY, "region": "nowhere"}, 422), ({**BODY, "more": 1}, 400)])
def test_a_refusal_leaves_the_key_free(org, database, body, status):
    k = key()
    assert org.post("/v1/connections", body, **keyed(k)).status_code == status
    made = org.post("/v1/connections", BODY, **keyed(k))
    assert made.status_code == 201 and "Idempotency-Replayed" not in made.headers
    assert named(database, org) == 1


def test_a_refusal_inside_the_transaction_is_answered_as_without_a_key(org, database):
    made = org.connect(ACCOUNT)
    active = org.sync(made["id"])
    k = key()
    plain, once = org.post(f"/v1/connections/{made['id']}/syncs"), org.post(f"/v1/connections/{made['id']}/syncs", **keyed(k))
    assert (once.status_code, once.json()["code"], once.headers["Location"]) == (409, "sync_active", f"/v1/syncs/{active['id']}")
    assert once.headers["Location"] == plain.headers["Location"]
    expect(org.post(f"/v1/syncs/{active['id']}/cancel"), 202)
    assert org.post(f"/v1/connections/{made['id']}/syncs", **keyed(k)).status_code == 202


def test_what_a_refusal_leaves_in_the_audit_stays(start_server, database):
    own = start_server(vendor_account="999999999999")
    org = own.organization()
    body = {**BODY, "aws_account_id": "999999999999", "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"}}
    answer = org.post("/v1/connections", body, **keyed(key()))
    assert (answer.status_code, answer.json()["code"]) == (403, "own_account_role")
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.own_account_role_refused'", org.org_id) == 1


def test_a_failure_of_ours_is_not_kept(start_server, pg):
    fresh = pg.database()
    own = start_server(database=fresh)
    org = own.organization()
    fresh.rows("ALTER TABLE connection ADD CONSTRAINT no_such_name CHECK (name <> 'once')")
    k = key()
    assert org.post("/v1/connections", BODY, **keyed(k)).status_code == 500
    fresh.rows("ALTER TABLE connection DROP CONSTRAINT no_such_name")
    assert org.post("/v1/connections", BODY, **keyed(k)).status_code == 201


@pytest.mark.parametrize("bad", ["", "a b", "k" * 256, "k\u00e9".encode()])
def test_what_is_no_key_is_refused(org, bad):
    answer = org.post("/v1/connections", BODY, **keyed(bad))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


def test_the_longest_key_and_quotes_are_taken(org):
    for k in ("k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'):
        first = org.post("/v1/connections", BODY, **keyed(k))
        assert first.status_code == 201
        assert org.post("/v1/connections", BODY, **keyed(k)).text == first.text


def test_where_it_is_not_declared_it_is_refused_and_reads_ignore_it(org):
    made = org.connect(ACCOUNT)
    path = "/v1/connections/" + made["id"]
    headers = {"Idempotency-Key": key(), "If-Match": "*"}
    for method in ("PATCH", "DELETE"):
        answer = org.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_not_supported")
    assert org.request("GET", path, headers=headers).json() == made


def test_two_keys_in_one_request_are_none(server, org):
    head = (f"POST /v1/connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {org.key}\r\nIdempotency-Key: a\r\n"
            "Idempotency-Key: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(head.encode())
        assert wire.recv(4096).startswith(b"HTTP/1.1 400")


def test_32_at_once_are_one(org, database):
    k = key()
    clients = [Organization(org.url, org.org_id, org.key) for _ in range(32)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda c: c.post("/v1/connections", BODY, **keyed(k)), clients))
    assert named(database, org) == 1
    statuses = {a.status_code for a in answers}
    assert 201 in statuses and statuses <= {201, 409, 429}
    made = {a.text for a in answers if a.status_code == 201}
    assert len(made) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_flight" and int(answer.headers["Retry-After"]) >= 1
    assert org.post("/v1/connections", BODY, **keyed(k)).text in made


def test_one_that_is_under_way_is_not_waited_for(org, database):
    """The first one hangs on a lock; the second one is told so at once, and gets the answer later."""
    k = key()
    holder = database.connect()
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE connection IN ACCESS EXCLUSIVE MODE")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(org.post, "/v1/connections", BODY, **keyed(k))
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                          " AND wait_event_type = 'Lock'") == 1, "the first one waits")
        second = Organization(org.url, org.org_id, org.key).post("/v1/connections", BODY, **keyed(k))
        assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_flight")
        holder.commit()
        holder.close()
        made = expect(first.result(), 201)
    assert org.post("/v1/connections", BODY, **keyed(k)).json() == made


def test_a_server_that_dies_holds_no_key(start_server, database):
    own, other = start_server(), start_server()
    org = own.organization()
    k = key()
    holder = database.connect()
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE connection IN ACCESS EXCLUSIVE MODE")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(org.post, "/v1/connections", BODY, **keyed(k))
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                          " AND wait_event_type = 'Lock'") == 1, "the first one waits")
        own.kill()
        assert first.exception() is not None
    holder.rollback()
    holder.close()
    again = Organization(other.url, org.org_id, org.key)
    wait_until(lambda: again.post("/v1/connections", BODY, **keyed(k)).status_code == 201, "the key is free again")
    assert named(database, org) == 1


def test_an_old_answer_is_forgotten_and_goes(org, database):
    k = key()
    expect(org.post("/v1/connections", BODY, **keyed(k)), 201)
    for _ in range(3):
        expect(org.post("/v1/connections", {**BODY, "name": "other"}, **keyed(key())), 201)
    database.rows("UPDATE idempotency SET expires_at = now() WHERE org_id = %s", org.org_id)
    answer = org.post("/v1/connections", BODY, **keyed(k))
    assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers
    assert named(database, org) == 2
    assert database.value("SELECT count(*) FROM idempotency WHERE org_id = %s", org.org_id) == 1
    assert database.value("SELECT max(expires_at) > now() + interval '23 hours' FROM idempotency WHERE org_id = %s", org.org_id)


def test_the_operator_has_keys_of_its_own(server, org, database):
    k = key()
    send = lambda: server.operator.request("POST", "/v1/admin/organizations", {"name": "once only"}, {"Idempotency-Key": k})  # noqa: E731
    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and again.headers["Idempotency-Replayed"] == "true"
    assert database.value("SELECT count(*) FROM organization WHERE name = 'once only'") == 1
    # The operator's rows are not an organization's, and an organization's are not the operator's.
    expect(org.post("/v1/connections", BODY, **keyed(key())), 201)
    seen = "SELECT count(*) FROM idempotency"
    connection = database.connect("connectord_app")
    with connection.cursor() as cursor:
        for setting, value, count in (("app.operator", "on", 1), ("app.org_id", org.org_id, 1)):
            cursor.execute(f"BEGIN; SELECT set_config('{setting}', %s, true); {seen} WHERE org_id = ANY (%s::uuid[])",
                           (value, [org.org_id, str(uuid.UUID(int=0))]))
            found = cursor.fetchone()[0]
            cursor.execute("ROLLBACK")
            assert found >= count
            cursor.execute(f"BEGIN; SELECT set_config('{setting}', %s, true); {seen} WHERE org_id = %s",
                           (value, org.org_id if setting == "app.operator" else str(uuid.UUID(int=0))))
            assert cursor.fetchone()[0] == 0
            cursor.execute("ROLLBACK")
    connection.close()


def test_a_key_of_the_api_is_not_shown_again_and_not_stored(server, org, database):
    path, k = f"/v1/admin/organizations/{org.org_id}/keys", key()
    send = lambda: server.operator.request("POST", path, {"name": "once", "role": "viewer"}, {"Idempotency-Key": k})  # noqa: E731
    first, again = send(), send()
    made, replayed = first.json(), again.json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert made["key"] and replayed == {**made, "key": None}
    assert again.headers["Location"] == first.headers["Location"]
    assert database.value("SELECT count(*) FROM idempotency WHERE strpos(body, %s) > 0", made["key"].split("_")[3]) == 0


SECRETS = ("cnd_live_", "cnds_live_", "whsec_", "wJalrXUtnFEMI")


def once_operations(document):
    """(path, bodies) of every operation that takes a key, with its own examples."""
    for path, item in document["paths"].items():
        operation = item.get("post", {})
        given = item.get("parameters", []) + operation.get("parameters", [])
        if "Idempotency-Key" not in [resolve(document, p)["name"] for p in given]:
            continue
        content = resolve(document, operation.get("requestBody", {})).get("content", {}).get("application/json", {})
        bodies = [e["value"] for e in content.get("examples", {}).values()] + ([content["example"]] if "example" in content else [])
        yield path, bodies or [None]


def test_nothing_that_is_stored_is_a_secret(server, org, database):
    """Every creating operation of the contract: what is shown once is null when it is replayed, and nowhere in what is kept."""
    document = contract()
    connection = org.connect(ACCOUNT)
    webhook = expect(org.post("/v1/webhooks", next(b for p, b in once_operations(document) if p == "/v1/webhooks")[0]), 201)
    service = expect(server.operator.request("POST", "/v1/admin/service-keys", {"name": "s", "role": "owner"}), 201)
    ids = {"org_id": org.org_id, "conn_id": connection["id"], "whk_id": webhook["id"], "svc_id": service["id"],
           "sync_id": org.sync(connection["id"])["id"]}
    secrets, hidden = set(), 0
    for path, bodies in once_operations(document):
        for body in bodies:
            key_id = server.operator.create_key(org.org_id)["id"]
            filled = path.format_map({**ids, "key_id": key_id, "dlv_id": "none"})
            body = {**body, "org_id": str(uuid.uuid4())} if body and "org_id" in body else body
            headers = {"Idempotency-Key": key()}
            if path.startswith("/v1/admin"):
                first, again = (server.operator.request("POST", filled, body, headers) for _ in range(2))
            else:
                first, again = (org.request("POST", filled, json=body, headers=headers) for _ in range(2))
            if first.status_code >= 300:
                assert first.status_code in (404, 409, 422), (path, first.text)
                continue
            assert again.headers["Idempotency-Replayed"] == "true", path
            made, replayed = first.json(), again.json()
            changed = {name for name in made if made[name] != replayed[name]}
            assert changed <= {"key", "secret"} and all(replayed[name] is None for name in changed), path
            secrets |= {made[name] for name in changed}
            hidden += len(changed)
    assert hidden >= 6, "keys, service keys and webhooks are made and rotated"
    stored = "\n".join(row[0] for row in database.rows("SELECT body FROM idempotency"))
    assert len(stored) > 1000
    for secret in (*secrets, *SECRETS):
        assert secret not in stored


@pytest.fixture
def cutter(pg):
    made = Cutter(pg)
    yield made
    made.end()


def test_a_lost_answer_to_commit_is_found_out(start_server, pg, cutter):
    """The wire is cut behind COMMIT, again and again, before or after its answer. The client repeats with the same key until
    it hears: no change is made twice, none is lost, and the answer is always the same."""
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    org = own.organization()
    rng = random.Random(7)
    for n in range(CUTS):
        k, body = key(), {**BODY, "name": f"cut {n}"}
        expect(org.get("/v1/connections", limit=1), 200)
        deliver = rng.random() < 0.3
        cutter.arm(b"COMMIT", deliver=deliver)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(org.post, "/v1/connections", body, **keyed(k))
            if n % 6:  # else the server gives up before the database is back
                wait_until(lambda: cutter.cuts == n + 1, "the wire is cut")
                cutter.mend()
            first = asked.result()
        assert cutter.cuts == n + 1
        cutter.mend()
        answers = [first]
        wait_until(lambda: answers.append(org.post("/v1/connections", body, **keyed(k))) or answers[-1].status_code == 201,
                   lambda: f"cut {n} is answered: {answers[-1].text}", within=20)
        assert first.status_code in (201, 503), first.text
        if first.status_code == 201:
            assert first.text == answers[-1].text
        assert org.post("/v1/connections", body, **keyed(k)).text == answers[-1].text
        assert answers[-1].headers["Idempotency-Replayed"] == "true", "it was committed before the wire was cut"
    assert fresh.value("SELECT count(*) FROM connection") == CUTS
    assert fresh.value("SELECT count(DISTINCT name) FROM connection") == CUTS
    assert fresh.value("SELECT count(*) FROM audit WHERE action = 'connection.created'") == CUTS


def test_a_wire_that_is_back_at_once_needs_no_second_request(start_server, pg, cutter):
    """The server itself looks what became of its COMMIT."""
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    org = own.organization()
    expect(org.get("/v1/connections"), 200)
    cutter.arm(b"COMMIT", deliver=False)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(org.post, "/v1/connections", BODY, **keyed(key()))
        wait_until(lambda: cutter.cuts == 1, "the wire is cut")
        cutter.mend()
        assert expect(answer.result(), 201)["name"] == "once"
    assert named(fresh, org) == 1


def test_a_change_that_was_lost_and_done_elsewhere_is_answered_as_it_was_done_there(start_server, pg, cutter):
    """COMMIT fails with the wire; before this server finds out, the client has sent it again to another one."""
    fresh = pg.database()
    own, other = start_server(database=fresh, database_url=cutter.url(fresh)), start_server(database=fresh)
    org = own.organization()
    again = Organization(other.url, org.org_id, org.key)
    expect(again.get("/v1/connections"), 200)
    fresh.rows("""CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$""")
    fresh.rows("CREATE CONSTRAINT TRIGGER die AFTER INSERT ON connection DEFERRABLE INITIALLY DEFERRED"
               " FOR EACH ROW EXECUTE FUNCTION die()")
    k = key()
    cutter.arm(b"terminating connection", deliver=False)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(org.post, "/v1/connections", BODY, **keyed(k))
        wait_until(lambda: cutter.cuts == 1, "the wire is cut")
        fresh.rows("DROP TRIGGER die ON connection")
        made = expect(again.post("/v1/connections", BODY, **keyed(k)), 201)
        cutter.mend()
        answer = asked.result()
    assert expect(answer, 201) == made and answer.headers["Idempotency-Replayed"] == "true"
    assert named(fresh, org) == 1
