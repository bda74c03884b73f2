"""The status of a connection is the first that holds, is stored, and says what to do."""
import itertools
import uuid

import pytest
from api import expect
from inventory_rows import Inventory

ACCOUNT = "123456789012"


@pytest.fixture
def made(org):
    return org.connect(ACCOUNT)


def bare(connection):
    return connection["id"].removeprefix("conn_")


class Facts:
    """What a status is made of, written behind the back of the server; any change by a person works it out anew."""

    def __init__(self, org, database, connection):
        self.org, self.database, self.connection = org, database, connection
        self.syncs = itertools.count(1)  # in the order of their ids, as real ones are
        self.rows = Inventory(database, org.org_id, connection["id"])

    def set(self, change):
        self.database.rows(f"UPDATE connection SET {change} WHERE connection_id = %s", bare(self.connection))

    def sync(self, state="queued", reason_code="", reason=""):
        self.database.rows("INSERT INTO sync (org_id, sync_id, connection_id, cause, state, reason_code, reason)"
                           " VALUES (%s, %s, %s, 'request', %s, %s, %s)",
                           self.org.org_id, f"{next(self.syncs):032x}", bare(self.connection), state, reason_code, reason)

    def status(self):
        return expect(self.org.patch(f"/v1/connections/{self.connection['id']}", {"name": uuid.uuid4().hex}, "*"), 200)["status"]


@pytest.fixture
def facts(org, database, made):
    return Facts(org, database, made)


# From the first that holds to the last: each line holds with everything below it.
ORDER = [
    ("paused", "paused", lambda f: f.set("paused = true")),
    ("running", "sync_active", lambda f: f.sync("running")),
    ("action_required", "external_id_not_enforced",
     lambda f: f.set("verify_state = 'refused', verify_code = 'external_id_not_enforced', verify_text = 'x'")),
    ("action_required", "base_identity_missing", lambda f: f.set("verify_code = 'base_identity_missing', verify_text = 'x'")),
    ("action_required", "permission_missing", lambda f: f.rows.permission("iam:GetSAMLProvider", "denied")),
    ("degraded", "sync_canceled", lambda f: f.set("last_sync_state = 'canceled'")),
    ("degraded", "permission_optional_missing",
     lambda f: f.rows.coverage("regions", "skipped_by_config", action="ec2:DescribeRegions", deny_cause="implicit")),
    ("degraded", "list_incomplete", lambda f: (f.set("last_sync_state = 'partial'"), f.sync("partial", "list_incomplete", "so what"))),
    ("pending", "aws_unreachable", lambda f: f.set("verify_state = 'pending', verify_code = 'aws_unreachable', verify_text = 'x'")),
    ("pending", "never_synced", lambda f: f.set("last_complete_at = NULL")),
    ("synced", "synced", lambda f: f.set("verify_state = 'verified', last_sync_state = 'complete', last_complete_at = now()")),
]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_first_that_holds_wins(facts, place):
    for _, _, hold in reversed(ORDER[place:]):
        hold(facts)
    if place == 3:  # a missing identity of ours says nothing about a verdict that stands
        facts.set("verify_state = 'verified'")
    status = facts.status()
    assert (status["state"], status["code"]) == ORDER[place][:2]
    assert status["text"] and status["since"]
    assert bool(status["remedy"]) == (status["state"] in ("paused", "action_required", "degraded"))
    listed = facts.org.all("/v1/connections")
    assert [one["status"] for one in listed] == [status]


def test_it_says_since_when(facts):
    first = facts.status()
    assert facts.status() == first
    facts.set("verify_code = 'aws_unreachable', verify_text = 'one'")
    second = facts.status()
    assert second["since"] > first["since"]
    facts.set("verify_text = 'two'")
    third = facts.status()
    assert (third["since"], third["text"]) == (second["since"], "two")


def test_a_sync_that_starts_and_ends_is_seen_without_anybody_asking(org, made):
    sync = org.sync(made["id"])
    assert org.connection(made["id"])["status"]["state"] == "running"
    expect(org.post(f"/v1/syncs/{sync['id']}/cancel"), 202)
    assert org.connection(made["id"])["status"]["code"] == "sync_canceled"


@pytest.mark.parametrize("cause, says", [("implicit", '"Action":["iam:ListUsers"]'), ("", '"Action":["iam:ListUsers"]'),
                                         ("explicit", "explicit Deny of iam:ListUsers"), ("scp", "service control policies"),
                                         ("boundary", "permissions boundary"), ("session", "operator of connectord")])
def test_the_remedy_is_that_of_the_cause(facts, cause, says):
    facts.set("verify_state = 'verified', last_sync_state = 'partial', last_complete_at = now()")
    facts.rows.coverage("users", "denied", action="iam:ListUsers", deny_cause=cause)
    status = facts.status()
    assert (status["state"], status["code"]) == ("action_required", "permission_missing")
    assert "iam:ListUsers" in status["text"] and "iam/users" in status["text"] and "tier 1" in status["text"]
    assert says in status["remedy"]


def test_the_newer_of_a_check_and_a_sync_is_believed(facts):
    facts.set("verify_state = 'verified', last_sync_state = 'partial', last_complete_at = now()")
    facts.rows.coverage("users", "denied", action="iam:ListUsers")
    facts.rows.permission("iam:ListUsers", "granted", at="now() - interval '1 hour'")
    assert facts.status()["code"] == "permission_missing"
    facts.database.rows("UPDATE connection_permission SET checked_at = now() + interval '1 hour' WHERE connection_id = %s",
                        bare(facts.connection))
    assert facts.status()["code"] == "sync_due"


def test_who_is_not_let_in_misses_no_permission(facts):
    facts.set("verify_state = 'verified', last_sync_state = 'failed'")
    facts.sync("failed", "credentials_refused", "AWS did not let us in")
    facts.rows.coverage("users", "denied", action="sts:AssumeRole")
    assert facts.status()["code"] == "credentials_refused"


def test_coverage_names_the_capability_and_the_patch(facts):
    facts.rows.coverage("users", "denied", action="iam:ListUsers", deny_cause="implicit")
    facts.rows.coverage("roles", "denied", action="iam:ListRoles", deny_cause="scp")
    facts.rows.coverage("groups", "ok")
    found = {one["part"]: one for one in facts.org.coverage(facts.connection["id"])}
    assert found["users"]["capability"] == "iam_identities" and found["users"]["lost"]
    assert found["users"]["patch"]["Statement"] == [{"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": "*"}]
    assert (found["roles"]["capability"], found["roles"]["patch"]) == ("iam_identities", None)
    assert (found["groups"]["capability"], found["groups"]["lost"], found["groups"]["patch"]) == (None, None, None)


def test_a_change_is_told_to_who_wants_to_know(org, facts, database):
    expect(org.post("/v1/webhooks", {"url": "https://example.com/hook", "events": ["connection.status_changed"]}), 201)
    told = "SELECT data->>'state', data->>'code', data->>'previous_code' FROM event WHERE org_id = %s ORDER BY event_id"
    facts.status()
    assert database.rows(told, org.org_id) == []
    facts.set("verify_state = 'refused', verify_code = 'account_mismatch', verify_text = 'x'")
    facts.status()
    facts.status()
    assert database.rows(told, org.org_id) == [("action_required", "account_mismatch", "not_verified")]
