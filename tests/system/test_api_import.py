"""Connections out as one document and in again: all of it or nothing."""
import concurrent.futures
import json
import uuid

import pytest
from api import Organization, expect

ACCOUNT = "123456789012"
KEY = {"method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE"}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def item(n=0, **fields):
    account = str(100000000000 + n)
    return {"name": f"item {n}", "authoritative_status": "none", "aws_account_id": account, "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{account}:role/R"}, **fields}


def body(*items, **fields):
    return {"version": 1, "connections": list(items), **fields}


def send(org, document, key=None, **params):
    return org.post("/v1/connections/import", document, params=params, headers={"Idempotency-Key": key} if key else {})


def count(database, org, table="connection"):
    return database.value(f"SELECT count(*) FROM {table} WHERE org_id = %s", org.org_id)


def problems(answer):
    return [(e["pointer"], e["code"]) for e in answer.json()["errors"]]


def test_an_import_is_many_creations(org, database):
    made = expect(send(org, body(item(1), item(2, schedule={"cron": "30 2 * * MON-FRI", "time_zone": "Europe/Berlin"}))), 201)["data"]
    assert [m["name"] for m in made] == ["item 1", "item 2"]
    for one in made:
        assert org.connection(one["id"]) == one
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == [("verify",)] * 2
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.created'", org.org_id) == 2


def test_what_goes_out_comes_in_elsewhere_and_is_the_same(org, other_org):
    org.connect(ACCOUNT, cloudtrail={"bucket": "trail-logs", "days": 30, "digest_prefix": "Logs/x"}, schedule={"every": "PT2H"}, paused=True)
    org.connect("210987654321", schedule={"cron": "0 5 * * *", "time_zone": "Asia/Tokyo", "jitter": "PT10M", "overlap": "buffer_one",
                                          "catch_up_window": "PT1H"}, authoritative_status="secondary")
    expect(org.post("/v1/connections", {"name": "o", "authoritative_status": "none", "aws_organization_id": "o-abcdefghij",
                                        "region": "eu-central-1", "auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/O"}}), 201)
    document = expect(org.get("/v1/connections/export"), 200)
    assert (document["version"], len(document["connections"]), document["next_cursor"]) == (1, 3, None)
    expect(send(other_org, document), 201)
    assert expect(other_org.get("/v1/connections/export"), 200) == document
    for here, there in zip(org.all("/v1/connections"), other_org.all("/v1/connections")):
        for name in ("name", "authoritative_status", "region", "auth", "cloudtrail", "paused"):
            assert here[name] == there[name]
        assert there["external_id"] == other_org.org_id


def test_an_export_has_pages_and_filters(org):
    expect(send(org, body(*[item(n, authoritative_status="primary" if n % 2 else "none") for n in range(7)])), 201)
    seen, cursor = [], None
    while True:
        page = expect(org.get("/v1/connections/export", limit=3, **({"cursor": cursor} if cursor else {})), 200)
        seen += [c["name"] for c in page["connections"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [f"item {n}" for n in range(7)]
    some = expect(org.get("/v1/connections/export", authoritative_status="primary"), 200)["connections"]
    assert [c["name"] for c in some] == ["item 1", "item 3", "item 5"]


def test_no_secret_goes_out_and_none_is_invented(org, other_org, database):
    org.connect(ACCOUNT, access_key=(KEY["access_key_id"], SECRET))
    text = org.get("/v1/connections/export").text
    assert SECRET not in text and "secret" not in text and "sealed" not in text
    document = json.loads(text)
    answer = send(other_org, document)
    assert answer.status_code == 422
    assert problems(answer) == [("/connections/0/auth/secret_access_key", "required")]
    document["connections"][0]["auth"]["secret_access_key"] = SECRET
    answer = send(other_org, document)
    assert answer.status_code == 201 and SECRET not in answer.text
    assert database.value("SELECT octet_length(sealed_secret_access_key) > 100 FROM connection WHERE org_id = %s", other_org.org_id)


def test_everything_that_is_wrong_is_named_and_nothing_is_made(org, database):
    answer = send(org, body(item(0), item(1, region="nowhere"), item(2, name=""), item(3, auth={"method": "assume_role", "role_arn": "x"}),
                            item(4)))
    assert answer.status_code == 422
    assert {p for p, _ in problems(answer)} == {"/connections/1/region", "/connections/2/name", "/connections/3/auth/role_arn"}
    assert count(database, org) == count(database, org, "task") == 0


def test_rules_between_fields_are_named_by_item(org, database):
    wrong = item(2)
    del wrong["aws_account_id"]
    answer = send(org, body(item(0), item(1, auth={"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"}), wrong))
    assert answer.status_code == 422
    assert {p for p, _ in problems(answer)} == {"/connections/1/auth/role_arn", "/connections/2/aws_account_id"}
    assert count(database, org) == 0


def test_faults_of_fields_and_between_fields_are_named_at_once(org, database):
    crossed = {"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"}
    answer = send(org, body(item(1, region="nowhere"), item(2, auth=crossed), item(3, name="", auth=crossed), "no item", item(5, auth={
        "method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE"})))
    assert answer.status_code == 422
    assert sorted(problems(answer)) == [
        ("/connections/0/region", "unknown_region"), ("/connections/1/auth/role_arn", "account_mismatch"),
        ("/connections/2/auth/role_arn", "account_mismatch"), ("/connections/2/name", "wrong_length"),
        ("/connections/3", "wrong_type"), ("/connections/4/auth/secret_access_key", "required")]
    # Also where the document itself has one, and where an item has a field that there is not.
    answer = send(org, {"version": 2, "connections": [item(1, auth=crossed)]})
    assert sorted(p for p, _ in problems(answer)) == ["/connections/0/auth/role_arn", "/version"]
    answer = send(org, body(item(1, auth=crossed, more=1)))
    assert answer.status_code == 400 and ("/connections/0/auth/role_arn", "account_mismatch") in problems(answer)
    assert count(database, org) == 0


@pytest.mark.parametrize("document, status", [
    ({"connections": [item()]}, 422), ({"version": 2, "connections": [item()]}, 422), (body(), 422), (body(*[item(n) for n in range(101)]), 422),
    (body("x"), 422), (body(item(external_id="00000000-0000-0000-0000-000000000000")), 400), (body(item(), more=1), 400),
    (body(item(id="conn_" + "0" * 32)), 400)])
def test_what_is_no_import_is_refused(org, database, document, status):
    assert send(org, document).status_code == status
    assert count(database, org) == 0


def test_a_hundred_at_once(org, database):
    assert len(expect(send(org, body(*[item(n) for n in range(100)])), 201)["data"]) == 100
    assert count(database, org) == count(database, org, "task") == 100


def test_the_most_that_there_may_be_holds_for_imports_and_undoes_them(org, database):
    expect(send(org, body(item(0))), 201)
    database.rows("INSERT INTO connection (org_id, connection_id, name, authoritative_status, aws_account_id, region, auth_method, role_arn)"
                  " SELECT org_id, gen_random_uuid(), name, 'none', aws_account_id, region, auth_method, role_arn FROM connection,"
                  " generate_series(1, 997) WHERE org_id = %s", org.org_id)
    answer = send(org, body(item(1), item(2), item(3)))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_connections")
    assert count(database, org) == 998
    expect(send(org, body(item(1), item(2))), 201)


def test_what_is_connected_already_is_named(org, database):
    there = expect(send(org, body(item(1))), 201)["data"][0]
    answer = send(org, body(item(0), item(1, name="another name"), item(2), item(2)))
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_connections")
    assert problems(answer) == [("/connections/1", "duplicate"), ("/connections/3", "duplicate")]
    first, second = answer.json()["errors"]
    assert there["id"] in first["detail"] and "/connections/2" in second["detail"]
    assert count(database, org) == 1
    expect(send(org, body(item(0), item(1), item(2), item(2), allow_duplicates=True)), 201)
    assert count(database, org) == 5


def test_another_role_or_a_deleted_connection_is_no_duplicate(org):
    there = expect(send(org, body(item(1))), 201)["data"][0]
    expect(send(org, body(item(1, auth={"method": "assume_role", "role_arn": "arn:aws:iam::100000000001:role/Other"}))), 201)
    assert org.delete("/v1/connections/" + there["id"]).status_code == 202
    expect(send(org, body(item(1))), 201)


def test_two_imports_of_the_same_at_once_are_one(org, database):
    clients = [Organization(org.url, org.org_id, org.key) for _ in range(4)]
    document = body(*[item(n) for n in range(20)])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = sorted(a.status_code for a in pool.map(lambda c: send(c, document), clients))
    assert statuses == [201, 409, 409, 409]
    assert count(database, org) == 20


def test_with_a_key_it_is_made_once(org, database):
    key, document = str(uuid.uuid4()), body(item(0), item(1))
    first = send(org, document, key)
    assert first.status_code == 201
    assert send(org, document, key).text == first.text
    assert send(org, body(item(2)), key).status_code == 422
    assert count(database, org) == 2


def test_a_rehearsal_makes_nothing(org, database):
    tables = ("connection", "task", "schedule", "audit", "idempotency")
    before = [count(database, org, table) for table in tables]
    shown = expect(send(org, body(item(0), item(1)), validate_only="true"), 200)["data"]
    assert [s["name"] for s in shown] == ["item 0", "item 1"]
    expect(send(org, body(item(0)), str(uuid.uuid4()), validate_only="true"), 200)
    assert [count(database, org, table) for table in tables] == before
    assert send(org, body(item(0, region="nowhere")), validate_only="true").status_code == 422
    expect(send(org, body(item(0))), 201)
    assert send(org, body(item(0)), validate_only="true").status_code == 409


def test_our_own_account_is_refused_wherever_it_stands(start_server, database):
    own = start_server(vendor_account="999999999999")
    org = own.organization()
    mine = item(1, aws_account_id="999999999999", auth={"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"})
    answer = send(org, body(item(0), mine))
    assert (answer.status_code, answer.json()["code"]) == (403, "own_account_role")
    assert count(database, org) == 0
    refused = "SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.own_account_role_refused'"
    assert database.value(refused, org.org_id) == 1
    tried = send(org, body(item(0), mine), validate_only="true")
    assert (tried.status_code, tried.json()["code"]) == (403, "own_account_role")
    assert database.value(refused, org.org_id) == 2, "an attempt is none the less one when it says that it is a trial"


def test_a_viewer_exports_and_does_not_import(server, org):
    key = server.operator.create_key(org.org_id, role="viewer")
    viewer = Organization(server.url, org.org_id, key["key"])
    assert viewer.get("/v1/connections/export").status_code == 200
    assert send(viewer, body(item(0))).status_code == 403


def test_the_words_are_no_ids(org):
    answer = org.request("GET", "/v1/connections/import")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = org.request("POST", "/v1/connections/export")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert org.get("/v1/connections/exports").status_code == 404
