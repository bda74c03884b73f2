"""The server and its database: away, behind, back."""
import json

import pytest
import requests
from api import expect
from cutter import Cutter
from waiting import wait_until


def test_a_schema_that_is_behind_is_not_served(start_server, pg):
    empty = pg.empty_database()
    own = start_server(wait=False, database=empty)
    assert own.wait_exit() == 78
    assert "migrate" in own.text()


def test_a_database_that_is_away_means_503_until_it_is_back(start_server, pg, database):
    own = start_server(database_url=f"host={pg.socket_dir} port=1 dbname={database.name} user=connectord_app connect_timeout=2")
    live = requests.get(own.url + "/livez", timeout=5)
    ready = requests.get(own.url + "/readyz", timeout=30)
    assert (live.status_code, ready.status_code) == (200, 503)
    assert int(ready.headers["Retry-After"]) >= 1
    assert ready.json()["code"] == "unavailable"
    assert pg.socket_dir not in ready.text


def test_a_restart_of_the_database_is_survived(start_server, pg, database):
    own = start_server()
    org = own.organization()
    made = org.connect("123456789012")
    pg.stop("fast")  # the cluster commits asynchronously: "immediate" would lose what was just created
    try:
        assert requests.get(own.url + "/livez", timeout=5).status_code == 200
        down = org.get("/v1/connections")
        assert down.status_code == 503, down.text
        assert "Retry-After" in down.headers
    finally:
        pg.start()
    wait_until(lambda: org.get("/v1/connections").status_code == 200, "the server finds its database again", within=40)
    assert expect(org.get("/v1/connections/" + made["id"]), 200)["id"] == made["id"]


def log_lines(process, event):
    return [line for line in map(json.loads, process.text().splitlines()) if line["event"] == event]


def test_a_refusal_that_nobody_announced_is_our_fault_and_is_found_in_the_log(start_server, pg):
    fresh = pg.database()
    own = start_server(database=fresh)
    org = own.organization()
    fresh.rows("ALTER TABLE connection ADD CONSTRAINT no_such_name CHECK (name <> 'refused')")
    body = {"name": "refused", "authoritative_status": "none", "aws_account_id": "123456789012", "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/R"}}
    answer = org.post("/v1/connections", body, headers={"X-Request-Id": "find-me"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "no_such_name" not in answer.text and "connections_insert" not in answer.text
    [line] = log_lines(own, "request_failed")
    assert (line["request_id"], line["route"], line["level"], line["code"]) == ("find-me", "/v1/connections", "error", "no_such_name")
    assert "connections_insert" in line["text"]


@pytest.fixture
def cutter(pg):
    made = Cutter(pg)
    yield made
    made.end()


def writes(org, server, connection, sync):
    """What each kind of change sends, and the count that shows whether it happened."""
    keys = f"/v1/admin/organizations/{org.org_id}/keys"
    body = {"name": "cut", "authoritative_status": "none", "aws_account_id": "123456789012", "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/R"}}
    return {
        "key": (lambda: server.operator.request("POST", keys, {"name": "cut", "role": "viewer"}), 201,
                "SELECT count(*) FROM api_key WHERE name = 'cut'"),
        "organization": (lambda: server.operator.request("POST", "/v1/admin/organizations", {"name": "cut"}), 201,
                         "SELECT count(*) FROM organization WHERE name = 'cut'"),
        "organization change": (lambda: server.operator.request("PATCH", f"/v1/admin/organizations/{org.org_id}", {"name": "cut 2"}), 200,
                                "SELECT count(*) FROM organization WHERE name = 'cut 2'"),
        "connection": (lambda: org.post("/v1/connections", body), 201, "SELECT count(*) FROM connection WHERE name = 'cut'"),
        "connection change": (lambda: org.patch("/v1/connections/" + connection, {"name": "cut 2"}), 200,
                              "SELECT count(*) FROM connection WHERE name = 'cut 2'"),
        "sync": (lambda: org.post(f"/v1/connections/{connection}/syncs"), 202, "SELECT count(*) FROM sync WHERE requested_by LIKE 'key:%'"),
        "cancel": (lambda: org.post(f"/v1/syncs/{sync}/cancel"), 202, "SELECT count(*) FROM sync WHERE state = 'canceled'"),
    }


@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("kind", ["key", "organization", "organization change", "connection", "connection change", "sync", "cancel"])
def test_what_was_committed_is_never_told_to_be_tried_again(start_server, pg, cutter, kind, delivered):
    """The database goes away behind COMMIT. Its answer was seen: the change is answered as made, whatever cannot be read any
    more. It was not seen: the answer says that nobody knows."""
    fresh = pg.database()
    own = start_server(database=fresh, database_url=cutter.url(fresh))
    org = own.organization("cut off")
    connection = org.connect("123456789012")["id"]
    sync = org.sync(org.connect("123456789012")["id"])["id"] if kind == "cancel" else ""
    send, status, count = writes(org, own, connection, sync)[kind]
    expect(org.get("/v1/connections"), 200)  # the key is known for the next seconds
    before = fresh.value(count)
    cutter.arm(b"COMMIT", deliver=delivered)
    answer = send()
    wait_until(lambda: cutter.cuts == 1, "the wire is cut")  # what was delivered is answered before that
    assert fresh.value(count) == before + 1
    if delivered:
        assert answer.status_code == status, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown"), answer.text
