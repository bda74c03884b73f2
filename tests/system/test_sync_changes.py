"""What really changed, what was withdrawn, what only looks gone."""
import uuid

import pytest
from processes import free_port
from sync_fleet import Fleet
from sync_model import changed_rows, compare, coverage, snapshot, tombstones
from waiting import wait_until

ACCOUNT = "111122223333"
QUICK = {"aws_rates": "iam=100000,sts=100000", "aws_call_timeout_s": 20, "aws_scope_deadline_s": 40, "poll_ms": 50,
         "scheduler": "false"}
NEW = "900000000001"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, **QUICK)


@pytest.fixture
def account(aws, org):
    """An account of its own for each test: 60 users, with the connector's role."""
    number = str(900_000_000_000 + uuid.uuid4().int % 99_999_999_999)
    aws.set(external_id=org.org_id)
    role = aws.world["accounts"][ACCOUNT]["roles"]["ConnectordReadOnly"]
    aws.mutate({"op": "put_account", "account": number, "users": {f"user-{n:02}": {"groups": ["all"]} for n in range(60)},
                "groups": {"all": {}}, "roles": {"ConnectordReadOnly": role}})
    return number


@pytest.fixture
def connected(account, org, aws, worker):
    made = org.connect(account, role_arn=f"arn:aws:iam::{account}:role/ConnectordReadOnly")
    first = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 60)[0]
    done = org.wait_sync(first["id"])
    assert done["state"] == "complete", (done, worker.tail())
    return made["id"]


def live(database, org, kind):
    return database.value("SELECT count(*) FROM entity WHERE org_id = %s AND kind = %s AND deleted_at IS NULL AND NOT stub"
                          " AND key NOT LIKE '%%:root'", org.org_id, kind)


def test_one_deleted_user_is_tombstoned_and_restored_when_it_returns(org, account, connected, aws, database):
    aws.mutate({"op": "delete_user", "account": account, "name": "user-07"})
    done = org.complete_sync(connected)
    assert done["progress"]["objects_removed"] == 1
    assert live(database, org, "aws.iam_user") == 59
    arn = f"arn:aws:iam::{account}:user/user-07"
    assert database.rows("SELECT op, before->>'name', after FROM change WHERE org_id = %s AND op = 'deleted' AND subject = 'entity'",
                         org.org_id) == [("deleted", "user-07", None)]
    ident = database.value("SELECT entity_id FROM entity WHERE org_id = %s AND key = %s", org.org_id, arn)
    aws.mutate({"op": "put_user", "account": account, "name": "user-07", "groups": ["all"]})
    org.complete_sync(connected)
    assert database.value("SELECT entity_id FROM entity WHERE org_id = %s AND key = %s AND deleted_at IS NULL", org.org_id, arn) == ident
    assert compare(database, org.org_id, aws.inventory(account)) == []


def test_a_user_made_again_is_another_one(org, account, connected, aws, database):
    """Same name, new unique id: the old one's edges end with it."""
    aws.mutate({"op": "delete_user", "account": account, "name": "user-08"})
    aws.mutate({"op": "put_user", "account": account, "name": "user-08", "id": "AIDAMADEAGAIN00000000", "groups": ["all"]})
    org.complete_sync(connected)
    ops = database.rows("SELECT subject, kind, op FROM change WHERE org_id = %s AND op = 'recreated' ORDER BY subject, kind", org.org_id)
    assert ("entity", "aws.iam_user", "recreated") in ops and ("edge", "member_of", "recreated") in ops
    assert compare(database, org.org_id, aws.inventory(account)) == []


@pytest.mark.parametrize("fraction", [0.6, 1.0])
def test_mass_vanishing_waits_for_a_second_complete_sync(org, account, connected, aws, database, fraction):
    aws.mutate({"op": "delete_fraction", "account": account, "kind": "users", "fraction": fraction})
    left = 60 - round(60 * fraction)
    org.complete_sync(connected)
    assert live(database, org, "aws.iam_user") == 60 and tombstones(database, org.org_id) == 0
    held = database.rows("SELECT held, reason FROM coverage WHERE org_id = %s AND part = 'users'", org.org_id)[0]
    assert held[0] == 60 - left and "second complete" in held[1]
    org.complete_sync(connected)
    assert live(database, org, "aws.iam_user") == left
    assert database.value("SELECT held FROM coverage WHERE org_id = %s AND part = 'users'", org.org_id) == 0
    assert compare(database, org.org_id, aws.inventory(account)) == []


PARTS_OF = {
    "iam:ListPolicies": {"aws_policies", "policy_documents"}, "iam:ListRoles": {"role_details"}, "iam:ListUsers": {"user_details"},
    "iam:GenerateCredentialReport": {"credential_report"}, "iam:GetCredentialReport": {"credential_report"},
    "iam:ListAccessKeys": {"access_keys", "key_last_used"}, "iam:ListVirtualMFADevices": {"mfa"}, "iam:ListMFADevices": {"mfa"},
    "iam:ListSAMLProviders": {"saml_providers"}, "iam:GetSAMLProvider": {"saml_providers"},
    "iam:ListOpenIDConnectProviders": {"oidc_providers"}, "iam:GetOpenIDConnectProvider": {"oidc_providers"},
    "iam:ListAccountAliases": {"alias"}, "iam:GetAccountSummary": {"summary"}, "iam:GetAccountPasswordPolicy": {"password_policy"},
    "iam:GetAccountAuthorizationDetails": {"users", "groups", "roles", "policies"},
}
OPTIONAL = {"instance_profiles"}


@pytest.fixture(scope="module")
def demo(start_server, aws, worker, database, start_awssim, start_worker, pg):
    """The demo account on its own simulator, so that its role's rights can be taken away one by one."""
    place = pg.database()
    own = start_awssim("demo")
    org = start_server(database=place).organization()
    own.set(external_id=org.org_id)
    mine = start_worker(own, database=place, **QUICK)
    made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
    first = wait_until(lambda: org.syncs(made["id"]), lambda: mine.tail(), 60)[0]
    assert org.wait_sync(first["id"])["state"] == "complete"
    yield org, own, place, made["id"], mine
    mine.stop()


@pytest.mark.parametrize("action", sorted(PARTS_OF))
def test_a_withdrawn_permission_costs_its_part_alone_and_is_named(demo, action):
    org, aws, database, connection, worker = demo
    before = snapshot(database, org.org_id)
    aws.clear_faults()
    aws.fault("access_denied", match={"account": ACCOUNT, "operation": action.removeprefix("iam:")})
    done = org.wait_sync(org.sync(connection)["id"])
    assert done["state"] == "partial", (done, worker.tail())
    rows = coverage(database, org.org_id)
    lost = {part for part, (state, _, _) in rows.items() if state != "ok"} - OPTIONAL
    assert lost == PARTS_OF[action], rows
    for part in lost:
        state, named, reason = rows[part]
        assert state == "denied" or (state == "partial" and action != "iam:GetAccountAuthorizationDetails"), rows[part]
        if action != "iam:GetAccountAuthorizationDetails":
            assert named == action and action in reason, rows[part]
    assert changed_rows(before, snapshot(database, org.org_id)) == []


def test_given_back_they_make_the_sync_complete_again(demo):
    org, aws, _, connection, worker = demo
    aws.clear_faults()
    done = org.wait_sync(org.sync(connection)["id"])
    assert done["state"] == "complete", (done, worker.tail())


def test_the_fallback_makes_the_same_graph(start_awssim, start_server, start_worker, pg):
    """Without account details, five calls a principal must come to the same entities and edges."""
    place = pg.database()
    try:
        aws = start_awssim("demo", page_size=3)
        org = start_server(database=place).organization()
        aws.set(external_id=org.org_id)
        reads = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:GenerateCredentialReport", "ec2:DescribeRegions"], "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:GetAccountAuthorizationDetails", "Resource": "*"}]}
        aws.mutate({"op": "set_role_policy", "account": ACCOUNT, "role": "ConnectordReadOnly", "name": "tier1", "document": reads})
        worker = start_worker(aws, database=place, **QUICK)
        made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
        first = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 60)[0]
        done = org.wait_sync(first["id"])
        assert done["state"] == "complete", (done, coverage(place, org.org_id))
        assert compare(place, org.org_id, aws.inventory(ACCOUNT), orphan_profiles=True) == []
        via = dict(place.rows("SELECT part, via FROM coverage WHERE org_id = %s", org.org_id))
        assert {via[p] for p in ("users", "groups", "roles", "policies")} == {"fallback"}
        worker.stop()
    finally:
        pg.drop(place)


def test_dead_aws_costs_nothing_and_a_living_one_goes_on(start_awssim, start_server, start_worker, pg):
    place = pg.database()
    try:
        port = free_port()  # nobody takes it while it is dead
        aws = start_awssim("demo", port=port)
        org = start_server(database=place).organization()
        aws.set(external_id=org.org_id)
        worker = start_worker(aws, database=place, **{**QUICK, "aws_scope_deadline_s": 3})
        made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
        first = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 60)[0]
        assert org.wait_sync(first["id"])["state"] == "complete"
        before = snapshot(place, org.org_id)
        aws.stop()
        sync = org.sync(made["id"])
        wait_until(lambda: place.value("SELECT max(attempts) FROM task WHERE kind = 'sync_account'") not in (None, 0, 1)
                   or "task_retried" in worker.text(), lambda: worker.tail(), 60)
        assert snapshot(place, org.org_id) == before
        again = start_awssim("demo", port=port, variables={"external_id": org.org_id})
        assert again.endpoint == aws.endpoint
        place.rows("UPDATE task SET run_at = now()")
        assert org.wait_sync(sync["id"], within=90)["state"] == "complete", worker.tail()
        assert compare(place, org.org_id, again.inventory(ACCOUNT)) == []
        worker.stop()
    finally:
        pg.drop(place)


def test_a_deleted_connection_is_purged_whole(org, connected, database):
    assert org.delete(f"/v1/connections/{connected}").status_code == 202
    wait_until(lambda: database.value("SELECT count(*) FROM connection WHERE org_id = %s", org.org_id) == 0,
               lambda: database.rows("SELECT kind, attempts, last_error FROM task"), 60)
    for table in ("entity", "edge", "coverage", "sync", "task", "schedule", "change", "document"):
        assert database.value(f"SELECT count(*) FROM {table} WHERE org_id = %s", org.org_id) == 0, table


def test_a_purge_leaves_the_inventory_to_another_connection_of_the_account(org, account, connected, aws, worker, database):
    """Unchanged rows name who found them first; deleting that one must not empty the account under the other."""
    other = org.connect(account, role_arn=f"arn:aws:iam::{account}:role/ConnectordReadOnly")["id"]
    first = wait_until(lambda: org.syncs(other), lambda: worker.tail(), 60)[0]
    assert org.wait_sync(first["id"])["state"] == "complete"
    before = snapshot(database, org.org_id)
    assert org.delete(f"/v1/connections/{connected}").status_code == 202
    wait_until(lambda: database.value("SELECT count(*) FROM connection WHERE org_id = %s", org.org_id) == 1,
               lambda: database.rows("SELECT kind, attempts, last_error FROM task"), 60)
    assert changed_rows(before, snapshot(database, org.org_id)) == []
    for table in ("entity", "edge"):
        assert database.rows(f"SELECT DISTINCT connection_id::text FROM {table} WHERE org_id = %s", org.org_id) == [
            (str(uuid.UUID(other.removeprefix("conn_"))),)], table
    assert compare(database, org.org_id, aws.inventory(account)) == []
    org.complete_sync(other)
    assert changed_rows(before, snapshot(database, org.org_id)) == []


def test_a_purge_waits_as_long_as_a_dead_worker_keeps_a_lease(org, connected, worker, database):
    """The attempts of a purge do not run out: nobody would ask for it again."""
    dead = str(uuid.uuid4())
    database.rows("INSERT INTO task (org_id, task_id, connection_id, kind, state, lease, leased_until, worker_id) VALUES"
                  " (%s, %s, %s, 'verify', 'leased', 1, now() + interval '1 hour', %s)",
                  org.org_id, dead, connected.removeprefix("conn_"), str(uuid.uuid4()))
    assert org.delete(f"/v1/connections/{connected}").status_code == 202

    def refused_often():
        database.rows("UPDATE task SET run_at = now() WHERE org_id = %s AND kind = 'purge' AND state = 'ready'", org.org_id)
        database.rows("NOTIFY task")
        return database.value("SELECT attempts FROM task WHERE org_id = %s AND kind = 'purge'", org.org_id) > 8
    wait_until(refused_often, lambda: worker.tail(), 60)
    assert database.value("SELECT count(*) FROM entity WHERE org_id = %s", org.org_id) > 0
    database.rows("DELETE FROM task WHERE org_id = %s AND task_id = %s", org.org_id, dead)
    wait_until(lambda: database.value("SELECT count(*) FROM connection WHERE org_id = %s", org.org_id) == 0,
               lambda: worker.tail(), 60)
    assert database.value("SELECT count(*) FROM entity WHERE org_id = %s", org.org_id) == 0
