"""Syncs whose worker leaves in the middle, whose merge outlasts the lease, or who never come in: what is told stays true."""
import time

import pytest
from sync_model import changed_rows, coverage, snapshot
from waiting import wait_until

ACCOUNT = "111122223333"
PARTS = 19
QUICK = {"aws_rates": "iam=100000,sts=100000", "aws_call_timeout_s": 60, "aws_scope_deadline_s": 120, "poll_ms": 50, "drain_s": 1,
         "lease_s": 3, "heartbeat_s": 1}


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture
def start(start_worker, aws):
    """start() -> a worker; all leave with the test."""
    started = []

    def one():
        started.append(start_worker(aws, **QUICK))
        return started[-1]
    yield one
    aws.clear_faults()
    for worker in started:
        worker.stop()


@pytest.fixture
def connected(org, aws, start):
    """A synced connection and the worker that made it."""
    aws.set(external_id=org.org_id)
    worker = start()
    made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
    done = org.wait_first_sync(made["id"])
    assert done["state"] == "complete", (done, worker.tail())
    return made["id"], worker


def hits(aws):
    return sum(fault["hits"] for fault in aws.faults())


def test_a_drained_sync_counts_everything_once(org, aws, start, connected, database):
    connection, worker = connected
    whole = org.complete_sync(connection)["progress"]
    aws.fault("timeout", match={"operation": "ListVirtualMFADevices"})
    sync = org.sync(connection)
    wait_until(lambda: hits(aws), lambda: worker.tail(), 60)  # the first merge is done
    worker.stop()
    assert database.rows("SELECT state, attempts FROM task WHERE org_id = %s AND kind = 'sync_account'", org.org_id) == [("ready", 0)]
    aws.clear_faults()
    start()
    done = org.wait_sync(sync["id"])
    assert done["state"] == "complete", done
    told = done["progress"]
    assert (told["accounts_total"], told["accounts_done"]) == (1, 1)
    assert (told["scopes_total"], told["scopes_done"]) == (PARTS, PARTS)
    assert told["objects_seen"] == whole["objects_seen"] > 0


def test_a_merge_that_outlasts_the_lease_keeps_it(org, connected, database):
    """Its fence keeps heartbeats away; at its end the lease begins anew, before any sweep can look."""
    connection, worker = connected
    holder = database.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE coverage IN EXCLUSIVE MODE")
        sync = org.sync(connection)
        wait_until(lambda: database.value(
            "SELECT count(*) FROM task WHERE org_id = %s AND kind = 'sync_account' AND leased_until < now()", org.org_id),
            lambda: worker.tail(), 60)
        holder.commit()
        cursor.execute("LOCK TABLE coverage IN EXCLUSIVE MODE")  # waits for the merge to commit
        cursor.execute("SELECT leased_until > clock_timestamp() FROM task WHERE org_id = %s AND kind = 'sync_account'", (org.org_id,))
        held = cursor.fetchall()
        holder.commit()
    holder.close()
    assert held == [(True,)]
    assert org.wait_sync(sync["id"])["state"] == "complete"
    assert "worker_lost" not in worker.text()


def test_a_sync_that_is_cancelled_at_the_door_leaves_coverage_alone(org, aws, connected, database):
    connection, worker = connected
    rows, before = coverage(database, org.org_id), snapshot(database, org.org_id)
    aws.fault("timeout", match={"operation": "AssumeRole"})
    sync = org.sync(connection)
    wait_until(lambda: hits(aws), lambda: worker.tail(), 60)
    assert org.post(f"/v1/syncs/{sync['id']}/cancel").status_code in (200, 202)
    began = time.monotonic()
    assert org.wait_sync(sync["id"])["state"] == "canceled"
    assert time.monotonic() - began < 4
    assert coverage(database, org.org_id) == rows
    assert changed_rows(before, snapshot(database, org.org_id)) == []


def test_a_refusal_at_the_door_is_told_in_aws_own_words(org, aws, connected, database):
    connection, _ = connected
    before = snapshot(database, org.org_id)
    said = "User: us is not authorized to perform: sts:AssumeRole on resource: their role"
    aws.fault("access_denied", match={"operation": "AssumeRole", "role": "ConnectordReadOnly"}, message=said)
    assert org.wait_sync(org.sync(connection)["id"])["state"] == "failed"
    for state, _, reason in coverage(database, org.org_id).values():
        assert state == "denied" and f"AccessDenied {said}, so " in reason and reason.endswith("."), reason
    assert changed_rows(before, snapshot(database, org.org_id)) == []
