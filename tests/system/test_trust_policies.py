"""Twelve trust policies: only a role that demands our external ID is used, and what a probe was handed is never used at all.

The second half asks what a session of ours may do: nothing that changes, sets up or reads activity, whatever the role may."""
import json
import subprocess
import uuid

import pytest
from catalogue import actions_of, capabilities, expected
from simulator import HOME, node

ACCOUNT, VENDOR = "111122223333", "469725248735"
NOT_ENFORCED = "external_id_not_enforced"
# Accepted are: exactly ours; ours among two (whoever wrote the other in lets it in, not us); ours in any case, for no other
# organization's ID differs in case only. Both are flagged where the role may be read, which here it may not: test_trust_shared.
CASES = {"right": "", "none": NOT_ENFORCED, "not-null": NOT_ENFORCED, "like-any": NOT_ENFORCED, "if-exists": NOT_ENFORCED, "two-tenants": "",
         "case-folded": "", "deny-and-allow": NOT_ENFORCED, "anyone": NOT_ENFORCED, "wrong-then-right": "role_not_assumable",
         "right-then-none": ""}


def role(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def trust(external_id):
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole"}
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
    return {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}


class Onboarded:
    """An organization with a connection to every role, each with its verdict."""

    def __init__(self, aws, org, worker):
        self.aws, self.org, self.worker = aws, org, worker
        aws.set(external_id=org.org_id, other_external_id=str(uuid.uuid4()))
        self.ids = {name: org.connect(ACCOUNT, role_arn=role(name))["id"] for name in CASES}
        for name, code in CASES.items():
            self.wait_verdict(name, "refused" if code else "verified", code)
        for name in self.accepted():
            assert org.wait_first_sync(self.ids[name])["state"] == "complete"

    def accepted(self):
        return [name for name, code in CASES.items() if not code]

    def wait_verdict(self, name, state, code=""):
        def right(connection):
            found = connection["verification"]
            return found["state"] == state and (found["code"] or "") == code
        return self.org.wait_connection(self.ids[name], right, f"({name}) is {state} {code}\n{self.worker.tail()}", 60)

    def assumed(self, name=None, since=0):
        return [c for c in self.aws.calls(since) if c["operation"] == "AssumeRole" and (name is None or c["role_arn"] == role(name))]

    def used(self):
        return {c["access_key_id"] for c in self.aws.calls() if c.get("access_key_id")}

    def sync_policies(self):
        """The session policies of what read identities."""
        readers = {c["access_key_id"] for c in self.aws.calls() if c["operation"] == "GetAccountAuthorizationDetails"}
        return {c["session_policy"] for c in self.assumed() if c.get("issued_key_id") in readers}


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("external-id")


@pytest.fixture(scope="module")
def onboarded(aws, start_server, start_worker):
    server = start_server(vendor_account=VENDOR)
    worker = start_worker(aws, aws_rates="iam=1000", aws_call_timeout_s=60, poll_ms=50, new_role_grace_s=0)
    return Onboarded(aws, server.organization(), worker)


def test_all_cases_of_the_world_are_asked(onboarded):
    there = set(onboarded.aws.world["accounts"][ACCOUNT]["roles"])
    assert there == set(CASES)


def test_every_session_that_is_used_was_opened_by_our_id(onboarded):
    used, org_id = onboarded.used(), onboarded.org.org_id
    for name in onboarded.accepted():
        sessions = [c for c in onboarded.assumed(name) if c.get("issued_key_id") in used]
        assert sessions and {c["external_id"] for c in sessions} == {org_id}, name
        assert all(c["session_policy"] for c in sessions)


def test_what_a_probe_was_handed_is_never_used(onboarded):
    used, org_id, handed = onboarded.used(), onboarded.org.org_id, 0
    for call in onboarded.assumed():
        if call.get("issued_key_id") and call.get("external_id") != org_id:
            handed += 1
            assert call["issued_key_id"] not in used, call
            policy = json.loads(call["session_policy"])
            assert [(s["Effect"], s["Action"]) for s in policy["Statement"]] == [("Deny", "*")], "it could not do anything either"
    assert handed >= 6, "the loose roles let the probes in"


def test_nothing_is_called_with_a_role_that_is_refused(onboarded):
    used = onboarded.used()
    for name in set(CASES) - set(onboarded.accepted()):
        assert onboarded.assumed(name), name
        assert not [c for c in onboarded.assumed(name) if c.get("issued_key_id") in used], name


def test_what_is_sent_is_ours_or_made_up_for_once_or_nothing(onboarded):
    sent = [c.get("external_id") for c in onboarded.assumed()]
    others = [s for s in sent if s and s != onboarded.org.org_id]
    assert None in sent and onboarded.org.org_id in sent and others
    assert len(set(others)) == len(others), "a made-up ID that is sent twice could be put into a trust policy"
    assert all(len(s) >= 32 for s in others) and not {s[:8] for s in others} & {onboarded.org.org_id[:8]}


def test_a_condition_that_is_taken_away_ends_the_use(onboarded, database):
    org, connection = onboarded.org, onboarded.ids["right-then-none"]
    onboarded.aws.mutate({"op": "set_trust", "account": ACCOUNT, "role": "right-then-none", "document": trust(None)})
    database.rows("UPDATE schedule SET next_at = now() WHERE connection_id = %s AND kind = 'verify'", connection.removeprefix("conn_"))
    found = onboarded.wait_verdict("right-then-none", "refused", NOT_ENFORCED)
    assert found["status"]["state"] == "action_required", found["status"]
    before = onboarded.aws.last()
    done = org.wait_sync(org.sync(connection)["id"])
    assert (done["state"], done["reason_code"]) == ("failed", NOT_ENFORCED)
    assert {c["operation"] for c in onboarded.aws.calls(before) if c.get("role_arn") == role("right-then-none")} <= {"AssumeRole"}
    assert not [c for c in onboarded.assumed("right-then-none", before) if c.get("issued_key_id") in onboarded.used()]


def test_verification_is_asked_at_least_once_a_day(database, onboarded):
    late = database.value("SELECT max(extract(epoch FROM next_at - now())) FROM schedule WHERE kind = 'verify'")
    assert late <= 86400 * 1.1, "what is taken away is noticed within a day"


DECIDE = """
import { decide } from "./policy.mjs";
let text = ""; for await (const part of process.stdin) text += part;
const { documents, asks } = JSON.parse(text);
console.log(JSON.stringify(asks.map(([action, resource]) => decide(documents, { action, resource, context: {} }) ?? "")));
"""


def decided(policy, asks):
    done = subprocess.run([node(), "--input-type=module", "-e", DECIDE], cwd=HOME, capture_output=True, text=True, timeout=60,
                          input=json.dumps({"documents": [policy], "asks": asks}), check=True)
    return json.loads(done.stdout)


def of_tier(*tiers):
    return [c for c in capabilities().values() if c["tier"] in tiers]


def test_no_session_of_a_sync_may_do_what_a_sync_does_not(onboarded):
    policies = onboarded.sync_policies()
    ours = set().union(*(actions_of(c) for c in of_tier(1)))
    asks = sorted((action, resource.replace("*", "x")) for action, resource in
                  expected([c["name"] for c in of_tier(4)], bucket="b", key_arn="arn:aws:kms:us-east-1:111122223333:key/k") if action not in ours)
    assert len(asks) > 40 and policies
    for policy in policies:
        verdicts = decided(json.loads(policy), asks)
        assert [ask for ask, verdict in zip(asks, verdicts) if verdict == "allow"] == []
        # The judge is not blind: what a sync reads, it allows.
        assert decided(json.loads(policy), [("iam:ListUsers", "*"), ("iam:GetAccountAuthorizationDetails", "*")]) == ["allow"] * 2


def test_nothing_that_writes_is_allowed_by_a_pattern(onboarded):
    """Patterns such as iam:Get* grow with AWS: none may cover a verb that writes."""
    policies = onboarded.sync_policies()
    writes = [f"iam:{verb}{noun}" for verb in ("Create", "Put", "Attach", "Detach", "Delete", "Update", "Add", "Remove", "Set", "Tag", "Pass", "Upload",
                                               "Enable", "Deactivate") for noun in ("Role", "User", "RolePolicy", "AccessKey", "LoginProfile")]
    others = ["sts:AssumeRole", "sts:GetFederationToken", "sts:GetSessionToken", "s3:GetObject", "kms:Decrypt", "secretsmanager:GetSecretValue",
              "ssm:GetParameter", "lambda:InvokeFunction", "ec2:RunInstances", "organizations:LeaveOrganization"]
    for policy in policies:
        assert set(decided(json.loads(policy), [(a, "arn:aws:iam::111122223333:x") for a in writes + others])) == {"deny"}
