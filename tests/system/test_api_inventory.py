"""The read side of the inventory: filters, pages, edges, history, coverage."""
import pytest
from api import expect
from inventory_rows import Inventory

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def world(server, database):
    org = server.organization("reader")
    connection = org.connect(ACCOUNT)
    rows = Inventory(database, org.org_id, connection["id"])
    users = [rows.entity("aws.iam_user", f"arn:aws:iam::{ACCOUNT}:user/user{i}", f"user{i}", {"n": i}) for i in range(12)]
    group = rows.entity("aws.iam_group", f"arn:aws:iam::{ACCOUNT}:group/100%_", "100%_")
    gone = rows.entity("aws.iam_user", f"arn:aws:iam::{ACCOUNT}:user/gone", "gone", deleted=True)
    rows.entity("aws.iam_user", "arn:aws:iam::210987654321:user/far", "far", account="210987654321")
    rows.edge("member_of", users[0], group)
    rows.edge("member_of", users[1], group, "q")
    for day in range(1, 8):
        rows.change(users[0], "changed", f"2026-11-{day:02d}T00:00:00.000001Z", {"n": day - 1}, {"n": day})
    rows.coverage("users", "ok", items=12)
    rows.coverage("credential_report", "denied", action="iam:GetCredentialReport", reason_code="missing_permission",
                  reason="Ages of passwords and keys are unknown.")
    for i in range(7):
        rows.coverage(f"part{i}", "throttled", region="us-east-1")
    return {"org": org, "connection": connection, "users": users, "group": group, "gone": gone}


def names(found):
    return sorted(e["name"] for e in found)


@pytest.mark.parametrize("filters, wanted", [
    ({"kind": "aws.iam_group"}, ["100%_"]), ({"name_prefix": "user1"}, ["user1", "user10", "user11"]), ({"name_prefix": "100%"}, ["100%_"]),
    ({"name_prefix": "%"}, []), ({"name_prefix": "USER"}, []), ({"deleted": "true"}, ["gone"]), ({"account_id": "210987654321"}, ["far"]),
    ({"kind": "aws.iam_user", "name_prefix": "f"}, ["far"]), ({"kind": "nothing"}, []), ({"deleted": "false", "name_prefix": "gone"}, []),
])
def test_filters_narrow_the_list(world, filters, wanted):
    assert names(world["org"].all("/v1/entities", **filters)) == wanted


def test_pages_hold_everything_once(world):
    org = world["org"]
    whole = [e["id"] for e in org.all("/v1/entities", limit=500)]
    assert len(whole) == 14
    for limit in (1, 3, 13, 14):
        assert [e["id"] for e in org.all("/v1/entities", limit=limit)] == whole
    assert len(org.all("/v1/entities", connection_id=world["connection"]["id"], limit=5)) == 14


def test_a_cursor_belongs_to_its_filter(world):
    org = world["org"]
    cursor = org.get("/v1/entities", kind="aws.iam_user", limit=2).json()["next_cursor"]
    assert org.get("/v1/entities", kind="aws.iam_user", limit=7, cursor=cursor).status_code == 200
    for other in ({"kind": "aws.iam_group"}, {}, {"kind": "aws.iam_user", "deleted": "true"}):
        answer = org.get("/v1/entities", cursor=cursor, **other)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    assert org.get("/v1/connections", cursor=cursor).status_code == 400
    for bad in ("x", "00", cursor[:-2], cursor + "00", cursor.upper() if cursor.upper() != cursor else "zz", "é"):
        assert org.get("/v1/entities", kind="aws.iam_user", cursor=bad).status_code == 400, bad


@pytest.mark.parametrize("path, params", [
    ("/v1/entities", {"color": "red"}), ("/v1/entities", {"deleted": "maybe"}), ("/v1/entities", {"limit": "0"}), ("/v1/entities", {"limit": "-1"}),
    ("/v1/entities", {"limit": "x"}), ("/v1/entities", {"limit": "1.5"}), ("/v1/entities", {"connection_id": "x"}),
    ("/v1/connections", {"name": "x"}), ("/v1/syncs", {"state": "done"}), ("/v1/coverage", {"state": "good"}),
    ("/v1/entities", [("limit", "1"), ("limit", "2")]), ("/v1/entities", {"kind": b"\xff"}), ("/livez", {"x": "1"}),
])
def test_a_parameter_that_is_not_known_or_not_good_is_a_bad_request(world, path, params):
    answer = world["org"].request("GET", path, params=params)
    assert answer.status_code == 400, answer.text


def test_a_large_limit_is_taken_as_the_cap(world):
    assert len(world["org"].get("/v1/entities", limit=100000).json()["data"]) == 14


def test_an_entity_shows_its_edges_both_ways(world):
    org = world["org"]
    user = expect(org.get(f"/v1/entities/{world['users'][0]}"), 200)
    assert (user["edges_in"], user["edges_cut"]) == ([], False)
    [edge] = user["edges_out"]
    assert edge["kind"] == "member_of"
    assert edge["entity"] == {"id": world["group"], "kind": "aws.iam_group", "key": f"arn:aws:iam::{ACCOUNT}:group/100%_", "name": "100%_",
                              "deleted": False}
    group = expect(org.get(f"/v1/entities/{world['group']}"), 200)
    assert sorted(e["entity"]["name"] for e in group["edges_in"]) == ["user0", "user1"]
    assert group["edges_out"] == []


def test_history_is_newest_first_through_its_pages(world):
    org = world["org"]
    path = f"/v1/entities/{world['users'][0]}/history"
    whole = org.all(path)
    assert [c["after"]["n"] for c in whole] == [7, 6, 5, 4, 3, 2, 1]
    assert whole[0]["at"] == "2026-11-07T00:00:00.000001Z"
    for limit in (1, 2, 7):
        assert org.all(path, limit=limit) == whole
    assert org.all(f"/v1/entities/{world['gone']}/history") == []


def test_coverage_says_what_is_missing_and_what_is_therefore_unknown(world):
    org = world["org"]
    [denied] = org.all("/v1/coverage", state="denied")
    assert denied["action"] == "iam:GetCredentialReport"
    assert denied["reason"] == "Ages of passwords and keys are unknown."
    whole = org.all("/v1/coverage")
    assert len(whole) == 9
    for limit in (1, 2, 8, 9):
        assert org.all("/v1/coverage", limit=limit) == whole
    assert org.coverage(world["connection"]["id"]) == whole
    assert org.all("/v1/coverage", connection_id="conn_" + "1" * 32) == []
    assert org.get("/v1/coverage", connection_id="conn_" + "0" * 32).status_code == 400
