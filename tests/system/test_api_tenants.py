"""No organization can see, reach or infer another in what has no address of its own: lists, feeds, filters, cursors, imports.

What has one is in test_api_matrix.py."""
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
    return {"org": org, "conn_": connection["id"], "sync_": sync["id"], "ent_": entity}


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
