"""Verification: the external ID from both sides, the account pin, the legacy key, and what is ours to mend."""
import uuid

import pytest
from sync_model import compare, coverage, snapshot
from waiting import wait_until

ACCOUNT, VENDOR = "111122223333", "469725248735"
KEY = ("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003")
QUICK = {"aws_rates": "iam=1000", "aws_call_timeout_s": 20, "aws_scope_deadline_s": 40, "poll_ms": 50}


def role(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def verify_row(database, connection):
    rows = database.rows("SELECT verify_state, verify_code, verify_text, external_id_enforced, pinned_account_id FROM connection"
                         " WHERE connection_id = %s", connection["id"].removeprefix("conn_"))
    return dict(zip(("state", "code", "text", "enforced", "pinned"), rows[0])) if rows else None


def wait_verdict(database, connection, worker, state, code=None, within=60):
    def right():
        row = verify_row(database, connection)
        return row if row["state"] == state and (code is None or row["code"] == code) else None
    return wait_until(right, lambda: f"verdict {state} {code}: {verify_row(database, connection)}\n{worker.tail()}", within)


class TestExternalId:
    @pytest.fixture(scope="class")
    def aws(self, start_awssim):
        return start_awssim("external-id")

    @pytest.fixture(scope="class")
    def worker(self, start_worker, aws):
        worker = start_worker(aws, new_role_grace_s=0, **QUICK)
        yield worker
        worker.stop()

    # Folding case still demands our UUID: case-folded is as good as equality, for no other tenant's ID folds to ours.
    CASES = {"right": ("verified", ""), "none": ("refused", "external_id_not_enforced"),
             "not-null": ("refused", "external_id_not_enforced"), "like-any": ("refused", "external_id_not_enforced"),
             "if-exists": ("refused", "external_id_not_enforced"), "two-tenants": ("verified", ""), "case-folded": ("verified", ""),
             "deny-and-allow": ("refused", "external_id_not_enforced"), "anyone": ("refused", "external_id_not_enforced"),
             "wrong-then-right": ("refused", "role_not_assumable")}

    def test_only_a_role_that_demands_our_id_is_accepted(self, org, aws, worker, database):
        aws.set(external_id=org.org_id, other_external_id=str(uuid.uuid4()))
        made = {name: org.connect(ACCOUNT, role_arn=role(name)) for name in self.CASES}
        for name, (state, code) in self.CASES.items():
            row = wait_verdict(database, made[name], worker, state, code)
            # What our own ID does not open says nothing about other IDs.
            assert row["enforced"] is (None if code == "role_not_assumable" else state == "verified")
            assert (row["text"] == "") == (code == ""), row
        assert all(not org.syncs(made[n]["id"]) for n, (state, _) in self.CASES.items() if state == "refused")
        calls = [c for c in aws.calls() if c["operation"] == "AssumeRole"]
        assert calls

    def test_a_role_of_our_own_account_is_never_assumed(self, org, aws, worker, database):
        before = aws.last()
        made = org.post("/v1/connections", {
            "name": "own", "authoritative_status": "none", "aws_account_id": VENDOR, "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": role("own-account", VENDOR)}})
        if made.status_code == 201:
            wait_verdict(database, made.json(), worker, "refused", "own_account")
        else:
            assert made.status_code in (403, 422), made.text
        assert [c for c in aws.calls(before) if c["operation"] == "AssumeRole"] == []

    def test_mended_trust_is_accepted_by_the_next_sync_and_lost_trust_refused(self, org, aws, worker, database):
        aws.set(external_id=org.org_id)
        late = org.connect(ACCOUNT, role_arn=role("wrong-then-right"))
        soon = org.connect(ACCOUNT, role_arn=role("right-then-none"))
        wait_verdict(database, late, worker, "refused", "role_not_assumable")
        wait_verdict(database, soon, worker, "verified")
        first = wait_until(lambda: org.syncs(soon["id"]), "the first sync", 60)[0]
        assert org.wait_sync(first["id"])["state"] == "complete"
        kept = snapshot(database, org.org_id)

        good = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": org.org_id}}}]}
        open_to_all = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole"}]}
        aws.mutate({"op": "set_trust", "account": ACCOUNT, "role": "wrong-then-right", "document": good})
        org.complete_sync(late["id"])
        assert verify_row(database, late)["state"] == "verified"

        aws.mutate({"op": "set_trust", "account": ACCOUNT, "role": "wrong-then-right", "document": open_to_all})
        database.rows("UPDATE schedule SET next_at = now() WHERE connection_id = %s AND kind = 'verify'",
                      late["id"].removeprefix("conn_"))
        wait_verdict(database, late, worker, "refused", "external_id_not_enforced")
        refused = org.wait_sync(org.sync(late["id"])["id"])
        assert (refused["state"], refused["reason_code"]) == ("failed", "external_id_not_enforced")
        assert {row[0] for row in kept[0]} <= {row[0] for row in snapshot(database, org.org_id)[0]}
        assert database.value("SELECT count(*) FROM entity WHERE org_id = %s AND deleted_at IS NOT NULL", org.org_id) == 0

    def test_every_session_of_a_sync_carries_the_org_id_and_a_policy(self, org, aws, worker, database):
        aws.set(external_id=org.org_id)
        before = aws.last()
        made = org.connect(ACCOUNT, role_arn=role("right"))
        wait_verdict(database, made, worker, "verified")
        first = wait_until(lambda: org.syncs(made["id"]), "the first sync", 60)[0]
        org.wait_sync(first["id"])
        calls = [c for c in aws.calls(before) if c["operation"] == "AssumeRole" and c["role_arn"] == role("right")]
        assert all(c["session_policy"] for c in calls)
        assert {c["external_id"] for c in calls if c["status"] == 200} == {org.org_id}


def test_loose_roles_are_marked_and_not_refused_when_the_operator_says_warn(start_awssim, start_worker, start_server, pg):
    database = pg.database()
    try:
        aws = start_awssim("external-id")
        org = start_server(database=database).organization()
        aws.set(external_id=org.org_id)
        worker = start_worker(aws, database=database, external_id_check="warn", **QUICK)
        made = org.connect(ACCOUNT, role_arn=role("none"))
        row = wait_verdict(database, made, worker, "verified", "external_id_not_enforced")
        assert row["enforced"] is False and "sts:ExternalId" in row["text"]
        worker.stop()
    finally:
        pg.drop(database)


class TestDemo:
    @pytest.fixture(scope="class")
    def aws(self, start_awssim):
        return start_awssim("demo")

    @pytest.fixture(scope="class")
    def worker(self, start_worker, aws):
        worker = start_worker(aws, **QUICK)
        yield worker
        worker.stop()

    def test_an_access_key_connection_makes_the_same_inventory(self, org, aws, worker, database):
        made = org.connect(ACCOUNT, access_key=KEY)
        wait_verdict(database, made, worker, "verified")
        first = wait_until(lambda: org.syncs(made["id"]), "the first sync", 60)[0]
        assert org.wait_sync(first["id"])["state"] == "complete"
        assert compare(database, org.org_id, aws.inventory(ACCOUNT)) == []

    def test_an_access_key_of_another_account_is_refused(self, org, worker, database):
        made = org.connect("444455556666", access_key=KEY)
        row = wait_verdict(database, made, worker, "refused", "account_mismatch")
        assert ACCOUNT in row["text"] and "444455556666" in row["text"]

    def test_a_wrong_secret_is_refused(self, org, worker, database):
        made = org.connect(ACCOUNT, access_key=(KEY[0], "x" * 40))
        wait_verdict(database, made, worker, "refused", "access_key_refused")

    def test_a_role_that_is_not_known_yet_stays_pending_until_aws_knows_it(self, org, aws, worker, database):
        """IAM takes time to spread: a denial inside the grace is no verdict."""
        aws.set(external_id=org.org_id)
        made = org.connect(ACCOUNT, role_arn=role("NotThereYet"))
        row = wait_verdict(database, made, worker, "pending", "role_not_assumable")
        assert "tried again" in row["text"]
        tier1 = aws.world["x-tier1"]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": org.org_id}}}]}
        aws.mutate({"op": "put_role", "account": ACCOUNT, "name": "NotThereYet", "trust": trust, "inline": {"tier1": tier1}})
        wait_verdict(database, made, worker, "verified")
        aws.mutate({"op": "delete_role", "account": ACCOUNT, "name": "NotThereYet"})

    def test_a_damaged_secret_is_said_and_nothing_is_lost(self, org, worker, database):
        made = org.connect(ACCOUNT, access_key=KEY)
        wait_verdict(database, made, worker, "verified")
        hex_id = made["id"].removeprefix("conn_")
        first = wait_until(lambda: org.syncs(made["id"]), "the first sync", 60)[0]
        org.wait_sync(first["id"])
        kept = snapshot(database, org.org_id)
        database.rows("UPDATE connection SET sealed_secret_access_key = overlay(sealed_secret_access_key placing '\\x00' from 60)"
                      " WHERE connection_id = %s", hex_id)
        done = org.wait_sync(org.sync(made["id"])["id"])
        assert (done["state"], done["reason_code"]) == ("failed", "secret_damaged"), done
        for state, action, reason in coverage(database, org.org_id).values():  # our fault: AWS denied nothing
            assert (state, action) == ("error", "") and "The stored secret access key cannot be opened" in reason, reason
        assert snapshot(database, org.org_id) == kept


def test_a_wrong_sealing_key_blocks_until_the_right_one_comes(start_awssim, start_worker, start_server, pg, keys, directory):
    """The secret is sealed to a key that this worker lacks: the connection says so, and a right worker goes on by itself."""
    import processes
    database = pg.database()
    try:
        done = processes.run([processes.binary(), "keys", str(directory / "other-keys")])
        assert done.returncode == 0, done.stderr
        aws = start_awssim("demo")
        org = start_server(database=database).organization()
        wrong = start_worker(aws, database=database, seal_key_file=directory / "other-keys/seal.key", **QUICK)
        made = org.connect(ACCOUNT, access_key=KEY)
        row = wait_verdict(database, made, wrong, "pending", "sealing_key_unknown")
        assert "seal.key" in row["text"]
        wrong.stop()
        none = start_worker(aws, database=database, seal_key_file=None, **QUICK)
        database.rows("UPDATE task SET run_at = now()")
        wait_verdict(database, made, none, "pending", "sealing_key_missing")
        none.stop()
        right = start_worker(aws, database=database, **QUICK)
        database.rows("UPDATE task SET run_at = now()")
        wait_verdict(database, made, right, "verified")
        right.stop()
    finally:
        pg.drop(database)


def test_without_an_identity_of_its_own_a_worker_says_so_and_waits(start_awssim, start_worker, start_server, pg):
    database = pg.database()
    try:
        aws = start_awssim("demo")
        org = start_server(database=database).organization()
        aws.set(external_id=org.org_id)
        env = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
               "CONNECTORD_VENDOR_ACCOUNT": VENDOR}
        bare = start_worker(None, env=env, database=database, **QUICK)
        made = org.connect(ACCOUNT, role_arn=role("ConnectordReadOnly"))
        wait_verdict(database, made, bare, "pending", "base_identity_missing")
        bare.stop()
        right = start_worker(aws, database=database, **QUICK)
        database.rows("UPDATE task SET run_at = now()")
        wait_verdict(database, made, right, "verified")
        right.stop()
    finally:
        pg.drop(database)
