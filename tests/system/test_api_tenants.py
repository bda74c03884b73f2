"""No organization can see, reach or infer another: its things are answered exactly like things that do not exist."""
import json
import uuid

import pytest
from inventory_rows import Inventory

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def owned(server, database):
    """What one organization has: every kind of thing that has an address."""
    org = server.organization("victim")
    connection = org.connect(ACCOUNT)
    sync = org.sync(connection["id"])
    rows = Inventory(database, org.org_id, connection["id"])
    entity = rows.entity("aws.iam_user", f"arn:aws:iam::{ACCOUNT}:user/u", "u")
    rows.coverage("users", "ok")
    spare = org.post("/v1/keys", {"name": "victim's", "role": "viewer"}).json()
    return {"org": org, "key_": spare["id"], "conn_": connection["id"], "sync_": sync["id"], "ent_": entity}


ADDRESSES = [
    ("GET", "key_", "/v1/keys/{}", None), ("DELETE", "key_", "/v1/keys/{}", None), ("POST", "key_", "/v1/keys/{}/rotate", None),
    ("GET", "conn_", "/v1/connections/{}", None), ("PATCH", "conn_", "/v1/connections/{}", {"name": "stolen"}),
    ("DELETE", "conn_", "/v1/connections/{}", None), ("POST", "conn_", "/v1/connections/{}/syncs", None),
    ("GET", "conn_", "/v1/connections/{}/syncs", None), ("GET", "conn_", "/v1/connections/{}/coverage", None),
    ("GET", "sync_", "/v1/syncs/{}", None), ("POST", "sync_", "/v1/syncs/{}/cancel", None), ("GET", "ent_", "/v1/entities/{}", None),
    ("GET", "ent_", "/v1/entities/{}/history", None),
]


def asked(org, method, path, body):
    headers = {"Content-Type": "application/merge-patch+json"} if body else {}
    if method in ("PATCH", "DELETE"):
        headers["If-Match"] = "*"
    answer = org.request(method, path, data=json.dumps(body) if body else None, headers={**headers, "X-Request-Id": "same"})
    # What differs between any two requests: the clock, what is left of the caller's own rate, the trace.
    kept = {k: v for k, v in answer.headers.items() if k not in ("Date", "RateLimit", "traceresponse")}
    return answer.status_code, kept, answer.text.replace(path, "PATH")


@pytest.mark.parametrize("method, prefix, path, body", ADDRESSES)
def test_anothers_thing_is_answered_like_nothing(owned, other_org, method, prefix, path, body):
    mine = path.format(owned[prefix])
    nothing = path.format(prefix + uuid.uuid4().hex)
    junk = path.format(prefix + "z" * 32)
    first = asked(other_org, method, mine, body)
    assert first[0] == 404
    assert first == asked(other_org, method, nothing, body)
    assert first == asked(other_org, method, junk, body)


@pytest.mark.parametrize("path", ["/v1/connections", "/v1/syncs", "/v1/entities", "/v1/coverage"])
def test_lists_hold_only_what_is_ones_own(owned, other_org, path):
    assert other_org.all(path) == []
    assert len(owned["org"].all(path)) == 1


def test_feeds_and_exports_hold_only_what_is_ones_own(owned, other_org, database):
    rows = Inventory(database, owned["org"].org_id, owned["conn_"])
    rows.change(owned["ent_"], "created", "2026-11-01T00:00:00Z", None, {"name": "u"})
    for params in ({}, {"connection_id": owned["conn_"]}, {"kind": "aws.iam_user"}):
        assert len(owned["org"].get("/v1/changes", **params).json()["data"]) == 1
        assert other_org.get("/v1/changes", **params).json()["data"] == []
    for params in ({}, {"aws_account_id": ACCOUNT}, {"name_prefix": "test"}):
        assert len(owned["org"].get("/v1/connections/export", **params).json()["connections"]) == 1
        assert other_org.get("/v1/connections/export", **params).json()["connections"] == []


def test_an_import_finds_no_duplicates_of_others(owned, other_org):
    document = owned["org"].get("/v1/connections/export").json()
    assert owned["org"].post("/v1/connections/import", document).status_code == 409
    assert other_org.post("/v1/connections/import", document).status_code == 201


@pytest.mark.parametrize("path", ["/v1/syncs", "/v1/entities", "/v1/coverage"])
def test_a_filter_does_not_reach_over(owned, other_org, path):
    assert other_org.all(path, connection_id=owned["conn_"]) == []


def test_a_cursor_does_not_reach_over(owned, other_org):
    org = owned["org"]
    org.connect("210987654321")
    cursor = org.get("/v1/connections", limit=1).json()["next_cursor"]
    assert org.get("/v1/connections", limit=1, cursor=cursor).status_code == 200
    assert other_org.get("/v1/connections", limit=1, cursor=cursor).status_code == 400


@pytest.mark.parametrize("header", ["X-Org-Id", "SlashID-OrgID"])
def test_a_key_acts_for_its_own_organization_only(owned, other_org, header):
    def named(org_id):
        return other_org.request("GET", "/v1/connections", headers={header: org_id, "X-Request-Id": "same"})
    assert named(other_org.org_id).json()["data"] == []
    refused, of_nobody = named(owned["org"].org_id), named(str(uuid.uuid4()))
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_organization")
    assert refused.text == of_nobody.text, "another's ID is answered like one that nobody has"
    assert named("not-a-uuid").status_code == named("0" * 8 + "-0000-0000-0000-" + "0" * 12).status_code == 400
    both = {"X-Org-Id": other_org.org_id, "SlashID-OrgID": str(uuid.uuid4())}
    answer = other_org.request("GET", "/v1/connections", headers=both)
    assert (answer.status_code, answer.json()["code"]) == (400, "two_organizations")


def test_two_organizations_may_connect_the_same_role(owned, other_org):
    assert other_org.connect(ACCOUNT)["external_id"] == other_org.org_id != owned["org"].org_id


def test_the_victim_is_untouched(owned):
    assert owned["org"].connection(owned["conn_"])["name"] != "stolen"
    key = owned["org"].get("/v1/keys/" + owned["key_"]).json()
    assert key["revoked_at"] is None and key["replaced_by"] is None
