"""Checks in doubt: what is no answer, and what a person changes while the worker asks, outweigh nothing that is known."""
import uuid

import pytest
from api import expect
from test_api_check import ACCOUNT, GUARDED, MANAGEMENT, TIER1, Subject, allow, aws, states, subject, worker
from waiting import wait_until

SHIELDED = "222233334444"  # its AWS Organization lets nobody assume its roles
__all__ = ["aws", "subject", "worker"]  # fixtures


@pytest.fixture
def faults(aws):
    yield aws.fault
    aws.clear_faults()


class TestLayers:
    """Who denies it. Our own session policy allows what a check calls, and IAM's calls know no resource control policies: so AWS's
    words for both are put into its mouth. The one call on a resource that a check makes is AssumeRole, and that is denied in earnest."""

    WORDS = {
        "session": ("because no session policy allows the iam:ListMFADevices action", "with an explicit deny in a session policy"),
        "rcp": ("with an explicit deny in a resource control policy",),
    }

    @pytest.mark.parametrize("cause, words", [(cause, words) for cause, all_of_them in WORDS.items() for words in all_of_them])
    def test_a_refusal_names_the_layer(self, subject, faults, cause, words):
        conn = subject.role(allow([*TIER1, "iam:SimulatePrincipalPolicy"])).connect()
        faults("access_denied", match={"operation": "ListMFADevices", "principal": subject.name},
               message=f"User: {subject.arn} is not authorized to perform: iam:ListMFADevices on resource: * {words}")
        report = subject.check(conn)["report"]
        one = states(report)["iam:ListMFADevices"]
        assert (one["state"], one["cause"], one["known_by"]) == ("denied", cause, "error_text")
        assert {"session": "session policy", "rcp": "resource control policy"}[cause] in one["text"] and one["aws_request_id"]
        # Nothing that the customer could add to his role's policies mends it.
        assert report["patch"]["policy"] is None and report["patch"]["by_hand"] == [one["text"]]

    def test_a_resource_control_policy_before_the_role_is_named(self, aws, org, worker):
        subject = Subject(aws, org, SHIELDED).role(allow(TIER1))
        verdict = subject.check(subject.connect())["report"]["verdict"]
        assert (verdict["state"], verdict["code"]) == ("refused", "role_not_assumable")
        assert "A resource control policy of its AWS Organization denies it" in verdict["text"], verdict
        assert "resource control policy" in verdict["aws"]["message"]
        open_role = Subject(aws, org).role(allow(TIER1), external_id=str(uuid.uuid4()))
        assert "resource control" not in open_role.check(open_role.connect())["report"]["verdict"]["text"]


class TestNoAnswer:
    def test_an_answer_that_says_nothing_replaces_none(self, aws, subject, org, faults):
        conn = subject.role(allow(set(TIER1) - {"iam:ListMFADevices"})).connect()
        subject.check(conn)
        faults("error", code="ValidationError", status=400, match={"operation": "ListMFADevices", "principal": subject.name})
        faults("error", code="ValidationError", status=400, match={"operation": "ListRoles", "principal": subject.name})
        found = states(subject.check(conn)["report"])
        assert (found["iam:ListMFADevices"]["state"], found["iam:ListRoles"]["state"]) == ("unknown", "unknown")
        kept = {one["action"]: one["state"] for one in org.all(f"/v1/connections/{conn}/permissions")}
        assert (kept["iam:ListMFADevices"], kept["iam:ListRoles"]) == ("denied", "granted")

    def test_no_answer_about_somebody_elses_instance_is_no_denial(self, aws, org, worker, faults):
        subject = Subject(aws, org, GUARDED).role(allow([*TIER1, "sso:*"]))
        faults("error", code="ValidationException", status=400, match={"operation": "ListPermissionSets", "principal": subject.name})
        found = states(subject.check(subject.connect(region="eu-central-1"))["report"])
        one = found["sso:ListPermissionSets"]
        assert (one["state"], one["required"]) == ("unknown", False) and MANAGEMENT not in one["text"]

    def test_a_check_without_a_verdict_leaves_the_reason_of_the_last_one(self, aws, subject, org, faults):
        subject.role(allow(TIER1), external_id=str(uuid.uuid4()))
        conn = subject.connect(paused=False)
        refused = org.wait_connection(conn, lambda c: c["status"]["state"] == "action_required", "refused")
        faults("error", code="ValidationError", status=400, match={"operation": "AssumeRole", "role": subject.name})
        assert subject.check(conn)["report"]["verdict"]["code"] == "check_inconclusive"
        now = org.connection(conn)
        assert (now["verification"], now["status"]) == (refused["verification"], refused["status"])
        aws.clear_faults()
        # What is ours to mend outweighs it: until then nobody can find out.
        faults("error", code="InvalidClientTokenId", status=403, match={"service": "sts"})
        assert subject.check(conn)["report"]["verdict"]["code"] == "base_identity_refused"
        assert org.connection(conn)["status"]["code"] == "base_identity_refused"


class TestMeanwhile:
    """What a person does while the worker asks AWS outweighs what the worker knew when it began."""

    @pytest.fixture
    def during(self, aws, subject, org, faults):
        """during(conn, change): a check whose calls are under way when change() happens; returns it done."""
        def check(conn, change):
            faults("slow", times=1, interval_ms=4, match={"operation": "ListAccountAliases", "principal": subject.name})
            before = aws.last()
            made = expect(org.post(f"/v1/connections/{conn}/check"), 202)
            wait_until(lambda: any(c["operation"] == "ListAccountAliases" for c in aws.calls(before)), "the calls have begun")
            change()
            assert expect(org.get(f"/v1/checks/{made['id']}"), 200)["state"] == "running"
            return expect(org.get(f"/v1/checks/{made['id']}", wait=25), 200)
        return check

    def verified(self, org, conn):
        org.wait_connection(conn, lambda c: c["verification"]["state"] == "verified", "verified")

    def test_answers_about_old_credentials_are_not_kept_as_those_about_new_ones(self, subject, org, during):
        conn = subject.role(allow(TIER1)).connect()
        self.verified(org, conn)
        auth = {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/Another"}
        done = during(conn, lambda: expect(org.patch(f"/v1/connections/{conn}", {"auth": auth}, "*"), 200))
        assert done["state"] == "done" and org.all(f"/v1/connections/{conn}/permissions") == []

    def test_a_pause_holds_back_the_first_sync(self, subject, org, database, during):
        conn = subject.role(allow(TIER1)).connect()
        self.verified(org, conn)
        database.rows("UPDATE connection SET paused = false WHERE connection_id = %s", conn.removeprefix("conn_"))
        done = during(conn, lambda: expect(org.patch(f"/v1/connections/{conn}", {"paused": True}, "*"), 200))
        assert done["report"]["verdict"]["state"] == "verified"
        subject.check(conn)  # by then the first one has long passed its end
        assert org.syncs(conn) == []
