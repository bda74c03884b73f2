"""Schedules through the API: every or cron in a zone, what is shown of the next runs, what is refused, and what resets backing off."""
import concurrent.futures
import datetime
import zoneinfo

import pytest

from api import Organization, expect

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def made(org):
    return org.connect("123456789012")


def hex_id(connection):
    return connection["id"].removeprefix("conn_")


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def path(connection, kind=""):
    return f"/v1/connections/{connection['id']}" + (f"/schedules/{kind}" if kind else "")


def patch(org, connection, schedule):
    return org.patch(path(connection), {"schedule": schedule}, etag="*")


def change(org, connection, kind, body):
    return org.patch(path(connection, kind), body)


def schedules(org, connection):
    return {s["kind"]: s for s in expect(org.get(path(connection) + "/schedules"), 200)["data"]}


def next_local(now, zone, hour, minute):
    """The next time at which the zone's clocks show it (not within a change of the clock)."""
    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    found = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found > local else (found + datetime.timedelta(days=1)).replace(hour=hour, minute=minute)


def now_of(database):
    return database.value("SELECT now()")


def test_a_new_connection_says_when(org, made):
    assert {k: v for k, v in made["schedule"].items() if k != "next_at"} == {
        "every": "PT6H", "cron": None, "time_zone": None, "jitter": None, "overlap": "skip", "catch_up_window": "P365D",
        "missed": 0, "failures": 0, "backoff_until": None}
    both = schedules(org, made)
    assert sorted(both) == ["sync", "verify"]
    assert both["sync"]["next_at"] == made["schedule"]["next_at"] and both["sync"]["next_runs"][0] == both["sync"]["next_at"]


def test_cron_is_read_in_its_zone(org, database):
    made = org.connect("123456789012", schedule={"cron": "30 12 * * *", "time_zone": "Asia/Kathmandu", "overlap": "buffer_one",
                                                 "catch_up_window": "PT2H"})
    shown = made["schedule"]
    assert (shown["every"], shown["cron"], shown["time_zone"], shown["jitter"]) == (None, "30 12 * * *", "Asia/Kathmandu", "PT0S")
    assert (shown["overlap"], shown["catch_up_window"]) == ("buffer_one", "PT2H")
    assert at(shown["next_at"]) == next_local(now_of(database), "Asia/Kathmandu", 12, 30)
    runs = [at(r) for r in schedules(org, made)["sync"]["next_runs"]]
    assert len(runs) == 5 and {b - a for a, b in zip(runs, runs[1:])} == {24 * HOUR}


def test_five_runs_around_a_change_of_the_clock_keep_the_local_time(org, database, made):
    """next_at is moved to the eve of the change; what is shown after it is the zone's business."""
    expect(patch(org, made, {"cron": "30 2 * * *", "time_zone": "Europe/Berlin"}), 200)
    database.rows("UPDATE schedule SET next_at = '2027-03-27 01:30Z' WHERE connection_id = %s AND kind = 'sync'", hex_id(made))
    assert [r[:16] for r in schedules(org, made)["sync"]["next_runs"]] == [
        "2027-03-27T01:30", "2027-03-28T01:30", "2027-03-29T00:30", "2027-03-30T00:30", "2027-03-31T00:30"]


def test_every_run_of_an_interval_is_one_interval_later(org, made):
    expect(patch(org, made, {"every": "PT90M"}), 200)
    runs = [at(r) for r in schedules(org, made)["sync"]["next_runs"]]
    assert len(runs) == 5 and {b - a for a, b in zip(runs, runs[1:])} == {1.5 * HOUR}


def test_every_clears_cron_and_cron_clears_every(org, made):
    shown = expect(patch(org, made, {"cron": "@daily", "time_zone": "America/New_York", "jitter": "PT1H"}), 200)["schedule"]
    assert (shown["every"], shown["cron"], shown["time_zone"], shown["jitter"]) == (None, "@daily", "America/New_York", "PT1H")
    shown = expect(patch(org, made, {"cron": "@hourly"}), 200)["schedule"]
    assert (shown["cron"], shown["time_zone"], shown["jitter"]) == ("@hourly", "America/New_York", "PT1H")
    shown = expect(patch(org, made, {"every": "PT2H"}), 200)["schedule"]
    assert (shown["every"], shown["cron"], shown["time_zone"], shown["jitter"]) == ("PT2H", None, None, None)
    shown = expect(patch(org, made, {"cron": "@daily"}), 200)["schedule"]
    assert (shown["cron"], shown["time_zone"], shown["jitter"]) == ("@daily", "UTC", "PT0S")
    assert expect(patch(org, made, {"every": None}), 200)["schedule"]["cron"] == "@daily"
    assert expect(patch(org, made, {"cron": None}), 200)["schedule"]["every"] == "PT6H"
    expect(patch(org, made, {"cron": "@daily", "overlap": "buffer_one"}), 200)
    shown = expect(patch(org, made, None), 200)["schedule"]
    assert (shown["every"], shown["cron"], shown["overlap"]) == ("PT6H", None, "skip")


def test_jitter_is_the_same_part_of_it_for_ever_and_another_of_each_connection(org, database):
    made = [org.connect("123456789012", schedule={"cron": "0 4 * * *", "jitter": "PT2H"}) for _ in range(6)]
    late = [at(m["schedule"]["next_at"]) - next_local(now_of(database), "UTC", 4, 0) for m in made]
    late = [x if x >= datetime.timedelta() else x + 24 * HOUR for x in late]
    assert all(x < 2 * HOUR for x in late) and len(set(late)) > 3
    runs = [at(r) for r in schedules(org, made[0])["sync"]["next_runs"]]
    assert {b - a for a, b in zip(runs, runs[1:])} == {24 * HOUR}


BAD_CRON = ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
            "5/15 * * * *", "? * * * *", "* * L * *", "* * 15W * *", "* * * * 5#2", "0 0 30 2 *", "@reboot", "@every 5m", "* * * * *" + " " * 120,
            "\uff10 * * * *", "* * * * MONDAY", 5, ["* * * * *"], True]


@pytest.mark.parametrize("cron", BAD_CRON, ids=lambda c: repr(c)[:30])
def test_what_is_no_cron_is_refused_at_its_place(org, made, cron):
    answer = patch(org, made, {"cron": cron})
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [e["pointer"] for e in errors] == ["/schedule/cron"] and errors[0]["detail"]
    answer = change(org, made, "verify", {"cron": cron})
    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, ["/cron"])


BAD_ZONES = ["../../etc/passwd", "Europe/../UTC", "A" * 300, "/usr/share/zoneinfo/UTC", "Europe/Berlin/", "europe/berlin", "localtime", "posixrules",
             "right/UTC", "posix/UTC", "Europe", "Mars/Olympus", "UTC ", "", "CET-1CEST", ":UTC", "Europe/Berlin\n", 3]


@pytest.mark.parametrize("zone", BAD_ZONES, ids=lambda z: repr(z)[:30])
def test_hostile_time_zones_are_refused(org, made, zone):
    answer = patch(org, made, {"cron": "@daily", "time_zone": zone})
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/schedule/time_zone"]
    assert "etc/passwd" not in answer.text and "zoneinfo" not in answer.text


@pytest.mark.parametrize("body, pointer, code", [
    ({"every": "PT1H", "cron": "@daily"}, "/schedule/cron", "only_one"),
    ({"time_zone": "Europe/Berlin"}, "/schedule/time_zone", "only_with_cron"),
    ({"every": "PT1H", "jitter": "PT1M"}, "/schedule/jitter", "only_with_cron"),
    ({"overlap": "all"}, "/schedule/overlap", "unknown_choice"),
    ({"catch_up_window": "PT30S"}, "/schedule/catch_up_window", "out_of_range"),
    ({"cron": "@daily", "jitter": "P2D"}, "/schedule/jitter", "out_of_range")])
def test_fields_that_do_not_go_together_are_named(org, made, body, pointer, code):
    answer = patch(org, made, body)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert org.connection(made["id"]) == made


def test_the_same_rules_hold_when_it_is_created(org):
    body = {"name": "x", "authoritative_status": "none", "aws_account_id": "123456789012", "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/R"}}
    answer = org.post("/v1/connections", {**body, "schedule": {"cron": "@daily", "time_zone": "../UTC", "every": "PT1H"}})
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json()["errors"]} == {"/schedule/cron", "/schedule/time_zone"}
    answer = org.post("/v1/connections", {**body, "schedule": {"cron": "0 0 31 2 *"}})
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/schedule/cron"]


def test_verification_has_a_schedule_of_its_own(org, database, made):
    shown = expect(change(org, made, "verify", {"cron": "15 3 * * SUN", "time_zone": "Europe/Berlin"}), 200)
    assert (shown["kind"], shown["cron"], shown["every"]) == ("verify", "15 3 * * SUN", None)
    assert schedules(org, made)["verify"] == shown
    now = org.connection(made["id"])
    assert now["schedule"] == made["schedule"] and now["version"] == made["version"] + 1
    assert database.value("SELECT detail FROM audit WHERE org_id = %s AND action = 'schedule.changed'", org.org_id) == {
        "kind": "verify", "schedule": {"cron": "15 3 * * SUN", "time_zone": "Europe/Berlin"}}
    answer = change(org, made, "verify", {"overlap": "buffer_one"})
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/overlap", "only_of_syncs")]
    # What happens to the schedule of syncs leaves it alone.
    expect(patch(org, made, {"every": "PT3H"}), 200)
    expect(org.patch(path(made), {"paused": True}, etag="*"), 200)
    expect(org.patch(path(made), {"paused": False}, etag="*"), 200)
    assert schedules(org, made)["verify"] == shown
    back = expect(change(org, made, "verify", {"cron": None}), 200)
    assert back["cron"] is None and back["every"] is not None


def test_a_schedule_is_changed_at_the_version_that_was_read(org, made):
    read = org.get(path(made) + "/schedules").headers["ETag"]
    assert read == org.get(path(made)).headers["ETag"], "it is the connection's"
    changed = org.patch(path(made, "verify"), {"every": "PT2H"}, read)
    assert changed.status_code == 200 and changed.headers["ETag"] == org.get(path(made)).headers["ETag"] != read
    for kind, etag in (("verify", read), ("sync", read), ("sync", '"x"'), ("sync", changed.headers["ETag"].strip('"'))):
        stale = org.patch(path(made, kind), {"every": "PT3H"}, etag)
        assert (stale.status_code, stale.json()["code"]) == (412, "version_changed")
    for connection in (path(made), "/v1/connections/conn_" + "0" * 32):
        missing = org.patch(connection + "/schedules/verify", {"every": "PT3H"}, None)
        assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert {kind: s["every"] for kind, s in schedules(org, made).items()} == {"sync": "PT6H", "verify": "PT2H"}
    # A change of the connection is one of what was read, and the tag of either serves for the other.
    renamed = org.patch(path(made), {"name": "other"}, changed.headers["ETag"])
    assert org.patch(path(made, "verify"), {"every": "PT3H"}, changed.headers["ETag"]).status_code == 412
    assert expect(org.patch(path(made, "verify"), {"every": "PT3H"}, renamed.headers["ETag"]), 200)["every"] == "PT3H"


def test_of_many_who_read_the_same_schedule_one_changes_it(org, made):
    etag = org.get(path(made) + "/schedules").headers["ETag"]
    clients = [Organization(org.url, org.org_id, org.key) for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: clients[n].patch(path(made, "sync"), {"every": f"PT{n + 7}H"}, etag), range(6)))
    assert sorted(a.status_code for a in answers) == [200] + [412] * 5
    [won] = [a.json() for a in answers if a.status_code == 200]
    assert schedules(org, made)["sync"]["every"] == won["every"] and org.connection(made["id"])["version"] == made["version"] + 1


def test_the_schedule_of_syncs_is_the_connections(org, made):
    shown = expect(change(org, made, "sync", {"cron": "@weekly"}), 200)
    assert org.connection(made["id"])["schedule"]["cron"] == shown["cron"] == "@weekly"
    assert change(org, made, "sync", {"cron": "@weekly", "nonsense": 1}).status_code == 400


def test_a_paused_connection_shows_no_next_run_and_keeps_its_schedule(org, made):
    expect(patch(org, made, {"cron": "@daily"}), 200)
    paused = expect(org.patch(path(made), {"paused": True}, etag="*"), 200)
    assert paused["schedule"]["next_at"] is None and paused["schedule"]["cron"] == "@daily"
    assert [(s["next_at"], s["next_runs"]) for s in schedules(org, made).values()] == [(None, []), (None, [])]
    # A change of the schedule does not wake it up.
    assert expect(change(org, made, "sync", {"every": "PT1H"}), 200)["next_at"] is None
    assert expect(patch(org, made, {"every": "PT2H"}), 200)["paused"] is True
    awake = expect(org.patch(path(made), {"paused": False}, etag="*"), 200)
    assert awake["schedule"]["next_at"] is not None


def test_a_pause_that_outlasts_ticks_owes_none(org, database, made):
    expect(patch(org, made, {"cron": "0 * * * *"}), 200)
    expect(org.patch(path(made), {"paused": True}, etag="*"), 200)
    database.rows("UPDATE schedule SET next_at = now() - interval '3 h' WHERE connection_id = %s", hex_id(made))
    awake = expect(org.patch(path(made), {"paused": False}, etag="*"), 200)
    left = at(awake["schedule"]["next_at"]) - now_of(database)
    assert datetime.timedelta() < left <= HOUR and awake["schedule"]["missed"] == 0


def backed_off(database, connection):
    database.rows("""UPDATE schedule SET failures = 3, backoff_until = now() + interval '20 h', next_at = now() + interval '1 h'
        WHERE connection_id = %s AND kind = 'sync'""", hex_id(connection))


def test_backing_off_is_shown(org, database, made):
    backed_off(database, made)
    shown = org.connection(made["id"])["schedule"]
    assert shown["failures"] == 3 and shown["next_at"] == shown["backoff_until"]
    runs = schedules(org, made)["sync"]["next_runs"]
    assert runs[0] == shown["backoff_until"] and at(runs[1]) > at(runs[0])
    database.rows("UPDATE schedule SET backoff_until = now() - interval '1 s' WHERE connection_id = %s", hex_id(made))
    assert org.connection(made["id"])["schedule"]["backoff_until"] is None


@pytest.mark.parametrize("what", ["schedule", "auth", "sync by hand", "its own route"])
def test_a_person_who_acts_ends_the_backing_off(org, database, made, what):
    backed_off(database, made)
    expect(org.patch(path(made), {"name": "only the name"}, etag="*"), 200)
    assert org.connection(made["id"])["schedule"]["failures"] == 3
    if what == "schedule":
        expect(patch(org, made, {"overlap": "buffer_one"}), 200)
    elif what == "auth":
        auth = {"method": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/Another"}
        expect(org.patch(path(made), {"auth": auth}, etag="*"), 200)
    elif what == "sync by hand":
        org.sync(made["id"])
    else:
        expect(change(org, made, "sync", {"catch_up_window": "PT1H"}), 200)
    shown = org.connection(made["id"])["schedule"]
    assert (shown["failures"], shown["backoff_until"]) == (0, None)


def test_schedules_of_others_and_of_nothing_are_not_there(org, server, made):
    other = server.organization("other")
    for answer in (other.get(path(made) + "/schedules"), other.patch(path(made, "sync"), {"every": "PT1H"}),
                   org.patch(path(made, "nonsense"), {"every": "PT1H"}), org.get("/v1/connections/conn_" + "0" * 32 + "/schedules")):
        assert answer.status_code == 404


def test_a_zone_that_went_away_is_shown_without_runs(org, database, made):
    database.rows("""UPDATE schedule SET every_s = NULL, cron = '@daily', time_zone = 'Europe/Atlantis' WHERE connection_id = %s
        AND kind = 'sync'""", hex_id(made))
    shown = schedules(org, made)["sync"]
    assert (shown["time_zone"], shown["next_runs"]) == ("Europe/Atlantis", [])
