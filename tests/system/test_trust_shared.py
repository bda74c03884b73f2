"""Trust policies that let us in with our external ID and with more: no probe can find that out, the policy tells. A warning each."""
import uuid

import pytest
from api import expect
from test_api_check import ACCOUNT, TIER1, VENDOR, Subject, allow, aws, document, draft, states, subject, trust, worker

OTHER = str(uuid.uuid4())
VENDOR_ROOT = f"arn:aws:iam::{VENDOR}:root"
SHARED, INEXACT = "external_id_shared", "external_id_inexact"
__all__ = ["aws", "subject", "worker"]  # fixtures


def statement(values, operator="StringEquals", principal=VENDOR_ROOT, effect="Allow"):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": {operator: {"sts:ExternalId": values}}}


# Statements by our external ID; the code, and what else lets us in.
CASES = {
    "list": (lambda ours: [statement([ours, OTHER])], SHARED, lambda ours: [OTHER]),
    "two-statements": (lambda ours: [statement(ours), statement(OTHER, principal=VENDOR)], SHARED, lambda ours: [OTHER]),
    "any-case": (lambda ours: [statement(ours, "StringEqualsIgnoreCase")], INEXACT, lambda ours: [ours]),
    "pattern": (lambda ours: [statement(ours[:-4] + "*", "StringLike")], INEXACT, lambda ours: [ours[:-4] + "*"]),
    "pattern-of-another": (lambda ours: [statement([ours, OTHER[:8] + "*"], "StringLike")], SHARED, lambda ours: [OTHER[:8] + "*"]),
    "another-vendor": (lambda ours: [statement(ours), statement("theirs", principal="arn:aws:iam::777788889999:root")], "", lambda ours: []),
    "denied-again": (lambda ours: [statement([ours, OTHER]), statement(ours, "StringNotEquals", effect="Deny")], "", lambda ours: []),
}


def set_trust(subject, policy):
    subject.aws.mutate({"op": "set_trust", "account": ACCOUNT, "role": subject.name, "document": policy})


@pytest.mark.parametrize("case", CASES)
def test_a_check_says_what_else_lets_us_in(subject, org, case):
    statements, code, others = CASES[case]
    subject.role(allow(TIER1))
    set_trust(subject, document(*statements(org.org_id)))
    report = subject.check(subject.connect())["report"]
    assert (report["verdict"]["state"], report["verdict"]["code"]) == ("verified", code), report["verdict"]
    found = report["external_id"]
    assert (found["enforced"], found["shared"], found["others"]) == (True, bool(code), others(org.org_id))
    assert found["text"]
    if not code:
        assert found["statement"] is None
        return
    # The remedy works: with the corrected statement alone there is nothing left to say.
    assert found["statement"]["Condition"] == {"StringEquals": {"sts:ExternalId": org.org_id}}
    set_trust(subject, document(found["statement"]))
    mended = expect(draft(org, subject.arn), 200)["report"]
    assert (mended["verdict"]["code"], mended["external_id"]["shared"]) == ("", False)


def test_a_shared_connection_goes_on_and_is_degraded_until_it_is_mended(subject, org):
    subject.role(allow(TIER1))
    set_trust(subject, document(statement([org.org_id, OTHER])))
    conn = subject.connect(paused=False)
    first = org.wait_first_sync(conn)
    assert first["state"] == "complete"
    shown = org.wait_connection(conn, lambda c: c["status"]["code"] == SHARED, "told by verification alone")
    assert (shown["status"]["state"], shown["verification"]["state"], shown["external_id_enforced"]) == ("degraded", "verified", True)
    assert "other external IDs" in shown["status"]["text"] and "corrected statement" in shown["status"]["remedy"]
    # Of a role that may not be read nothing new is known, and so nothing is forgotten.
    subject.role(allow(set(TIER1) - {"iam:GetRole"}))
    set_trust(subject, document(statement([org.org_id, OTHER])))
    report = subject.check(conn)["report"]
    assert (report["verdict"]["code"], report["external_id"]["shared"]) == (SHARED, None)
    assert org.connection(conn)["status"]["code"] == SHARED
    subject.role(allow(TIER1))
    set_trust(subject, trust(org.org_id))
    subject.check(conn)
    assert org.connection(conn)["status"]["state"] == "synced"


def test_without_the_right_to_read_the_role_it_is_not_known(subject, org):
    subject.role(allow(set(TIER1) - {"iam:GetRole"}))
    set_trust(subject, document(statement([org.org_id, OTHER])))
    report = subject.check(subject.connect())["report"]
    assert (report["verdict"]["state"], report["verdict"]["code"]) == ("verified", "")
    assert (report["external_id"]["enforced"], report["external_id"]["shared"], report["external_id"]["others"]) == (True, None, [])
    assert "iam:GetRole" in report["external_id"]["text"]
    assert states(report)["iam:GetRole"]["state"] == "denied"


def test_the_look_may_do_nothing_else(subject, org):
    before = subject.aws.last()
    subject.role(allow(TIER1))
    subject.check(subject.connect())
    calls = [c for c in subject.aws.calls(before) if c["operation"] == "AssumeRole" and "iam:GetRole\"" in c["session_policy"]]
    assert calls and all(c["external_id"] == org.org_id and c["duration_s"] == 900 for c in calls)
    keys = {c["issued_key_id"] for c in calls}
    assert {c["operation"] for c in subject.aws.calls(before) if c.get("access_key_id") in keys} == {"GetRole"}
