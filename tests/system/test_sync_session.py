"""The session policy: even a role that may do everything yields a session that may only read identities."""
import boto3
import pytest
from botocore.exceptions import ClientError
from waiting import wait_until

ACCOUNT = "111122223333"


def role(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates="iam=1000")


def client(service, aws, session):
    return boto3.client(service, endpoint_url=aws.endpoint, region_name="us-east-1", aws_access_key_id=session["AccessKeyId"],
                        aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session.get("SessionToken"))


def assume(aws, org, **more):
    base = aws.base_credentials()
    sts = client("sts", aws, {"AccessKeyId": base["AWS_ACCESS_KEY_ID"], "SecretAccessKey": base["AWS_SECRET_ACCESS_KEY"]})
    return sts.assume_role(RoleArn=role("ConnectordAdmin"), RoleSessionName="test", ExternalId=org.org_id, **more)["Credentials"]


@pytest.fixture(scope="module")
def synced(start_server, aws, worker):
    """An organization that connected an administrator's role, and the policy of its sync's session."""
    org = start_server().organization()
    aws.set(external_id=org.org_id)
    made = org.connect(ACCOUNT, role_arn=role("ConnectordAdmin"))
    first = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 60)[0]
    assert org.wait_sync(first["id"])["state"] == "complete", worker.tail()
    sessions = [c for c in aws.calls() if c["operation"] == "AssumeRole" and c["status"] == 200]
    return org, sessions


def test_every_session_is_named_bound_and_short(synced):
    org, sessions = synced
    assert sessions
    for session in sessions:
        assert session["external_id"] == org.org_id
        assert session["session_name"].startswith("connectord-")
        assert 0 < len(session["session_policy"]) <= 2048
        assert 900 <= int(session["duration_s"]) <= 3600


def test_what_the_role_may_do_the_session_may_not(synced, aws):
    org, sessions = synced
    free, bound = assume(aws, org), assume(aws, org, Policy=sessions[-1]["session_policy"])
    assert client("iam", aws, bound).list_users()["Users"]
    beyond = [("organizations", "describe_organization", {}), ("account", "get_alternate_contact", {"AlternateContactType": "SECURITY"}),
              ("sts", "assume_role", {"RoleArn": role("ConnectordLong"), "RoleSessionName": "again"})]
    for service, call, params in beyond:
        with pytest.raises(ClientError) as caught:
            getattr(client(service, aws, bound), call)(**params)
        assert caught.value.response["Error"]["Code"].startswith("AccessDenied"), (service, call)
    # The same call is refused for another reason, or not at all, without the policy: it is the policy that binds.
    try:
        client("organizations", aws, free).describe_organization()
    except ClientError as error:
        assert not error.response["Error"]["Code"].startswith("AccessDenied")
