"""The thin whole with AWS: a connection is verified, its first sync starts by itself and ends complete and true."""
import pytest
from sync_model import compare, coverage
from waiting import wait_until

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates="iam=1000")


def first_sync(org, connection, worker):
    return wait_until(lambda: org.syncs(connection["id"]), lambda: worker.tail(), 20)[0]


@pytest.mark.parametrize("page_size", [1000, 3, 1])
def test_a_new_connection_is_verified_and_synced_whole(org, aws, worker, database, page_size):
    """Pages of one item show every seam between pages; nothing may depend on where a page ends."""
    aws.set(external_id=org.org_id)
    aws.config(page_size=page_size)
    made = org.connect(ACCOUNT, role_arn=ROLE)
    done = org.wait_sync(first_sync(org, made, worker)["id"])
    assert done["state"] == "complete", (done, coverage(database, org.org_id), worker.tail())
    assert compare(database, org.org_id, aws.inventory(ACCOUNT)) == []


WRITES = ("SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del FROM pg_stat_user_tables"
          " WHERE relname IN ('entity', 'edge', 'document') OR relname LIKE 'change%' ORDER BY relname")


def settled_writes(database):
    """The statistics, once two looks agree: backends report a moment after they commit."""
    seen = []

    def same():
        seen.append(database.rows(WRITES))
        return len(seen) > 15 and len({str(s) for s in seen[-15:]}) == 1
    wait_until(same, "statistics settle", 20, poll=0.1)
    return seen[-1]


def test_an_unchanged_account_writes_no_row(org, aws, worker, database):
    aws.set(external_id=org.org_id)
    aws.config(page_size=1000)
    made = org.connect(ACCOUNT, role_arn=ROLE)
    assert org.wait_sync(first_sync(org, made, worker)["id"])["state"] == "complete"
    before = settled_writes(database)
    done = org.complete_sync(made["id"])
    assert settled_writes(database) == before
    assert done["progress"]["objects_added"] == done["progress"]["objects_changed"] == 0
    assert done["progress"]["objects_seen"] > 50
