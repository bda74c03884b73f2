"""The change feed: every change exactly once, in an order that no late commit can break."""
import json
import random
import threading
import uuid

import pytest
from api import Organization, expect
from inventory_rows import Inventory, wait_shown
from waiting import wait_until

ACCOUNT = "123456789012"
INSERT = ("INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, before, after)"
          " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)")


class Feed:
    """A reader that polls, as a client does."""

    def __init__(self, org, **params):
        self.org, self.params, self.cursor, self.seen = org, params, None, []

    def ask(self):
        more = {"cursor": self.cursor} if self.cursor else {}
        sent = {k: v for k, v in self.params.items() if k != "start" or not self.cursor}
        page = expect(self.org.get("/v1/changes", **sent, **more), 200)
        assert page["next_cursor"], "there is always a place to go on from"
        self.cursor = page["next_cursor"]
        self.seen += page["data"]
        return page

    def drain(self):
        while self.ask()["has_more"]:
            pass
        return [change["id"] for change in self.seen]


class Writer:
    """A transaction of a worker that is still open."""

    def __init__(self, database, org, connection):
        self.org, self.connection = org.org_id, connection["id"].removeprefix("conn_")
        self.database, self.wire = database, database.connect()
        self.wire.autocommit = False

    def change(self, op="created", subject="entity", kind="aws.iam_user", before=None, after=None):
        made = uuid.uuid4().hex
        self.wire.cursor().execute(INSERT, (self.org, self.connection, str(uuid.uuid4()), subject, made, kind, op,
                                            json.dumps(before) if before else None, json.dumps(after) if after else None))
        return ("edge_" if subject == "edge" else "ent_") + made

    def commit(self):
        """And until the feed may show it."""
        self.wire.commit()
        wait_shown(self.database)

    def close(self):
        self.wire.close()


@pytest.fixture
def connection(org):
    return org.connect(ACCOUNT)


@pytest.fixture
def writer(database, org, connection):
    made = []

    def open_one():
        made.append(Writer(database, org, connection))
        return made[-1]
    yield open_one
    for one in made:
        one.close()


def test_what_is_committed_late_comes_late_and_is_not_skipped(org, writer):
    first, second = writer(), writer()
    early = first.change()
    late = second.change()
    second.wire.commit()
    feed = Feed(org)
    assert feed.drain() == [], "an older transaction still runs, and may have anything"
    first.commit()
    assert feed.drain() == [early, late]
    assert feed.drain() == [early, late], "and nothing comes twice"


def test_the_feed_goes_on_from_everywhere(org, writer):
    one = writer()
    made = [one.change() for _ in range(7)]
    one.commit()
    feed = Feed(org, limit=3)
    pages = [feed.ask() for _ in range(3)]
    assert [len(p["data"]) for p in pages] == [3, 3, 1]
    assert [p["has_more"] for p in pages] == [True, True, False]
    assert [c["id"] for p in pages for c in p["data"]] == made
    made.append(one.change())
    one.commit()
    assert feed.drain() == made


def test_a_tombstone_says_what_it_was(org, writer, connection):
    one = writer()
    gone = one.change(op="deleted", before={"name": "u", "attrs": {}})
    edge = one.change(op="deleted", subject="edge", kind="member_of", before={"attrs": {}})
    one.commit()
    feed = Feed(org)
    assert feed.drain() == [gone, edge]
    user, member = feed.seen
    assert (user["op"], user["subject"], user["kind"], user["before"], user["after"]) == (
        "deleted", "entity", "aws.iam_user", {"name": "u", "attrs": {}}, None)
    assert (member["subject"], member["kind"], member["connection_id"]) == ("edge", "member_of", connection["id"])


def test_the_ends_of_an_edge_can_be_followed(org, writer):
    one, (src, dst) = writer(), (str(uuid.uuid4()) for _ in range(2))
    state = {"src": src, "dst": dst, "qualifier": "", "attrs": {"src": src}}
    one.change(op="changed", subject="edge", kind="member_of", before=state, after=state)
    one.commit()
    feed = Feed(org)
    feed.drain()
    shown = {**state, "src": "ent_" + src.replace("-", ""), "dst": "ent_" + dst.replace("-", "")}
    assert [(change["before"], change["after"]) for change in feed.seen] == [(shown, shown)]


@pytest.mark.parametrize("params, wanted", [({"kind": "aws.iam_role"}, 1), ({"subject": "edge"}, 2), ({"subject": "entity"}, 3),
                                            ({"kind": "member_of", "subject": "entity"}, 0)])
def test_filters_drop_the_rest(org, writer, params, wanted):
    one = writer()
    for kind, subject in (("aws.iam_user", "entity"), ("aws.iam_role", "entity"), ("member_of", "edge"), ("aws.iam_user", "entity"),
                          ("trusts", "edge")):
        one.change(kind=kind, subject=subject)
    one.commit()
    feed = Feed(org, **params)
    assert len(feed.drain()) == wanted
    one.change(kind="aws.iam_role")
    one.commit()
    assert len(feed.drain()) == wanted + (params.get("kind") == "aws.iam_role" or params == {"subject": "entity"})


def test_a_filter_looks_at_a_bounded_part_at_a_time(org, writer, database, connection):
    """Thousands of others between two that are wanted: several answers, each of them quick, and nothing lost."""
    one = writer()
    first = one.change(kind="aws.iam_role")
    one.wire.cursor().execute(
        "INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op) SELECT %s, %s, %s, 'entity',"
        " gen_random_uuid(), 'aws.iam_user', 'created' FROM generate_series(1, 12000)",
        (org.org_id, one.connection, str(uuid.uuid4())))
    last = one.change(kind="aws.iam_role")
    one.commit()
    feed = Feed(org, kind="aws.iam_role")
    page = feed.ask()
    assert page["has_more"] and [c["id"] for c in page["data"]] == [first]
    assert feed.drain() == [first, last]
    assert feed.drain() == [first, last]


def test_by_connection(org, writer, database, connection):
    other = org.connect("210987654321")
    one = writer()
    mine = one.change()
    one.connection = other["id"].removeprefix("conn_")
    theirs = one.change()
    one.commit()
    assert Feed(org, connection_id=connection["id"]).drain() == [mine]
    assert Feed(org, connection_id=other["id"]).drain() == [theirs]


def test_from_now_on_is_from_now_on(org, writer):
    one = writer()
    one.change()
    one.commit()
    feed = Feed(org, start="now")
    assert feed.drain() == []
    made = one.change()
    one.commit()
    assert feed.drain() == [made]


def test_what_was_under_way_at_now_is_not_lost(org, writer):
    one = writer()
    made = one.change()
    feed = Feed(org, start="now")
    assert feed.drain() == []
    one.commit()
    assert feed.drain() == [made]


def test_a_cursor_is_bound_to_its_filter_and_to_nobody_else(org, other_org, writer):
    one = writer()
    one.change()
    one.commit()
    cursor = org.get("/v1/changes").json()["next_cursor"]
    assert org.get("/v1/changes", cursor=cursor, limit=2).status_code == 200
    assert org.get("/v1/changes", cursor=cursor, kind="aws.iam_role").status_code == 400
    assert other_org.get("/v1/changes", cursor=cursor).status_code == 400
    assert org.get("/v1/changes", cursor=cursor, start="now").status_code == 400
    assert org.get("/v1/changes", start="yesterday").status_code == 400
    assert Feed(other_org).drain() == []


def test_the_index_serves_it(org, database, writer, connection):
    one = writer()
    one.wire.cursor().execute(
        "INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op) SELECT %s, %s, %s, 'entity',"
        " gen_random_uuid(), 'aws.iam_user', 'created' FROM generate_series(1, 20000)", (org.org_id, one.connection, str(uuid.uuid4())))
    one.commit()
    database.rows("ANALYZE change")
    plan = "\n".join(row[0] for row in database.rows(
        "EXPLAIN SELECT at FROM change WHERE org_id = %s AND (xid, change_id) > ('5'::text::xid8, 7)"
        " AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, change_id LIMIT 50", org.org_id))
    assert "xid_change_id_idx" in plan and "ROW(" in plan and "Sort  " not in plan, plan


def test_writers_and_a_reader_at_random(server, database, org, connection):
    """Eight writers commit in any order they like while a reader polls with small pages: each change once, none missing, and
    of one writer in its order."""
    wanted, lock, failures = {}, threading.Lock(), []

    def write(number):
        rng = random.Random(number)
        one = Writer(database, org, connection)
        try:
            for _ in range(25):
                made = [one.change(kind=f"w{number}") for _ in range(rng.randint(1, 4))]
                if rng.random() < 0.2:
                    one.wire.rollback()
                    continue
                threading.Event().wait(rng.random() * 0.02)
                one.wire.commit()
                with lock:
                    wanted.setdefault(number, []).extend(made)
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)
        finally:
            one.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    feed = Feed(Organization(server.url, org.org_id, org.key), limit=5)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        feed.ask()
    for thread in threads:
        thread.join()
    assert not failures
    every = sorted(i for made in wanted.values() for i in made)
    wait_until(lambda: len(feed.drain()) >= len(every), lambda: f"{len(feed.seen)} of {len(every)} changes came")
    seen = feed.drain()
    assert sorted(seen) == every
    for made in wanted.values():
        mine = set(made)
        assert [i for i in seen if i in mine] == made


def test_the_history_of_an_entity_agrees_with_the_feed(org, database, connection):
    rows = Inventory(database, org.org_id, connection["id"])
    entity = rows.entity("aws.iam_user", "u", "u")
    rows.change(entity, "created", "2026-11-01T00:00:00Z", None, {"name": "u"})
    rows.change(entity, "changed", "2026-11-02T00:00:00Z", {"name": "u"}, {"name": "v"})
    history = org.all(f"/v1/entities/{entity}/history")
    feed = Feed(org)
    feed.drain()
    kept = [{k: v for k, v in change.items() if k not in ("id", "subject")} for change in feed.seen]
    assert kept == list(reversed(history))
