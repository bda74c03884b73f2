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
    return wait_until(lambda: org.syncs(connection["id"]), lambda: worker.tail(), 60)[0]


@pytest.mark.parametrize("page_size", [1000, 3, 1])
def test_a_new_connection_is_verified_and_synced_whole(org, aws, worker, database, page_size):
    """Pages of one item show every seam between pages; nothing may depend on where a page ends."""
    aws.set(external_id=org.org_id)
    aws.config(page_size=page_size)
    made = org.connect(ACCOUNT, role_arn=ROLE)
    done = org.wait_sync(first_sync(org, made, worker)["id"])
    assert done["state"] == "complete", (done, coverage(database, org.org_id), worker.tail())
    assert compare(database, org.org_id, aws.inventory(ACCOUNT)) == []


TABLES = ("change", "document", "edge", "entity")


def writes(database, table):
    """Rows that were ever inserted, updated and deleted, over all partitions."""
    return database.rows("SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_hot_upd), sum(n_tup_del) FROM pg_stat_user_tables"
                         " WHERE relname = %s OR relname LIKE %s", table, table + r"\_%")[0]


def all_told(database):
    """Backends report what they wrote a while after they commit; nothing was deleted here, so every row is one insert."""
    return all(writes(database, table)[0] == database.value(f"SELECT count(*) FROM {table}") for table in TABLES)


def test_an_unchanged_account_writes_no_row(org, aws, worker, database):
    aws.set(external_id=org.org_id)
    aws.config(page_size=1000)
    made = org.connect(ACCOUNT, role_arn=ROLE)
    assert org.wait_sync(first_sync(org, made, worker)["id"])["state"] == "complete"
    wait_until(lambda: all_told(database), lambda: {t: writes(database, t) for t in TABLES}, 60)
    before = {table: writes(database, table) for table in TABLES}
    covered = writes(database, "coverage")[1]
    done = org.complete_sync(made["id"])
    # The same backend updates the coverage in the same transaction: once that is told, so would the rest be.
    parts = database.value("SELECT count(*) FROM coverage WHERE org_id = %s", org.org_id)
    wait_until(lambda: writes(database, "coverage")[1] >= covered + parts, "the second sync's writes are told", 60)
    assert {table: writes(database, table) for table in TABLES} == before
    assert done["progress"]["objects_added"] == done["progress"]["objects_changed"] == 0
    assert done["progress"]["objects_seen"] > 50
    touched = "SELECT count(*) FROM {} WHERE org_id = %s AND xmax::text <> '0'"
    assert [database.value(touched.format(table), org.org_id) for table in ("entity", "edge", "document")] == [0, 0, 0]
