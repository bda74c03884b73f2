"""Owners manage the keys of their organization: scopes, rotation, and what nobody may give."""
import time
import uuid

import pytest
import requests
from api import Organization, expect, refused_in_time

VIEWER = {"connections:read", "syncs:read", "inventory:read", "coverage:read", "setup:read"}


def make(org, name="made", role="viewer", **fields):
    return expect(org.post("/v1/keys", {"name": name, "role": role, **fields}), 201)


def as_key(org, made):
    return Organization(org.url, org.org_id, made["key"])


def works(org, made):
    return as_key(org, made).get("/v1/connections").status_code == 200


def actions(database, org):
    return [tuple(r) for r in database.rows("SELECT action, target_id, actor FROM audit WHERE org_id = %s AND target_kind = 'key' ORDER BY at, audit_id",
                                            org.org_id)]


def test_an_owner_makes_reads_lists_and_revokes_keys(org, database):
    answer = org.post("/v1/keys", {"name": "dashboard", "role": "viewer"})
    made = expect(answer, 201)
    assert VIEWER <= set(made["scopes"]) and not any(s.endswith(":write") for s in made["scopes"])
    assert answer.headers["Location"] == "/v1/keys/" + made["id"]
    shown = expect(org.get("/v1/keys/" + made["id"]), 200)
    assert {**shown, "key": made["key"]} == made
    assert {k["id"] for k in org.all("/v1/keys")} == {made["id"], "key_" + org.key.split("_")[2]}
    assert {k["id"] for k in org.all("/v1/keys", limit=1)} == {k["id"] for k in org.all("/v1/keys")}
    assert works(org, made)
    assert [org.delete("/v1/keys/" + made["id"]).status_code for _ in range(2)] == [204, 204]
    refused_in_time(lambda: works(org, made))
    me = "key:" + org.key.split("_")[2]
    assert actions(database, org)[1:] == [("key.created", made["id"], me), ("key.revoked", made["id"], me)]


def test_a_key_may_do_what_its_scopes_say_and_no_more(org):
    made = make(org, role="editor", scopes=["syncs:read", "connections:write"])
    assert made["scopes"] == ["connections:write", "syncs:read"]
    narrow = as_key(org, made)
    assert narrow.get("/v1/syncs").status_code == 200
    assert narrow.post("/v1/connections", {"name": ""}).status_code == 422
    refused = narrow.get("/v1/connections")
    assert refused.status_code == 403 and "connections:read" in refused.json()["detail"]
    for path in ("/v1/entities", "/v1/coverage", "/v1/keys"):
        assert narrow.get(path).status_code == 403, path


@pytest.mark.parametrize("scopes, pointer, status", [
    (["keys:read"], "/scopes/0", 422), (["connections:read", "connections:write"], "/scopes/1", 422), ([], "/scopes", 422),
    (["connections:read", "connections:read"], "/scopes", 422), (["connections:all"], "/scopes/0", 422), ([1], "/scopes/0", 422),
    ("connections:read", "/scopes", 422), (None, "/scopes", 422), ({}, "/scopes", 422), (["connections:read"] * 65, "/scopes", 422)])
def test_scopes_that_the_role_lacks_or_that_there_are_not_are_refused(org, scopes, pointer, status):
    answer = org.post("/v1/keys", {"name": "x", "role": "viewer", "scopes": scopes})
    assert answer.status_code == status, answer.text
    assert any(e["pointer"].startswith(pointer) for e in answer.json()["errors"])


def test_nobody_gives_a_scope_that_he_lacks(org):
    keeper = as_key(org, make(org, role="owner", scopes=["keys:read", "keys:write", "connections:read"]))
    for fields in ({"role": "owner"}, {"role": "viewer"}, {"role": "editor", "scopes": ["connections:write"]}):
        answer = keeper.post("/v1/keys", {"name": "x", **fields})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_held"), answer.text
    assert "connections:write" in answer.json()["detail"]
    assert make(keeper, scopes=["connections:read"])["scopes"] == ["connections:read"]
    strong = make(org, role="owner")
    refused = keeper.post(f"/v1/keys/{strong['id']}/rotate")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_not_held")
    assert expect(org.get("/v1/keys/" + strong["id"]), 200)["replaced_by"] is None
    assert keeper.post(f"/v1/keys/{make(org, scopes=['connections:read'])['id']}/rotate").status_code == 201


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_owners_see_and_change_keys(org, role):
    made = make(org, role=role)
    other, path = as_key(org, made), "/v1/keys/" + made["id"]
    for answer in (other.get("/v1/keys"), other.get(path), other.post("/v1/keys", {"name": "x", "role": "viewer"}), other.delete(path),
                   other.post(path + "/rotate")):
        assert answer.status_code == 403, answer.text


def test_the_key_of_the_request_may_be_revoked(org):
    made = make(org, role="owner")
    assert as_key(org, made).delete("/v1/keys/" + made["id"]).status_code == 204
    refused_in_time(lambda: works(org, made))
    assert works(org, {"key": org.key})


def test_a_rotated_key_works_on_for_the_overlap_and_then_no_more(org, database):
    old = make(org, name="console", role="editor", scopes=["connections:read", "syncs:write"])
    answer = org.post(f"/v1/keys/{old['id']}/rotate", {"overlap": "PT3S"})
    began, new = time.monotonic(), expect(answer, 201)
    assert answer.headers["Location"] == "/v1/keys/" + new["id"]
    assert {k: new[k] for k in ("name", "role", "scopes", "expires_at", "replaces")} == {
        "name": "console", "role": "editor", "scopes": old["scopes"], "expires_at": None, "replaces": old["id"]}
    assert works(org, old) or time.monotonic() - began >= 3
    assert works(org, new)
    shown = expect(org.get("/v1/keys/" + old["id"]), 200)
    assert shown["replaced_by"] == new["id"] and shown["expires_at"] and shown["revoked_at"] is None
    refused_in_time(lambda: works(org, old), "the old key", 3 + 5 - (time.monotonic() - began))
    assert works(org, new)
    assert [a[:2] for a in actions(database, org)[-2:]] == [("key.created", new["id"]), ("key.rotated", old["id"])]
    detail = database.value("SELECT detail FROM audit WHERE org_id = %s AND action = 'key.rotated'", org.org_id)
    assert detail == {"replaced_by": new["id"], "overlap_s": 3}


def test_two_keys_of_a_rotation_work_at_most(org):
    first = make(org)
    second = expect(org.post(f"/v1/keys/{first['id']}/rotate", {}), 201)
    for key in (first, second):
        answer = org.post(f"/v1/keys/{key['id']}/rotate")
        assert (answer.status_code, answer.json()["code"]) == (409, "rotation_in_progress")
    assert org.delete("/v1/keys/" + second["id"]).status_code == 204
    third = expect(org.post(f"/v1/keys/{first['id']}/rotate"), 201)
    assert org.delete("/v1/keys/" + first["id"]).status_code == 204
    assert expect(org.post(f"/v1/keys/{third['id']}/rotate"), 201)["replaces"] == third["id"]
    gone = org.post(f"/v1/keys/{first['id']}/rotate")
    assert (gone.status_code, gone.json()["code"]) == (409, "key_not_live")


def test_a_second_rotation_does_not_lengthen_what_is_left_of_a_key(org):
    old = make(org)
    second = expect(org.post(f"/v1/keys/{old['id']}/rotate", {"overlap": "PT1H"}), 201)
    end = expect(org.get("/v1/keys/" + old["id"]), 200)["expires_at"]
    assert end and org.delete("/v1/keys/" + second["id"]).status_code == 204
    third = expect(org.post(f"/v1/keys/{old['id']}/rotate", {"overlap": "P30D"}), 201)
    assert expect(org.get("/v1/keys/" + old["id"]), 200)["expires_at"] == end
    assert org.delete("/v1/keys/" + third["id"]).status_code == 204
    expect(org.post(f"/v1/keys/{old['id']}/rotate", {"overlap": "PT30S"}), 201)
    assert expect(org.get("/v1/keys/" + old["id"]), 200)["expires_at"] < end, "it may be shortened"


def test_many_rotations_at_once_make_one_successor(org):
    from concurrent.futures import ThreadPoolExecutor
    old = make(org)
    clients = [Organization(org.url, org.org_id, org.key) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(a.status_code for a in pool.map(lambda c: c.post(f"/v1/keys/{old['id']}/rotate"), clients))
    assert codes == [201] + [409] * 7


@pytest.mark.parametrize("body, pointer", [
    ({"overlap": "P31D"}, "/overlap"), ({"overlap": "PT-1S"}, "/overlap"), ({"overlap": "P1M"}, "/overlap"), ({"overlap": 5}, "/overlap"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"), ({"name": "new"}, "/name")])
def test_what_a_rotation_takes(org, body, pointer):
    old = make(org)
    answer = org.post(f"/v1/keys/{old['id']}/rotate", body)
    assert answer.status_code == (400 if pointer == "/name" else 422)
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert expect(org.get("/v1/keys/" + old["id"]), 200)["replaced_by"] is None


def test_a_successor_lives_as_long_as_its_predecessor_was_made_for(org, database):
    old = make(org, expires_at="2099-01-01T00:00:00Z")
    new = expect(org.post(f"/v1/keys/{old['id']}/rotate", {"overlap": "P30D"}), 201)
    life = "SELECT extract(epoch FROM expires_at - created_at)::bigint FROM api_key WHERE key_id = %s"
    assert database.value(life, old["id"].removeprefix("key_")) == database.value(life, new["id"].removeprefix("key_"))
    other = make(org, expires_at="2099-01-01T00:00:00Z")
    assert expect(org.post(f"/v1/keys/{other['id']}/rotate", {"expires_at": "2050-01-01T00:00:00Z"}), 201)["expires_at"] == "2050-01-01T00:00:00Z"
    short = make(org)
    database.rows("UPDATE api_key SET expires_at = now() + interval '1 hour' WHERE key_id = %s", short["id"].removeprefix("key_"))
    org.post(f"/v1/keys/{short['id']}/rotate", {"overlap": "P30D"})
    left = database.value("SELECT least(expires_at, retires_at) - now() < interval '61 minutes' FROM api_key WHERE key_id = %s",
                          short["id"].removeprefix("key_"))
    assert left is True, "an overlap does not lengthen a life"


def test_the_operator_rotates_any_organizations_keys(server, org, other_org):
    old = make(org)
    path = f"/v1/admin/organizations/{org.org_id}/keys/{old['id']}"
    elsewhere = f"/v1/admin/organizations/{other_org.org_id}/keys/{old['id']}"
    assert server.operator.request("POST", elsewhere + "/rotate").status_code == 404
    answer = server.operator.request("POST", path + "/rotate", {"overlap": "PT0S"})
    new = expect(answer, 201)
    assert answer.headers["Location"] == f"/v1/admin/organizations/{org.org_id}/keys/{new['id']}"
    assert works(org, new)
    narrow = server.operator.create_key(org.org_id, role="viewer", scopes=["syncs:read"])
    assert narrow["scopes"] == ["syncs:read"] and not works(org, narrow)


def test_revocation_reaches_every_server(start_server):
    one, two = start_server(), start_server()
    org = one.organization()
    made = make(org)

    def status(server):
        return requests.get(server.url + "/v1/connections", headers={"Authorization": "Bearer " + made["key"]}, timeout=30).status_code
    assert status(one) == status(two) == 200
    assert org.delete("/v1/keys/" + made["id"]).status_code == 204
    refused_in_time(lambda: {status(one), status(two)} != {401}, "the key at both servers")


def test_a_repeated_request_does_not_show_the_key_twice(org):
    headers, body = {"Idempotency-Key": uuid.uuid4().hex}, {"name": "once", "role": "viewer"}
    first, again = (expect(org.post("/v1/keys", body, headers=headers), 201) for _ in range(2))
    assert again == {**first, "key": None}
    assert len([k for k in org.all("/v1/keys") if k["name"] == "once"]) == 1
