"""What webhooks tell of syncs: how they ended, what they found changed and what they could not see any more."""
import uuid
from collections import Counter

import pytest
from api import expect
from receiver import Judge, Receiver
from waiting import wait_until

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly"


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(webhook_allow_http="true")


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates="iam=100000,sts=100000,ec2=100000", poll_ms=50, webhook_allow_http="true",
                        webhook_allow_private="127.0.0.0/8")


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.end()


class Story:
    """An organization with one connection, and everything its webhook heard."""

    def __init__(self, org, aws, receiver, events=()):
        self.org, self.aws, self.receiver, self.path = org, aws, receiver, f"/{uuid.uuid4().hex}"
        self.hook = expect(org.post("/v1/webhooks", {"url": receiver.url + self.path, "events": list(events)}), 201)
        aws.clear_faults()
        aws.set(external_id=org.org_id)
        self.connection = org.connect(ACCOUNT, role_arn=ROLE)["id"]
        self.first = org.wait_first_sync(self.connection)

    def heard(self, kind):
        return [got.json() for got in self.receiver.got(self.path) if got.json()["type"] == kind]

    def wait(self, kind, n=1):
        wait_until(lambda: len(self.heard(kind)) >= n, lambda: f"{n} of {kind}: {self.receiver.got(self.path)}", 60)
        return self.heard(kind)

    def changes(self, database):
        """Every change that is in the feed, as told: the merges of one sync are told one by one."""
        def told():
            counts = Counter()
            for change in (c for one in self.heard("entity.changed") for c in one["data"]["changes"]):
                counts[change["subject"], change["kind"], change["op"]] += change["count"]
            return counts
        feed = {(subject, kind, op): n for subject, kind, op, n in database.rows(
            "SELECT subject, kind, op, count(*) FROM change WHERE org_id = %s GROUP BY 1, 2, 3", self.org.org_id)}
        return wait_until(lambda: told() == feed and feed, lambda: f"{told()} is told of {feed}", 60)


def test_a_first_sync_is_told_with_what_it_found(org, aws, worker, receiver, database):
    story = Story(org, aws, receiver)
    told = story.wait("sync.finished")[0]["data"]
    assert (told["sync_id"], told["connection_id"], told["state"]) == (story.first["id"], story.connection, "complete")
    assert told["link"] == f"/v1/syncs/{story.first['id']}" and told["objects_added"] == story.first["progress"]["objects_added"] > 0
    assert expect(org.get(told["link"]), 200)["state"] == "complete"
    story.changes(database)
    changed = story.heard("entity.changed")
    assert {one["data"]["sync_id"] for one in changed} == {story.first["id"]}
    assert {one["data"]["scope"] for one in changed} == {"iam"} and all(one["data"]["link"] == "/v1/changes" for one in changed)
    assert story.changes(database)["entity", "aws.iam_user", "created"] >= len(aws.inventory(ACCOUNT)["users"])
    assert all(len(got.body) < 20_000 for got in receiver.got(story.path))
    assert story.heard("coverage.lost") == []


def test_a_sync_that_finds_nothing_new_tells_only_that_it_ended(org, aws, worker, receiver, database):
    story = Story(org, aws, receiver)
    story.changes(database)
    before = len(story.heard("entity.changed"))
    done = org.complete_sync(story.connection)
    assert story.wait("sync.finished", 2)[1]["data"]["sync_id"] == done["id"]
    org.complete_sync(story.connection)
    story.wait("sync.finished", 3)
    assert len(story.heard("entity.changed")) == before


def test_what_cannot_be_seen_any_more_is_named_once(org, aws, worker, receiver):
    story = Story(org, aws, receiver)
    aws.fault("access_denied", match={"operation": "ListVirtualMFADevices"})
    org.wait_sync(org.sync(story.connection)["id"])
    lost = story.wait("coverage.lost")
    assert len(lost) == 1
    data = lost[0]["data"]
    assert (data["account_id"], data["scope"], data["connection_id"]) == (ACCOUNT, "iam", story.connection)
    assert data["link"] == f"/v1/connections/{story.connection}/coverage"
    covered = {row["part"]: row for row in org.coverage(story.connection)}
    assert data["parts_lost"] == len(data["parts"]) > 0
    for part in data["parts"]:
        row = covered[part["part"]]
        assert (row["state"], row["action"], row["reason_code"]) == (part["state"], part["action"], part["reason_code"])
        assert part["state"] != "ok"
    assert "iam:ListVirtualMFADevices" in {part["action"] for part in data["parts"]}
    org.wait_sync(org.sync(story.connection)["id"])  # still not to be seen: that is no news
    story.wait("sync.finished", 3)
    assert len(story.heard("coverage.lost")) == 1
    aws.clear_faults()


def test_a_status_that_changes_is_told(org, aws, worker, receiver):
    story = Story(org, aws, receiver, ["connection.status_changed"])
    expect(org.patch(f"/v1/connections/{story.connection}", {"paused": True}), 200)
    wait_until(lambda: any("paused" in str(one["data"]) for one in story.heard("connection.status_changed")),
               lambda: story.receiver.got(story.path), 60)
    told = story.heard("connection.status_changed")
    assert {one["data"]["connection_id"] for one in told} == {story.connection}
    assert {got.json()["type"] for got in receiver.got(story.path)} == {"connection.status_changed"}


def test_only_what_is_wanted_is_stored_and_sent(org, aws, worker, receiver, database):
    story = Story(org, aws, receiver, ["sync.finished"])
    story.wait("sync.finished")
    assert {got.json()["type"] for got in receiver.got(story.path)} == {"sync.finished"}
    stored = {row[0] for row in database.rows("SELECT DISTINCT type FROM event WHERE org_id = %s", org.org_id)}
    assert stored == {"sync.finished"}


def test_without_a_webhook_nothing_is_stored(org, aws, worker, database):
    aws.set(external_id=org.org_id)
    org.wait_first_sync(org.connect(ACCOUNT, role_arn=ROLE)["id"])
    counts = "SELECT (SELECT count(*) FROM event WHERE org_id = %s), (SELECT count(*) FROM task WHERE org_id = %s AND kind = 'deliver')"
    assert database.rows(counts, org.org_id, org.org_id) == [(0, 0)]


def test_a_deleted_connection_leaves_no_event(org, aws, worker, receiver, database):
    story = Story(org, aws, receiver)
    story.wait("sync.finished")
    number = story.connection.removeprefix("conn_")
    expect(org.delete(f"/v1/connections/{story.connection}"), 202)
    wait_until(lambda: database.value("SELECT count(*) FROM connection WHERE connection_id = %s", number) == 0, "it is purged", 60)
    assert database.value("SELECT count(*) FROM event WHERE connection_id = %s", number) == 0
    assert database.value("SELECT count(*) FROM delivery d LEFT JOIN event e USING (org_id, event_id) WHERE d.org_id = %s"
                          " AND e.event_id IS NULL", org.org_id) == 0


def test_one_organizations_events_reach_nobody_else(org, other_org, aws, worker, receiver):
    theirs = f"/{uuid.uuid4().hex}"
    expect(other_org.post("/v1/webhooks", {"url": receiver.url + theirs}), 201)
    story = Story(org, aws, receiver)
    story.wait("sync.finished")
    judge = Judge()
    assert all(judge.accepts(story.hook["secret"], got) for got in receiver.got(story.path))
    judge.end()
    assert receiver.got(theirs) == []
