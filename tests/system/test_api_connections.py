"""Connections after their creation: merge patch, versions, status, deletion."""
import concurrent.futures

import pytest
from api import Organization, expect
from waiting import wait_until

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectorRole"
KEY = {"method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}


@pytest.fixture
def made(org):
    return org.connect(ACCOUNT, cloudtrail={"bucket": "trail-logs", "days": 30, "digest_prefix": "Logs/x"})


def path(connection):
    return "/v1/connections/" + connection["id"]


def hex_id(connection):
    return connection["id"].removeprefix("conn_")


def test_null_goes_back_to_the_default(org, made):
    changed = expect(org.patch(path(made), {"cloudtrail": {"bucket": None, "days": None}}), 200)
    assert changed["cloudtrail"] == {"bucket": None, "days": 90, "digest_prefix": "Logs/x"}
    changed = expect(org.patch(path(made), {"cloudtrail": None, "schedule": None, "paused": None}), 200)
    assert changed["cloudtrail"] == {"bucket": None, "days": 90, "digest_prefix": "AWSLogs"}
    assert changed["schedule"]["every"] == "PT6H"


@pytest.mark.parametrize("field, value", [("id", "conn_" + "0" * 32), ("external_id", "00000000-0000-0000-0000-000000000000"),
                                          ("aws_account_id", "210987654321"), ("aws_organization_id", "o-abcdefghij")])
def test_what_never_changes_is_named(org, made, field, value):
    answer = org.patch(path(made), {field: value})
    assert answer.status_code == 422
    assert {"pointer": "/" + field, "code": "immutable"}.items() <= answer.json()["errors"][0].items()
    assert org.connection(made["id"])["version"] == 1


@pytest.mark.parametrize("body", [{"name": None}, {"region": None}, {"auth": None}, {"auth": {"role_arn": ROLE}},
                                  {"auth": {"method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE"}},
                                  {"auth": {"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"}},
                                  {"region": "cn-north-1"}, {"authoritative_status": None}, {"auth": {"method": "assume_role", "role_arn": None}},
                                  {"auth": {"method": None, "role_arn": ROLE}}, {"auth": {**KEY, "secret_access_key": None}},
                                  {"auth": {**KEY, "access_key_id": None}}, {"auth": {}}])
def test_a_patch_is_judged_like_a_creation(org, made, body):
    assert org.patch(path(made), body).status_code == 422
    assert org.connection(made["id"]) == made


def test_a_new_key_never_gets_the_old_secret(org, database):
    made = org.connect(ACCOUNT, access_key=(KEY["access_key_id"], KEY["secret_access_key"]))
    answer = org.patch(path(made), {"auth": {**KEY, "access_key_id": "AKIAIOSFODNN7ANOTHER", "secret_access_key": None}})
    assert answer.status_code == 422
    assert {"pointer": "/auth/secret_access_key", "code": "null_value"}.items() <= answer.json()["errors"][0].items()
    assert database.value("SELECT access_key_id FROM connection WHERE connection_id = %s", hex_id(made)) == KEY["access_key_id"]


def test_a_pinned_organization_keeps_its_account(org, database):
    made = expect(org.post("/v1/connections", {"name": "o", "authoritative_status": "none", "aws_organization_id": "o-abcdefghij",
                                               "region": "us-east-1", "auth": {"method": "assume_role", "role_arn": ROLE}}), 201)
    elsewhere = {"auth": {"method": "assume_role", "role_arn": "arn:aws:iam::999999999999:role/R"}}
    expect(org.patch(path(made), elsewhere), 200)  # nothing was reached yet: a slip of the pen can be put right
    database.rows("UPDATE connection SET pinned_account_id = %s, pinned_partition = 'aws' WHERE connection_id = %s", ACCOUNT, hex_id(made))
    answer = org.patch(path(made), elsewhere)
    assert answer.status_code == 422
    assert {"pointer": "/auth/role_arn", "code": "account_mismatch"}.items() <= answer.json()["errors"][0].items()
    expect(org.patch(path(made), {"auth": {"method": "assume_role", "role_arn": ROLE + "2"}}), 200)
    answer = org.patch(path(made), {"region": "cn-north-1", "auth": {"method": "assume_role", "role_arn": ROLE.replace("aws", "aws-cn", 1)}})
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/region"]


@pytest.mark.parametrize("body", [{"status": {}}, {"version": 7}, {"verify_state": "verified"}, {"external_id_enforced": True}])
def test_what_is_read_only_is_unknown_to_a_patch(org, made, body):
    assert org.patch(path(made), body).status_code == 400


def test_if_match_guards_a_change(org, made):
    assert org.patch(path(made), {"name": "a"}, etag='"7"').status_code == 412
    assert org.patch(path(made), {"name": "b"}, etag='"1"').headers["ETag"] == '"2"'
    stale = org.patch(path(made), {"name": "c"}, etag='"1"')
    assert (stale.status_code, stale.json()["code"]) == (412, "version_changed")
    assert org.delete(path(made), etag='"1"').status_code == 412
    assert org.connection(made["id"])["name"] == "b"
    assert org.patch(path(made), {"name": "d"}, etag="*").status_code == 200
    assert org.delete(path(made), etag='"3"').status_code == 202


def test_a_change_without_if_match_is_not_made(org, made):
    for answer in (org.patch(path(made), {"name": "x"}, etag=None), org.delete(path(made), etag=None),
                   org.patch("/v1/connections/conn_" + "0" * 32, {"name": "x"}, etag=None)):
        assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
        assert "ETag" in answer.json()["detail"]
    assert org.connection(made["id"]) == made


@pytest.mark.parametrize("etag", ["1", "131", '"1', '1"', '"01"', 'W/"1"', '"+1"', '""', '"x"', '"0"', '"1" ,"2"', '"99999999999999999999"'])
def test_what_is_not_exactly_the_version_matches_nothing(org, made, etag):
    for answer in (org.patch(path(made), {"name": "x"}, etag=etag), org.delete(path(made), etag=etag)):
        assert (answer.status_code, answer.json()["code"]) == (412, "version_changed")
    assert org.connection(made["id"]) == made


def test_concurrent_patches_of_different_fields_all_arrive(server, org, made):
    bodies = [{"name": "n"}, {"paused": True}, {"schedule": {"every": "PT2H"}}, {"authoritative_status": "none"}]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda b: org.patch(path(made), b).status_code, bodies))
    assert set(answers) <= {200, 409}
    now = org.connection(made["id"])
    assert now["version"] == 1 + answers.count(200)
    for body, status in zip(bodies, answers):
        for name, value in body.items():
            if status == 200:
                assert (now[name]["every"] if name == "schedule" else now[name]) == (value["every"] if name == "schedule" else value)


def test_new_credentials_are_verified_again_and_old_secrets_are_gone(org, made, database):
    database.rows("DELETE FROM task WHERE org_id = %s", org.org_id)
    database.rows("UPDATE connection SET verify_state = 'verified', verified_at = now(), external_id_enforced = true WHERE connection_id = %s",
                  hex_id(made))
    expect(org.patch(path(made), {"name": "only a name"}), 200)
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == []
    changed = expect(org.patch(path(made), {"auth": KEY}), 200)
    assert changed["auth"] == {"method": "access_key", "access_key_id": KEY["access_key_id"]}
    assert (changed["verification"]["state"], changed["verified_at"], changed["external_id_enforced"]) == ("pending", None, None)
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == [("verify",)]
    assert database.value("SELECT octet_length(sealed_secret_access_key) > 100 FROM connection WHERE connection_id = %s", hex_id(made))
    expect(org.patch(path(made), {"auth": {"method": "assume_role", "role_arn": ROLE}}), 200)
    assert database.value("SELECT sealed_secret_access_key FROM connection WHERE connection_id = %s", hex_id(made)) is None


def test_one_check_waits_however_often_credentials_change(org, made, database):
    hour = "UPDATE task SET run_at = now() + interval '1 hour' WHERE org_id = %s"
    for i in range(6):
        database.rows(hour, org.org_id)
        expect(org.patch(path(made), {"auth": {"method": "assume_role", "role_arn": ROLE + str(i)}}), 200)
    assert database.rows("SELECT kind, run_at <= now() FROM task WHERE org_id = %s", org.org_id) == [("verify", True)]
    # One that runs is about what was there before.
    database.rows("UPDATE task SET state = 'leased', lease = 1, leased_until = now() + interval '1 hour' WHERE org_id = %s", org.org_id)
    for i in range(3):
        expect(org.patch(path(made), {"auth": {"method": "assume_role", "role_arn": ROLE + str(i)}}), 200)
    assert sorted(database.rows("SELECT kind, state FROM task WHERE org_id = %s", org.org_id)) == [("verify", "leased"), ("verify", "ready")]


def test_a_paused_connection_has_paused_schedules(org, made, database):
    expect(org.patch(path(made), {"paused": True}), 200)
    assert database.rows("SELECT DISTINCT paused FROM schedule WHERE connection_id = %s", hex_id(made)) == [(True,)]
    expect(org.patch(path(made), {"paused": False}), 200)
    assert database.rows("SELECT DISTINCT paused FROM schedule WHERE connection_id = %s", hex_id(made)) == [(False,)]


def test_deletion_ends_work_erases_the_secret_and_leaves_a_purge(org, database):
    made = org.connect(ACCOUNT, access_key=(KEY["access_key_id"], KEY["secret_access_key"]))
    sync = org.sync(made["id"])
    assert org.delete(path(made)).status_code == 202
    row = database.rows("SELECT sealed_secret_access_key, deleted_at IS NOT NULL FROM connection WHERE connection_id = %s", hex_id(made))
    assert row == [(None, True)]
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == [("purge",)]
    assert database.value("SELECT count(*) FROM schedule WHERE org_id = %s", org.org_id) == 0
    assert database.value("SELECT state FROM sync WHERE sync_id = %s", sync["id"].removeprefix("sync_")) == "canceled"
    assert org.delete(path(made)).status_code == 204
    for answer in (org.get(path(made)), org.patch(path(made), {"name": "x"}), org.post(path(made) + "/syncs"), org.get(path(made) + "/syncs"),
                   org.get(path(made) + "/coverage")):
        assert answer.status_code == 404
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.deleted'", org.org_id) == 1


class Held:
    """Another session that has changed the connection and not committed yet."""

    def __init__(self, database, change):
        self.database, self.connection = database, database.connect()
        self.connection.autocommit = False
        self.connection.cursor().execute(change)

    def wait_for(self, n):
        wait_until(lambda: self.database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                               " AND wait_event_type = 'Lock'") == n, f"{n} sessions wait for the row")

    def let_go(self):
        self.connection.commit()
        self.connection.close()


def test_of_two_deletions_at_once_one_is_the_first(org, made, database):
    held = Held(database, f"SELECT FROM connection WHERE connection_id = '{hex_id(made)}' FOR UPDATE")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(lambda: Organization(org.url, org.org_id, org.key).delete(path(made))) for _ in range(2)]
        held.wait_for(2)
        held.let_go()
        assert sorted(a.result().status_code for a in answers) == [202, 204]
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == [("purge",)]
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.deleted'", org.org_id) == 1


@pytest.mark.parametrize("etag, status", [('"1"', 412), ('"2"', 412), ("*", 202)])
def test_a_deletion_names_the_version_that_it_deletes(org, made, database, etag, status):
    """A change commits between the look and the mark; "2" is what it becomes, and was not there to be seen."""
    held = Held(database, f"UPDATE connection SET version = version + 1 WHERE connection_id = '{hex_id(made)}'")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(org.delete, path(made), etag)
        if etag != '"2"':
            held.wait_for(1)
        else:
            assert answer.result().status_code == 412
        held.let_go()
        assert answer.result().status_code == status
    assert org.get(path(made)).status_code == (404 if status == 202 else 200)


def test_a_sync_is_started_once_watched_and_cancelled(org, made):
    answer = org.post(path(made) + "/syncs", {})
    sync = expect(answer, 202)
    assert answer.headers["Location"] == f"/v1/syncs/{sync['id']}"
    assert (sync["state"], sync["cause"], sync["connection_id"]) == ("queued", "request", made["id"])
    again = org.post(path(made) + "/syncs")
    assert (again.status_code, again.json()["code"], again.headers["Location"]) == (409, "sync_active", f"/v1/syncs/{sync['id']}")
    assert org.connection(made["id"])["last_sync"]["id"] == sync["id"]
    assert [s["id"] for s in org.all("/v1/syncs", connection_id=made["id"], state="queued")] == [sync["id"]]
    assert org.all("/v1/syncs", state="complete") == []
    assert org.post(f"/v1/syncs/{sync['id']}/cancel").status_code == 202
    assert expect(org.get(f"/v1/syncs/{sync['id']}"), 200)["state"] == "canceled"
    assert org.post(f"/v1/syncs/{sync['id']}/cancel").status_code == 409
    assert org.post(path(made) + "/syncs", {"full": True}).status_code == 400


def test_of_many_who_want_the_last_places_just_so_many_get_one(org, made, database):
    """The number is exact whoever creates and deletes at the same moment, and what is deleted gives its place back."""
    database.rows("INSERT INTO connection (org_id, connection_id, name, authoritative_status, aws_account_id, region, auth_method, role_arn)"
                  " SELECT org_id, gen_random_uuid(), name, 'none', aws_account_id, region, auth_method, role_arn FROM connection,"
                  " generate_series(1, 996) WHERE org_id = %s", org.org_id)
    body = {"name": "crowd", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": ROLE}}
    with concurrent.futures.ThreadPoolExecutor(12) as crowd:
        statuses = list(crowd.map(lambda _: org.post("/v1/connections", body).status_code, range(12)))
        assert sorted(statuses) == [201] * 3 + [409] * 9
        assert org.delete(path(made)).status_code == 202
        statuses = list(crowd.map(lambda _: org.post("/v1/connections", body).status_code, range(12)))
    assert sorted(statuses) == [201] + [409] * 11
    assert database.value("SELECT n FROM connection_count WHERE org_id = %s", org.org_id) == 1000
    assert database.value("SELECT count(*) FROM connection WHERE org_id = %s AND deleted_at IS NULL", org.org_id) == 1000
