"""Verification in doubt: what is an answer about a role, what is our own fault, and what nobody may learn from either."""
import contextlib
import json
import uuid

import pytest
from waiting import wait_until

ACCOUNT, OTHER, VENDOR = "111122223333", "444455556666", "469725248735"
QUICK = {"aws_rates": "iam=1000", "aws_call_timeout_s": 20, "aws_scope_deadline_s": 40, "poll_ms": 50}
DENY_ALL = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
NO_IDENTITY = ("connectord has no AWS identity of its own right now; its operator must configure one. Nothing was changed.")


def role(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def trust_of(external_id):
    return {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}]}


def bare_id(connection):
    return connection["id"].removeprefix("conn_")


def verdict(database, connection):
    row = database.rows("SELECT verify_state, verify_code, verify_text, verify_aws, verified_at, external_id_enforced"
                        " FROM connection WHERE connection_id = %s", bare_id(connection))[0]
    return dict(zip(("state", "code", "text", "aws", "at", "enforced"), row))


def wait_verdict(database, connection, worker, state, code, within=60):
    def right():
        row = verdict(database, connection)
        return row if (row["state"], row["code"]) == (state, code) else None
    return wait_until(right, lambda: f"verdict {state} {code}: {verdict(database, connection)}\n{worker.tail()}", within)


def hurry(database, connection):
    """What waits for its next try is tried now."""
    database.rows("UPDATE task SET run_at = now() WHERE connection_id = %s", bare_id(connection))


def verify_now(database, connection):
    database.rows("UPDATE schedule SET next_at = now() WHERE connection_id = %s AND kind = 'verify'", bare_id(connection))


def verifies_left(database, connection):
    return database.value("SELECT count(*) FROM task WHERE connection_id = %s AND kind = 'verify'", bare_id(connection))


def denied(times=-1, **match):
    """A denial in the words that AWS has for a role that does not trust us, or that it does not know."""
    return {"fault": "access_denied", "times": times, "match": {"operation": "AssumeRole", **match},
            "message": "User: us is not authorized to perform: sts:AssumeRole on resource: the role"}


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("external-id")


@pytest.fixture(autouse=True)
def no_faults(aws):
    yield
    aws.clear_faults()


@pytest.fixture
def working(start_worker, aws):
    """with working(**settings) as worker: one that ends with the block."""
    @contextlib.contextmanager
    def work(simulator=aws, **settings):
        worker = start_worker(simulator, **{**QUICK, **settings})
        try:
            yield worker
        finally:
            worker.stop()
    return work


class TestOrder:
    """A denial is evidence only after our own ID has opened the role: before, AWS may simply not know the role yet."""

    def test_a_loose_role_that_becomes_known_late_is_not_taken_for_a_strict_one(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        aws.fault(**denied(times=2, role="role/none"))
        with working() as worker:
            made = org.connect(ACCOUNT, role_arn=role("none"))
            row = wait_verdict(database, made, worker, "refused", "external_id_not_enforced")
        assert row["enforced"] is False and "then start a sync" in row["text"]

    def test_ours_comes_first_and_nothing_is_done_with_it_until_the_others_were_refused(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        database.rows("DELETE FROM task")  # of earlier tests: all calls from here on are this connection's
        before = aws.last()
        with working(new_role_grace_s=0) as worker:
            made = org.connect(ACCOUNT, role_arn=role("right"))
            assert wait_verdict(database, made, worker, "verified", "")["enforced"] is True
            org.wait_first_sync(made["id"])
        calls = aws.calls(before)
        ours, none, wrong, look, sync = [c for c in calls if c["operation"] == "AssumeRole"]
        assert [c["operation"] for c in calls[:4]] == ["AssumeRole"] * 3 + ["GetCallerIdentity"]
        assert {c["external_id"] for c in (ours, look, sync)} == {org.org_id}
        assert none.get("external_id") is None and uuid.UUID(wrong["external_id"]) != uuid.UUID(org.org_id)
        # A probe may do nothing for no longer than it must; a sync may read for an hour.
        for probe in (ours, none, wrong):
            assert json.loads(probe["session_policy"])["Statement"] == DENY_ALL and probe["duration_s"] == 900
        assert [s["Action"] for s in json.loads(look["session_policy"])["Statement"]] == ["iam:GetRole"] and look["duration_s"] == 900
        assert json.loads(sync["session_policy"])["Statement"] != DENY_ALL and sync["duration_s"] == 3600

    def test_a_fluke_is_found_by_a_second_look_when_the_role_is_not_new_any_more(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        # The second and the third probe of the first look meet a place that does not know the role.
        aws.fault(**denied(role="role/none", nth=2))
        aws.fault(**denied(role="role/none", nth=2))
        with working(new_role_grace_s=15) as worker:
            made = org.connect(ACCOUNT, role_arn=role("none"))
            wait_verdict(database, made, worker, "verified", "", within=14)
            assert verifies_left(database, made) == 1
            wait_verdict(database, made, worker, "refused", "external_id_not_enforced")

    def test_there_is_one_second_look_and_no_third(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        before = aws.last()
        with working(new_role_grace_s=3) as worker:
            made = org.connect(ACCOUNT, role_arn=role("right"))
            wait_verdict(database, made, worker, "verified", "")
            verify_now(database, made)
            wait_until(lambda: verifies_left(database, made) == 0, worker.tail)
        ours = f"connectord-{bare_id(made)[-8:]}"
        assert [c.get("external_id") for c in aws.calls(before) if c.get("session_name") == ours].count(None) == 2


class TestWhoseFault:
    """Only a denial by the role is an answer about the role."""

    def test_a_refused_identity_of_our_own_is_no_verdict_and_not_the_customers_to_read(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        secret = "The security token included in the request is invalid."
        with working(new_role_grace_s=0) as worker:
            known = org.connect(ACCOUNT, role_arn=role("right"))
            first = wait_verdict(database, known, worker, "verified", "")
            org.wait_first_sync(known["id"])
            aws.fault("error", code="InvalidClientTokenId", message=secret, status=403, match={"service": "sts"})
            verify_now(database, known)
            fresh = org.connect(ACCOUNT, role_arn=role("case-folded"))
            row = wait_verdict(database, fresh, worker, "pending", "base_identity_refused")
            assert (row["enforced"], row["at"], row["aws"]) == (None, None, None)
            assert "operator" in row["text"] and secret not in row["text"]
            row = wait_verdict(database, known, worker, "verified", "base_identity_refused")
            # Nothing was checked: the time of the last check stays.
            assert (row["at"], row["enforced"]) == (first["at"], True)
            done = org.wait_sync(org.sync(known["id"])["id"])
            assert (done["state"], done["reason_code"]) == ("failed", "base_identity_refused"), done
            assert secret not in done["reason"]
            aws.clear_faults()
            hurry(database, fresh)
            wait_verdict(database, fresh, worker, "verified", "")

    def test_an_identity_of_our_own_that_may_not_assume_roles_is_ours_to_mend(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        name = "assume-customer-roles"
        document = aws.world["accounts"][VENDOR]["users"]["connectord"]["inline"][name]
        aws.mutate({"op": "delete_inline_policy", "account": VENDOR, "user": "connectord", "name": name})
        try:
            with working(new_role_grace_s=0) as worker:
                made = org.connect(ACCOUNT, role_arn=role("right"))
                row = wait_verdict(database, made, worker, "pending", "base_identity_denied")
                assert (row["enforced"], row["at"], row["aws"]) == (None, None, None)
        finally:
            aws.mutate({"op": "put_inline_policy", "account": VENDOR, "user": "connectord", "name": name, "document": document})

    @pytest.mark.parametrize("code, ours", [("PackedPolicyTooLarge", "session_policy_too_large"),
                                            ("MalformedPolicyDocument", "session_policy_malformed")])
    def test_a_session_policy_that_aws_does_not_take_is_ours_to_mend(self, org, aws, working, database, code, ours):
        aws.set(external_id=org.org_id)
        aws.fault("error", code=code, status=400, match={"operation": "AssumeRole"})
        with working(new_role_grace_s=0) as worker:
            made = org.connect(ACCOUNT, role_arn=role("right"))
            row = wait_verdict(database, made, worker, "pending", ours)
            assert (row["enforced"], row["at"], row["aws"]) == (None, None, None)
            shown = org.connection(made["id"])["status"]
            assert (shown["state"], shown["code"]) == ("action_required", ours) and "operator" in shown["remedy"]
            aws.clear_faults()
            hurry(database, made)
            wait_verdict(database, made, worker, "verified", "")

    # Without a code it is the page of a gateway, not an answer of AWS.
    @pytest.mark.parametrize("code, status", [("ValidationError", 400), ("UnknownOperationException", 400), ("", 403), ("", 405)])
    def test_an_answer_that_is_not_about_the_role_is_no_verdict(self, org, aws, working, database, code, status):
        aws.set(external_id=org.org_id)
        aws.fault("error", code=code, status=status, match={"operation": "AssumeRole"})
        with working(new_role_grace_s=0) as worker:
            made = org.connect(ACCOUNT, role_arn=role("right"))
            row = wait_verdict(database, made, worker, "pending", "check_inconclusive")
            assert (row["enforced"], row["at"]) == (None, None) and "tried again" in row["text"]
            aws.clear_faults()
            hurry(database, made)
            wait_verdict(database, made, worker, "verified", "")

    def test_a_gateways_page_is_no_proof_of_an_external_id(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        aws.fault("error", code="", message="", status=403, match={"operation": "AssumeRole", "nth": 2})
        with working(new_role_grace_s=0) as worker:
            made = org.connect(ACCOUNT, role_arn=role("none"))
            row = wait_verdict(database, made, worker, "pending", "check_inconclusive")
            assert (row["enforced"], row["at"]) == (None, None)
            hurry(database, made)
            wait_verdict(database, made, worker, "refused", "external_id_not_enforced")

    def test_a_role_that_our_id_does_not_open_says_nothing_about_its_external_id(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        before = aws.last()
        with working(new_role_grace_s=0) as worker:
            made = org.connect(ACCOUNT, role_arn=role("wrong-then-right"))
            row = wait_verdict(database, made, worker, "refused", "role_not_assumable")
            assert row["enforced"] is None and row["at"] is not None and "then start a sync" in row["text"]
        assert [c.get("external_id") for c in aws.calls(before) if c.get("role_arn") == role("wrong-then-right")] == [org.org_id]

    def test_a_wrong_clock_of_ours_does_not_make_an_access_key_bad(self, org, start_awssim, working, database):
        demo = start_awssim("demo")
        demo.fault("error", code="SignatureDoesNotMatch", status=403, match={"service": "sts"},
                   message="Signature expired: 20200101T000000Z is now earlier than 20200103T000000Z")
        with working(demo) as worker:
            made = org.connect(ACCOUNT, access_key=("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003"))
            row = wait_verdict(database, made, worker, "pending", "clock_wrong")
            assert row["at"] is None and "operator" in row["text"]
            demo.clear_faults()
            hurry(database, made)
            wait_verdict(database, made, worker, "verified", "")

    def test_what_denies_the_question_whose_key_it_is_does_not_make_the_key_bad(self, org, start_awssim, working, database):
        demo = start_awssim("demo")
        demo.fault("access_denied", match={"operation": "GetCallerIdentity"},
                   message="User: you is not authorized to perform: sts:GetCallerIdentity because no VPC endpoint policy allows it")
        with working(demo) as worker:
            made = org.connect(ACCOUNT, access_key=("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003"))
            row = wait_verdict(database, made, worker, "pending", "check_inconclusive")
            assert row["at"] is None and "tried again" in row["text"]
            demo.clear_faults()
            hurry(database, made)
            wait_verdict(database, made, worker, "verified", "")

    def test_a_worker_that_is_stopped_during_a_check_writes_no_verdict(self, org, aws, working, database):
        aws.set(external_id=org.org_id)
        aws.fault("timeout", match={"operation": "AssumeRole"})
        before = aws.last()
        with working(aws_call_timeout_s=60, aws_scope_deadline_s=120, drain_s=6):
            made = org.connect(ACCOUNT, role_arn=role("right"))
            wait_until(lambda: any(c["operation"] == "AssumeRole" for c in aws.calls(before)), "the check has begun")
        row = verdict(database, made)
        assert (row["state"], row["code"], row["text"], row["at"]) == ("pending", "", "", None)
        assert verifies_left(database, made) == 1
        database.rows("DELETE FROM task WHERE connection_id = %s", bare_id(made))

    def test_a_pinned_account_that_differs_is_named(self, org, aws, working, database):
        """An organization's connection has no account of its own in its fields; the first check pins one."""
        aws.set(external_id=org.org_id)
        aws.mutate({"op": "put_account", "account": OTHER, "roles": {"Reader": {"trust": trust_of(org.org_id)}}})
        with working(new_role_grace_s=0) as worker:
            answer = org.post("/v1/connections", {
                "name": "whole", "authoritative_status": "none", "aws_organization_id": "o-abcdefghij", "region": "us-east-1",
                "auth": {"method": "assume_role", "role_arn": role("right")}})
            assert answer.status_code == 201, answer.text
            made = answer.json()
            wait_verdict(database, made, worker, "verified", "")
            org.wait_first_sync(made["id"])
            database.rows("UPDATE connection SET role_arn = %s, version = version + 1, verify_state = 'pending'"
                          " WHERE connection_id = %s", role("Reader", OTHER), bare_id(made))
            verify_now(database, made)
            row = wait_verdict(database, made, worker, "refused", "account_mismatch")
        assert OTHER in row["text"] and f"verified with account {ACCOUNT}" in row["text"]


class TestOwnIdentity:
    """What the operator has to mend is said to the operator; a customer reads one fixed sentence."""

    def test_without_an_identity_no_path_of_ours_reaches_a_customer(self, org, aws, start_worker, database):
        place = f"/nonexistent/{uuid.uuid4().hex}/credentials"
        env = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_SHARED_CREDENTIALS_FILE": place, "AWS_EC2_METADATA_DISABLED": "true",
               "CONNECTORD_VENDOR_ACCOUNT": VENDOR}
        worker = start_worker(None, env=env, **QUICK)
        made = org.connect(ACCOUNT, role_arn=role("right"))
        row = wait_verdict(database, made, worker, "pending", "base_identity_missing")
        assert (row["text"], row["at"]) == (NO_IDENTITY, None)
        done = org.wait_sync(org.sync(made["id"])["id"])
        assert (done["state"], done["reason_code"], done["reason"]) == ("failed", "base_identity_missing", NO_IDENTITY)
        assert worker.stop() == 0
        assert sum(place in line for line in worker.text().splitlines()) == 1, worker.text()

    def test_no_role_is_assumed_before_it_is_known_which_account_is_our_own(self, aws, start_server, working, pg):
        database = pg.database()
        try:
            org = start_server(database=database).organization()
            aws.set(external_id=org.org_id)
            aws.fault("http_500", match={"operation": "GetCallerIdentity"})
            before = aws.last()
            with working(database=database, env={"CONNECTORD_VENDOR_ACCOUNT": ""}, aws_scope_deadline_s=3) as worker:
                own = org.connect(VENDOR, role_arn=role("own-account", VENDOR))
                good = org.connect(ACCOUNT, role_arn=role("right"))
                for made in (own, good):
                    row = wait_verdict(database, made, worker, "pending", "vendor_account_unknown")
                    assert row["at"] is None and "operator" in row["text"]
                    status = org.connection(made["id"])["status"]
                    assert (status["state"], status["code"], status["text"]) == \
                        ("action_required", "vendor_account_unknown", row["text"])
                    assert "operator" in status["remedy"] and "nothing of yours" in status["remedy"]
                assert database.value("SELECT count(*) FROM vendor") == 0
                assert [c for c in aws.calls(before) if c["operation"] == "AssumeRole"] == []
                # STS comes back: the same worker learns it, keeps it and tells the server.
                aws.clear_faults()
                for made in (own, good):
                    hurry(database, made)
                wait_verdict(database, own, worker, "refused", "own_account")
                wait_verdict(database, good, worker, "verified", "")
                assert database.value("SELECT account_id FROM vendor") == VENDOR
                assert [c for c in aws.calls(before) if c.get("role_arn") == role("own-account", VENDOR)] == []
        finally:
            pg.drop(database)

    def test_a_sync_does_not_assume_a_role_of_our_own_account_either(self, aws, start_server, working, pg):
        """Verified once, changed behind our back: what the worker has found out about itself holds for syncs as well."""
        database = pg.database()
        try:
            org = start_server(database=database).organization()
            aws.set(external_id=org.org_id)
            with working(database=database, env={"CONNECTORD_VENDOR_ACCOUNT": ""}) as worker:
                made = org.connect(ACCOUNT, role_arn=role("right"))
                wait_verdict(database, made, worker, "verified", "")
                org.wait_first_sync(made["id"])
                database.rows("UPDATE connection SET role_arn = %s WHERE connection_id = %s",
                              role("own-account", VENDOR), bare_id(made))
                before = aws.last()
                done = org.wait_sync(org.sync(made["id"])["id"])
                assert (done["state"], done["reason_code"]) == ("failed", "own_account"), done
                assert [c for c in aws.calls(before) if c["operation"] == "AssumeRole"] == []
        finally:
            pg.drop(database)

    def test_the_account_that_the_operator_names_is_told_to_the_server_too(self, aws, start_server, working, pg):
        database = pg.database()
        try:
            with working(database=database):
                assert database.value("SELECT account_id FROM vendor") == VENDOR
        finally:
            pg.drop(database)
