"""The operator's own audit trail: all that he changes, in one chain, and in the trail of the organization that it concerns."""
import random
import threading
import uuid

import pytest
from api import Organization, expect
from contract import METHODS, contract
from processes import ROOT
from trail import TAMPERINGS, ZEROS, Trail, Verify, tampered

NOBODY = "00000000-0000-0000-0000-000000000000"
MIGRATIONS = sorted((ROOT / "db/migrations").glob("*.sql"))
# What each of his operations leaves: (operation, actions in order). An operation that the contract gains needs its line.
ACTIONS = {
    "organizations_create": ["organization.created"], "organizations_patch": ["organization.changed"],
    "keys_create": ["key.created"], "keys_rotate": ["key.created", "key.rotated"], "keys_remove": ["key.revoked"],
    "service_keys_create": ["service_key.created"], "service_keys_rotate": ["service_key.created", "service_key.rotated"],
    "service_keys_remove": ["service_key.revoked"],
}


@pytest.fixture(scope="module")
def operator(server):
    return server.operator


@pytest.fixture(scope="module")
def trail(operator):
    return Trail(operator, "/v1/admin/audit")


@pytest.fixture(scope="module")
def verify(directory):
    return Verify(directory)


@pytest.fixture(scope="module")
def done(operator):
    """Each of his operations once, the request's id being the operation's."""
    ids = {}

    def ask(operation, method, path, body=None):
        answer = operator.request(method, "/v1/admin/" + path.format(**ids), body, {"X-Request-Id": operation})
        assert 200 <= answer.status_code < 300, answer.text
        return answer.json() if answer.text else None
    ids["org"] = ask("organizations_create", "POST", "organizations", {"name": "audited"})["org_id"]
    ask("organizations_patch", "PATCH", "organizations/{org}", {"name": "audited still"})
    ids["key"] = ask("keys_create", "POST", "organizations/{org}/keys", {"name": "k", "role": "owner"})["id"]
    ids["new_key"] = ask("keys_rotate", "POST", "organizations/{org}/keys/{key}/rotate")["id"]
    ask("keys_remove", "DELETE", "organizations/{org}/keys/{key}")
    ids["svc"] = ask("service_keys_create", "POST", "service-keys", {"name": "s", "role": "viewer"})["id"]
    ids["new_svc"] = ask("service_keys_rotate", "POST", "service-keys/{svc}/rotate")["id"]
    ask("service_keys_remove", "DELETE", "service-keys/{svc}")
    return ids


def targets(ids):
    key, svc = [("key", ids[k]) for k in ("key", "new_key")], [("service_key", ids[k]) for k in ("svc", "new_svc")]
    return {"organizations_create": [("organization", ids["org"])], "organizations_patch": [("organization", ids["org"])],
            "keys_create": key[:1], "keys_rotate": key[::-1], "keys_remove": key[:1],
            "service_keys_create": svc[:1], "service_keys_rotate": svc[::-1], "service_keys_remove": svc[:1]}


def test_every_operation_that_changes_something_is_known_here():
    changing = {item[m]["operationId"] for path, item in contract()["paths"].items() for m in METHODS
                if m in item and m != "get" and path.startswith("/v1/admin/")}
    assert changing == set(ACTIONS)


@pytest.mark.parametrize("operation", ACTIONS)
def test_it_leaves_who_did_what_to_what_in_which_request(trail, done, operation):
    left = [e for e in trail.entries() if e["request_id"] == operation]
    assert [(e["actor"], e["action"]) for e in left] == [("operator", action) for action in ACTIONS[operation]]
    assert [(e["target_kind"], e["target_id"]) for e in left] == targets(done)[operation]
    assert {e["org_id"] for e in left} == {NOBODY}
    assert {e["detail"].get("org_id") for e in left} == {None if operation.startswith("service") else done["org"]}


def test_an_organizations_own_trail_has_the_same_entries_of_it(operator, server, done, trail):
    key = operator.create_key(done["org"])["key"]
    own = Trail(Organization(server.url, done["org"], key)).entries()
    told = [e for e in trail.entries() if e["detail"].get("org_id") == done["org"]]
    assert len(own) == sum(len(a) for name, a in ACTIONS.items() if not name.startswith("service")) + 1
    for entry in own:
        entry["detail"]["org_id"] = entry["org_id"]
    # The same but for their places in the two chains.
    places = ("org_id", "seq", "prev")
    assert [{k: v for k, v in e.items() if k not in places} for e in own] == [{k: v for k, v in e.items() if k not in places} for e in told]


def test_what_was_refused_or_only_tried_leaves_nothing(operator, done, trail):
    before = trail.head()
    path = f"/v1/admin/organizations/{done['org']}"
    assert operator.request("POST", "/v1/admin/organizations", {"name": "x", "org_id": done["org"]}).status_code == 409
    assert operator.request("POST", "/v1/admin/organizations?validate_only=true", {"name": "x"}).status_code == 200
    assert operator.request("DELETE", f"{path}/keys/{done['key']}").status_code == 204, "it was revoked before"
    assert operator.request("DELETE", "/v1/admin/service-keys/svc_" + uuid.uuid4().hex).status_code == 404
    assert trail.head() == before


@pytest.mark.parametrize("action, method, path, body", [
    ("organization.changed", "PATCH", "organizations/{org}", {"name": "unseen"}),
    ("key.created", "POST", "organizations/{org}/keys", {"name": "unseen", "role": "viewer"}),
    ("service_key.created", "POST", "service-keys", {"name": "unseen", "role": "viewer"})])
def test_without_its_entry_there_is_no_change(operator, done, trail, database, action, method, path, body):
    before = trail.head()
    database.rows(f"ALTER TABLE operator_audit ADD CONSTRAINT full_up CHECK (action <> '{action}') NOT VALID")
    try:
        assert operator.request(method, "/v1/admin/" + path.format(**done), body).status_code == 500
    finally:
        database.rows("ALTER TABLE operator_audit DROP CONSTRAINT full_up")
    for table in ("organization", "api_key", "service_key"):
        assert database.value(f"SELECT count(*) FROM {table} WHERE name = 'unseen'") == 0
    assert trail.head() == before
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s", done["org"]) == database.value(
        "SELECT seq FROM audit_head WHERE org_id = %s", done["org"])


def test_many_operators_at_once_make_one_chain_without_gaps(operator, trail, verify):
    first = trail.head()["seq"]

    def write():
        for _ in range(10):
            operator.create_organization("crowd")
            operator.create_service_key()
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines, entries = trail.export(), trail.entries()
    assert len(entries) == first + 80 and [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
    assert entries[0]["prev"] == ZEROS and trail.head()["org_id"] == NOBODY
    told = verify(lines, trail.head())
    assert told.returncode == 0 and "as noted" in told.stdout and "of the operator" in told.stdout, told


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_is_seen(done, trail, verify, how):
    seed = random.randrange(1 << 32)
    chance, lines, noted = random.Random(seed), trail.export(), trail.head()
    for _ in range(5):
        assert verify(tampered(lines, how, chance), noted).returncode == 1, seed


def test_an_organizations_entry_is_none_of_the_operators(org, trail, verify, done):
    lines = trail.export()
    told = verify(lines[:1] + Trail(org).export()[1:])
    assert told.returncode == 1 and "of another organization" in told.stderr


def test_a_row_changed_in_the_database_shows(done, trail, verify, database):
    for column, forged in (("detail", '{"org_id": "x"}'), ("actor", "somebody"), ("request_id", "x"), ("at", "2020-01-01")):
        [[was]] = database.rows(f"SELECT {column}::text FROM operator_audit WHERE seq = 2")
        database.rows(f"UPDATE operator_audit SET {column} = %s WHERE seq = 2", forged)
        try:
            assert verify(trail.export()).returncode == 1, column
        finally:
            database.rows(f"UPDATE operator_audit SET {column} = %s WHERE seq = 2", was)
    assert verify(trail.export(), trail.head()).returncode == 0


def test_pages_go_back_in_time(operator, done, trail):
    first = expect(operator.get(trail.root, limit=3), 200)
    second = expect(operator.get(trail.root, limit=3, cursor=first["next_cursor"]), 200)
    seqs = [e["seq"] for e in first["data"] + second["data"]]
    assert seqs == list(range(trail.head()["seq"], trail.head()["seq"] - 6, -1))
    assert first["data"][0]["hash"] == trail.head()["hash"] and set(first["data"][0]["detail"]) <= {"org_id"}
    assert operator.get(trail.root + "/export", after=-1).status_code == 400


@pytest.mark.parametrize("role", ["connectord_app", "connectord_worker"])
@pytest.mark.parametrize("statement", ["UPDATE operator_audit SET actor = 'x'", "DELETE FROM operator_audit", "DELETE FROM operator_audit_head",
                                       "UPDATE operator_audit_head SET seq = 0"])
def test_neither_role_can_rewrite_it(database, role, statement):
    with pytest.raises(Exception, match="permission denied"):
        database.rows(statement, role=role)


def test_the_operators_rights_are_lent_for_the_entry_alone(database, done, trail):
    """As when `connectord keys rotate` re-seals secrets, with a worker's rights."""
    connection = database.connect("connectord_worker")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT set_config('app.org_id', %s, true)", (done["org"],))
        cursor.execute("INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id, detail) VALUES"
                       " (%s, gen_random_uuid(), 'operator', 'secrets.rewrapped', 'sealed_column', 'webhook.sealed_secret', '{\"values\": 2}')", (done["org"],))
        cursor.execute("SELECT current_setting('app.operator', true), app_operator()")
        assert cursor.fetchone() == ("", False)
        cursor.execute("COMMIT")
    connection.close()
    last = trail.entries()[-1]
    assert (last["action"], last["detail"]) == ("secrets.rewrapped", {"values": 2, "org_id": done["org"]})


def test_what_there_was_before_the_chain_is_chained_in_order(pg, verify):
    old, org = pg.empty_database(), str(uuid.uuid4())
    for path in MIGRATIONS:
        if path.name.startswith("0014"):
            old.rows("INSERT INTO organization (org_id, name) VALUES (%s, 'old')", org)
            for n, actor in enumerate(("operator", "key:1", "operator")):
                old.rows("SELECT set_config('app.org_id', %s, false); INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id)"
                         " VALUES (%s, %s, %s, 'a', 'k', %s)", org, org, str(uuid.UUID(int=2 * n + 1)), actor, str(2 * n + 1))
            for n in (4, 2, 6):
                old.rows("INSERT INTO operator_audit (audit_id, at, actor, action, target_kind, target_id) VALUES (%s, '2026-01-01', 'operator', 'a', 'k', %s)",
                         str(uuid.UUID(int=n)), str(n))
        old.rows(path.read_text(), role="connectord_owner")
    rows = old.rows("SELECT seq, target_id, detail->>'org_id', audit_line(a), encode(hash, 'hex') FROM operator_audit a ORDER BY seq")
    assert [tuple(row[:3]) for row in rows] == [(1, "1", org), (2, "2", None), (3, "4", None), (4, "5", org), (5, "6", None)]
    [(seq, end)] = old.rows("SELECT seq, encode(hash, 'hex') FROM operator_audit_head")
    told = verify([f'{{"entry":{row[3]},"hash":"{row[4]}"}}' for row in rows], {"seq": seq, "hash": end})
    assert told.returncode == 0 and seq == 5, told
    pg.drop(old)
