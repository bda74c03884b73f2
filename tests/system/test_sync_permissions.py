"""We ask for exactly the permissions that we use: what syncs and checks call is what the catalogue publishes, both ways.

A collector that lands marks its capability `landed` in base/permission.yaml, and joins the ways of this file when some of its
calls are only made on a detour."""
import pytest
from api import expect
from catalogue import actions_of, capabilities, granted
from waiting import wait_until

DEMO = "111122223333"
ROLE = "connectord"
RATES = "iam=1000,sts=1000,ec2=1000,account=1000,sso-admin=1000"
# What is withdrawn, so that the product goes another way round.
WAYS = {
    "straight": (),
    "without the bulk call": ("iam:GetAccountAuthorizationDetails",),
    "without the report": ("iam:GenerateCredentialReport", "iam:GetCredentialReport"),
    "without EC2's regions": ("ec2:DescribeRegions",),
    "without any list of regions": ("ec2:DescribeRegions", "account:ListRegions"),
}
CHECK = "check"


def landed():
    return set().union(*(actions_of(c) for c in capabilities().values() if c.get("landed")))


@pytest.fixture(scope="module")
def calls(start_awssim, start_worker, start_server):
    """{way: [call]}: everything that was called with the account's own credentials."""
    aws = start_awssim("demo")
    worker = start_worker(aws, aws_rates=RATES)
    org = start_server(vendor_account=aws.vendor_account).organization()
    made = expect(org.get("/v1/aws/setup", tiers="1"), 200)
    documents = [policy["document"] for policy in made["policies"]]

    def permit(without):
        allowed = sorted({action for document in documents for action, _ in granted(document)} - set(without))
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
        aws.mutate({"op": "put_role", "account": DEMO, "name": ROLE, "trust": made["trust_policy"], "inline": {"all": document}})

    def ours(since):
        return [call for call in aws.calls(since) if call.get("account") == DEMO]
    permit(())
    connection = org.connect(DEMO, role_arn=f"arn:aws:iam::{DEMO}:role/{ROLE}")["id"]
    first = wait_until(lambda: org.syncs(connection), lambda: worker.tail(), 60)[0]
    assert org.wait_sync(first["id"])["state"] == "complete", worker.tail()
    found = {"straight": ours(0)}
    for way, without in list(WAYS.items())[1:]:
        permit(without)
        before = aws.last()
        done = org.wait_sync(org.sync(connection)["id"])
        assert done["state"] in ("complete", "partial"), (way, done, worker.tail())
        found[way] = ours(before)
    permit(())
    before = aws.last()
    check = org.post(f"/v1/connections/{connection}/check", {"tiers": [1, 2, 3]}).json()
    wait_until(lambda: expect(org.get(f"/v1/checks/{check['id']}"), 200)["finished_at"], lambda: worker.tail(), 60)
    found[CHECK] = ours(before)
    return found


def test_a_sync_calls_nothing_that_is_not_published_as_in_use(calls):
    for way in WAYS:
        assert {call["action"] for call in calls[way]} - landed() == set(), way


def test_a_check_calls_nothing_that_is_not_published(calls):
    known = set().union(*(actions_of(c) for c in capabilities().values()))
    assert calls[CHECK] and {call["action"] for call in calls[CHECK]} - known == set()


def test_everything_that_is_published_as_in_use_is_called(calls):
    called = {call["action"] for made in calls.values() for call in made}
    assert landed() - called == set()


def test_a_straight_sync_is_allowed_everything_it_calls(calls):
    denied = [call for call in calls["straight"] if call.get("code") in ("AccessDenied", "UnauthorizedOperation", "AccessDeniedException")]
    assert not denied


def test_each_way_round_was_really_gone(calls):
    for way, without in WAYS.items():
        tried = {call["action"]: call.get("code") for call in calls[way]}
        for action in without:
            assert action not in tried or tried[action], f"{way}: {action} was allowed"
    assert "iam:ListGroupPolicies" in {call["action"] for call in calls["without the bulk call"]}
    assert "iam:GetAccessKeyLastUsed" in {call["action"] for call in calls["without the report"]}
    assert "account:ListRegions" in {call["action"] for call in calls["without EC2's regions"]}
