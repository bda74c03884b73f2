"""We are gentle: no more calls than the best bulk form needs."""
import pytest
from waiting import wait_until

ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates="iam=1000")


@pytest.fixture(scope="module")
def synced(start_server, aws, worker):
    org = start_server().organization()
    aws.set(external_id=org.org_id)
    made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
    first = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 60)[0]
    assert org.wait_sync(first["id"])["state"] == "complete"
    return org, made["id"]


def sync_again(synced, aws):
    org, connection = synced
    before = aws.last()
    org.complete_sync(connection)
    return [call["operation"] for call in aws.calls(before)]


def test_only_users_with_keys_are_asked_for_keys_and_the_report_knows_their_last_use(synced, aws):
    made = sync_again(synced, aws)
    with_keys = [u for u in aws.inventory(ACCOUNT)["users"] if u["access_keys"]]
    assert made.count("ListAccessKeys") == len(with_keys)
    assert made.count("GetAccessKeyLastUsed") == 0


def test_documents_of_aws_managed_policies_are_fetched_once(synced, aws):
    assert sync_again(synced, aws).count("GetPolicyVersion") == 0


def test_no_principal_is_asked_for_one_by_one(synced, aws):
    made = set(sync_again(synced, aws))
    assert not made & {"GetUser", "GetRole", "GetGroup", "ListUserPolicies", "ListRolePolicies", "ListGroupPolicies",
                       "ListAttachedUserPolicies", "ListAttachedRolePolicies", "ListGroups", "GetPolicy", "ListPolicyVersions"}


def test_regions_come_from_one_call(synced, aws):
    made = sync_again(synced, aws)
    assert made.count("DescribeRegions") == 1 and made.count("ListRegions") == 0
