"""The whole path once: an organization connects an account by role, its identities are in PostgreSQL, coverage says so."""
import pytest

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly"


@pytest.fixture(scope="module")
def synced(start_awssim, start_worker, server):
    """An organization with one connection whose first sync, which starts by itself, is over."""
    sim = start_awssim("demo")
    start_worker(sim)
    org = server.organization()
    sim.set(external_id=org.org_id)
    connection = org.connect(ACCOUNT, role_arn=ROLE)
    verified = org.wait_connection(connection["id"], lambda c: c["verification"]["state"] != "pending", "verified or refused")
    assert verified["verification"]["state"] == "verified", verified
    sync = org.wait_first_sync(connection["id"], within=120)
    return org, connection["id"], sync, sim


def test_the_first_sync_starts_by_itself_and_is_complete(synced):
    org, connection_id, sync, _ = synced
    assert (sync["state"], sync["cause"]) == ("complete", "create")
    assert sync["progress"]["calls"] > 0
    connection = org.connection(connection_id)
    assert connection["external_id_enforced"] is True
    assert connection["status"]["state"] == "synced"


def test_every_identity_of_the_account_is_an_entity(synced):
    org, connection_id, _, sim = synced
    users = {one["name"] for one in org.entities(kind="aws.iam_user", connection_id=connection_id)}
    roles = {one["name"] for one in org.entities(kind="aws.iam_role", connection_id=connection_id)}
    world = sim.world["accounts"][ACCOUNT]
    assert set(world["users"]) <= users
    assert set(world["roles"]) <= roles


def test_coverage_says_that_every_part_was_listed_to_its_end(synced):
    org, connection_id, _, _ = synced
    parts = org.coverage(connection_id)
    states = [part["state"] for part in parts]
    assert states.count("ok") > 10
    assert set(states) <= {"ok", "skipped_by_config"}


def test_each_assume_role_of_the_sync_sent_the_org_id(synced):
    _, _, _, sim = synced
    assumed = [call for call in sim.calls() if call["operation"] == "AssumeRole"]
    assert assumed
