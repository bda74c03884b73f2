"""What a sync did not ask for is not gone: devices, keys, providers, regions and reports that are not what they seem."""
import uuid

import pytest
from sync_model import compare, coverage
from waiting import wait_until

DEMO = "111122223333"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates="iam=100000,sts=100000,ec2=100000", aws_call_timeout_s=20, aws_scope_deadline_s=40, poll_ms=50)


class Account:
    """An account of its own, connected, with whatever a test put there."""

    def __init__(self, org, aws, worker, database, **world):
        self.org, self.aws, self.worker, self.database = org, aws, worker, database
        self.number = str(900_000_000_000 + uuid.uuid4().int % 99_999_999_999)
        aws.set(external_id=org.org_id)
        role = aws.world["accounts"][DEMO]["roles"]["ConnectordReadOnly"]
        aws.mutate({"op": "put_account", "account": self.number, **world, "roles": {"ConnectordReadOnly": role}})
        self.connection = org.connect(self.number, role_arn=f"arn:aws:iam::{self.number}:role/ConnectordReadOnly")["id"]
        first = wait_until(lambda: org.syncs(self.connection), lambda: worker.tail(), 60)[0]
        done = org.wait_sync(first["id"])
        assert done["state"] == "complete", (done, coverage(database, org.org_id), worker.tail())

    def change(self, op, **fields):
        return self.aws.mutate({"op": op, "account": self.number, **fields})[0]

    def sync(self, state="complete"):
        """One more sync; the operations it called."""
        before = self.aws.last()
        done = self.org.wait_sync(self.org.sync(self.connection)["id"])
        assert done["state"] == state, f"{self.not_ok()}\n{self.worker.tail()}"
        return [call["operation"] for call in self.aws.calls(before) if call["account"] == self.number]

    def not_ok(self):
        return {part: row for part, row in self.coverage().items() if row["state"] != "ok"}

    def coverage(self):
        return {part: {"state": state, "code": code, "reason": reason, "via": via} for part, state, code, reason, via in self.database.rows(
            "SELECT part, state, reason_code, reason, via FROM coverage WHERE org_id = %s", self.org.org_id)}

    def differences(self):
        """But for what the report says, which may be older than the change."""
        found = compare(self.database, self.org.org_id, self.aws.inventory(self.number))
        return [one for one in found if ": mfa_active is" not in one]

    def live(self, kind):
        return {key: attrs for key, attrs in self.database.rows(
            "SELECT key, attrs FROM entity WHERE org_id = %s AND kind = %s AND deleted_at IS NULL AND NOT stub", self.org.org_id, kind)}

    def ops(self, kind):
        return [op for op, in self.database.rows("SELECT op FROM change WHERE org_id = %s AND kind = %s AND subject = 'entity'"
                                                 " ORDER BY change_id", self.org.org_id, kind)]


@pytest.fixture
def account(org, aws, worker, database):
    aws.clear_faults()
    yield lambda **world: Account(org, aws, worker, database, **world)
    aws.clear_faults()


def many(n=8, **more):
    return {**{f"user-{i}": {} for i in range(n)}, **more}


class TestMfa:
    def test_a_passkey_beside_a_virtual_device_outlives_a_device_that_nobody_has(self, account):
        one = account(users=many(both={"mfa": ["virtual", "u2f"], "password": {}}))
        assert one.differences() == []
        one.change("set_account", unassigned_mfa=["spare"])
        one.sync()
        keys = one.live("aws.mfa_device")
        assert sorted(attrs["type"] for attrs in keys.values()) == ["u2f", "virtual", "virtual", "virtual"]  # root's, both's, spare

    def test_a_device_that_the_report_does_not_know_yet_is_found_by_the_count(self, account):
        one = account(users=many(late={"password": {}}))
        one.change("put_user", name="late", password={}, mfa=["hardware"])
        assert one.sync().count("ListMFADevices") == 9
        assert one.differences() == []
        assert one.sync().count("ListMFADevices") == 1, "its owner is known now, and nobody else is asked"
        assert one.differences() == []

    def test_a_device_outlives_a_report_that_says_there_is_none(self, account):
        """The report says no, and other devices make the count agree."""
        one = account(users=many(late={"password": {}}))
        one.change("put_user", name="late", password={}, mfa=["hardware"])
        one.sync()
        one.aws.fault("access_denied", match={"account": one.number, "operation": "GetAccountSummary"})
        one.sync("partial")
        assert one.coverage()["mfa"]["state"] == "ok" and one.differences() == []

    def test_a_user_who_is_gone_when_asked_takes_no_device_along(self, account):
        one = account(users=many(owner={"mfa": ["hardware"], "password": {}}))
        one.aws.fault("error", code="NoSuchEntity", status=404, match={"account": one.number, "operation": "ListMFADevices"})
        one.sync("partial")
        assert one.coverage()["mfa"]["state"] != "ok" and one.differences() == []

    def test_a_deleted_device_goes(self, account):
        one = account(users=many(owner={"mfa": ["hardware", "virtual"], "password": {}}))
        one.change("put_user", name="owner", password={}, mfa=["virtual"])
        one.sync()
        assert len(one.live("aws.mfa_device")) == 2


class TestKeys:
    def test_a_key_that_the_report_does_not_know_is_found_once_and_kept(self, account):
        """The report is made before the key and reused; the first sync finds the key because it could not read the report."""
        one = account(users=many(owner={}))
        one.change("put_key", user="owner")
        one.aws.fault("access_denied", match={"account": one.number, "operation": "GetCredentialReport"})
        one.sync("partial")
        assert len(one.live("aws.access_key")) == 1
        one.aws.clear_faults()
        assert one.sync().count("ListAccessKeys") == 1
        assert len(one.live("aws.access_key")) == 1 and one.differences() == []
        one.aws.mutate({"op": "delete_key", "account": one.number, "user": "owner", "id": one.aws.inventory(one.number)["users"][0]["access_keys"][0]["id"]})
        one.sync()
        assert one.live("aws.access_key") == {}

    def test_a_user_who_is_gone_when_asked_takes_no_key_along(self, account):
        one = account(users=many(owner={"keys": [{}]}, other={"keys": [{}]}))
        one.aws.fault("error", times=1, code="NoSuchEntity", status=404, match={"account": one.number, "operation": "ListAccessKeys"})
        one.sync("partial")
        row = one.coverage()["access_keys"]
        assert row["state"] == "partial" and "as they were last seen" in row["reason"]
        assert len(one.live("aws.access_key")) == 2

    def test_everybody_is_asked_once_a_day(self, account):
        one = account(users=many())
        one.change("put_key", user="user-3")
        assert one.sync().count("ListAccessKeys") == 0
        one.database.rows("UPDATE sync SET started_at = started_at - interval '25 hours' WHERE org_id = %s", one.org.org_id)
        assert one.sync().count("ListAccessKeys") == 8
        assert len(one.live("aws.access_key")) == 1


class TestReport:
    @pytest.mark.parametrize("code,status", [("ReportExpired", 410), ("ReportNotPresent", 410), ("ReportInProgress", 404)])
    def test_a_report_that_went_away_is_asked_for_again(self, demo_like, code, status):
        one = demo_like
        one.aws.fault("error", times=1, code=code, status=status, match={"account": one.number, "operation": "GetCredentialReport"})
        assert one.sync().count("GetCredentialReport") == 2
        one.aws.clear_faults()

    @pytest.mark.parametrize("spoil", ["no root", "short row", "cut"])
    def test_a_report_that_is_not_whole_takes_nothing_away(self, demo_like, spoil):
        one = demo_like
        columns = ("user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,"
                   "access_key_1_active,access_key_2_active,cert_1_active,cert_2_active")
        row = "{0},arn:aws:iam::{1}:{2},2020-01-01T00:00:00+00:00,false,N/A,N/A,false,false,false,false,false"
        rows = [row.format("<root_account>", one.number, "root")]
        rows += [row.format(f"user-{i}", one.number, f"user/user-{i}") for i in range(8)]
        rows = {"no root": rows[1:], "short row": rows[:4] + [rows[4].rsplit(",", 3)[0]] + rows[5:], "cut": rows[:4] + ["\"user-4"]}[spoil]
        before = one.live("aws.iam_user")
        one.change("set_account", report="\n".join([columns, *rows]))
        one.sync("partial")
        assert one.coverage()["credential_report"]["state"] == "partial"
        after = one.live("aws.iam_user")
        assert set(after) == set(before) and all(set(before[key]) <= set(after[key]) for key in before)
        one.change("set_account", forget_report=True)
        one.sync()
        assert one.live("aws.iam_user") == before and one.differences() == []


@pytest.fixture(scope="class")
def demo_like(server, aws, worker, database):
    aws.clear_faults()
    return Account(server.organization(), aws, worker, database, users=many(keyed={"keys": [{}], "password": {"last_used": "2024-05-06T07:08:09Z"}}))


class TestProviders:
    def test_a_provider_made_again_is_another_one(self, account):
        made = {"created": "2020-01-01T00:00:00Z"}
        one = account(users=many(), saml_providers={"corp": made}, oidc_providers={"issuer.example/x": made})
        assert one.sync() and one.ops("aws.saml_provider") == one.ops("aws.oidc_provider") == ["created"]
        for kind, name in (("saml", "corp"), ("oidc", "issuer.example/x")):
            one.change(f"delete_{kind}_provider", name=name)
            one.change(f"put_{kind}_provider", name=name, created="2021-02-03T04:05:06Z")
        one.sync()
        assert one.ops("aws.saml_provider") == one.ops("aws.oidc_provider") == ["created", "recreated"]
        assert one.differences() == []


class TestRegions:
    HOME = "us-east-1"

    def known(self, one):
        return one.live("aws.account")[f"aws:account:aws:{one.number}"]["regions"]

    def deny(self, one):
        one.aws.fault("access_denied", match={"account": one.number, "operation": "DescribeRegions"})

    def probe_fails(self, one, region, **match):
        one.aws.fault("error", code="Strange", status=400,
                      match={"account": one.number, "operation": "GetCallerIdentity", "region": region, **match})

    def test_another_way_says_so(self, demo_like):
        before = self.known(demo_like)
        self.deny(demo_like)
        assert demo_like.sync().count("GetCallerIdentity") < 40, "one call a region, and one to see who we are"
        row = demo_like.coverage()["regions"]
        assert (row["state"], row["via"], row["code"]) == ("ok", "fallback", "fallback")
        assert "ec2:DescribeRegions was denied" in row["reason"] and "not known" not in row["reason"]
        assert self.known(demo_like) == before
        demo_like.aws.clear_faults()

    @pytest.mark.parametrize("region", ["eu-west-3", "eu-south-1"])
    def test_a_region_that_does_not_answer_stays_what_it_was(self, demo_like, region):
        before = self.known(demo_like)
        assert ("eu-west-3" in before) and ("eu-south-1" not in before)
        self.deny(demo_like)
        self.probe_fails(demo_like, region)
        demo_like.sync("partial")
        row = demo_like.coverage()["regions"]
        assert row["state"] == "partial" and "did not answer" in row["reason"]
        assert self.known(demo_like) == before
        demo_like.aws.clear_faults()

    def test_no_answer_at_all_is_no_reason_to_guess(self, account):
        one = account(users=many(), regions=["eu-south-1"])
        before = self.known(one)
        assert "eu-south-1" in before
        self.deny(one)
        self.probe_fails(one, self.HOME, nth=2)  # the first says who we are
        for region in before:
            if region != self.HOME:
                self.probe_fails(one, region)
        one.sync("partial")
        row = one.coverage()["regions"]
        assert (row["state"], row["via"]) == ("denied", "") and "not known" in row["reason"], row
        assert self.known(one) == before


def live_edges(account, kind, key):
    """Live edges of a kind into an entity."""
    return account.database.value(
        "SELECT count(*) FROM edge e JOIN entity d ON d.org_id = e.org_id AND d.entity_id = e.dst_id WHERE e.org_id = %s"
        " AND e.kind = %s AND d.key LIKE %s AND e.deleted_at IS NULL", account.org.org_id, kind, "%" + key)


def test_membership_of_a_group_that_aws_did_not_list_stays(account):
    """A user's GroupList names it, the group listing does not: one of the two is wrong, and nothing is deleted on doubt."""
    one = account(groups={"dev": {}}, users={"ann": {"groups": ["dev"]}})
    assert live_edges(one, "member_of", ":group/dev") == 1
    one.change("delete_group", name="dev")
    one.change("put_user", name="ann", ghost_groups=["dev"])
    one.sync("partial")
    assert live_edges(one, "member_of", ":group/dev") == 1
    assert one.not_ok()["users"]["code"] == "group_not_listed"


def test_trust_that_cannot_be_read_any_more_stays_as_it_was(account):
    one = account()
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                                     "Action": "sts:AssumeRole"}]}
    one.change("put_role", name="app", trust=trust)
    one.sync()
    assert live_edges(one, "trusts", ":role/app") == 1
    one.change("set_trust", role="app", document='{"Statement": [], "Statement": []}')
    one.sync()
    role = one.live("aws.iam_role")[f"arn:aws:iam::{one.number}:role/app"]
    assert role["trust_document_state"] == "malformed"
    assert live_edges(one, "trusts", ":role/app") == 1
    one.change("set_trust", role="app", document={**trust, "Statement": []})
    one.sync()
    assert live_edges(one, "trusts", ":role/app") == 0


def test_what_is_asked_item_by_item_is_no_more_complete_than_the_list(account):
    one = account(users=many(2, root_key={"keys": [{"id": "AKIADOUBTDOUBTDOUBT1"}]}))
    one.aws.fault("access_denied", match={"operation": "ListAccessKeys", "account": one.number})
    one.sync("partial")
    assert {"access_keys", "key_last_used"} <= one.not_ok().keys()
