"""Connection checks: what works, what does not and why, what mends it; and the status that follows from it."""
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from api import expect
from catalogue import actions_of, capabilities, granted
from contract import check_answer, contract
from processes import ROOT
from waiting import wait_until

ACCOUNT, GUARDED, MANAGEMENT, VENDOR = "111122223333", "444455556666", "777788889999", "469725248735"
KEY = ("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003")
SIMULATE = "iam:SimulatePrincipalPolicy"
TIER1 = sorted({action for c in capabilities().values() if c["tier"] == 1 and not c.get("organization_only") and not c.get("by_name")
                for action in actions_of(c)})
DOCUMENT = contract()
RATES = "iam=1000,sts=1000,ec2=1000,account=1000,sso-admin=1000"


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim(ROOT / "tests/data/worlds/check.yaml")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    return start_worker(aws, aws_rates=RATES, poll_ms=50, new_role_grace_s=0)


def allow(actions, **more):
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": "*", **more}


def deny(*actions):
    return {"Effect": "Deny", "Action": sorted(actions), "Resource": "*"}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(external_id):
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
    return document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole", **condition})


class Subject:
    """A role of a customer with the policies of a case, and the connection to it."""

    def __init__(self, aws, org, account=ACCOUNT):
        self.aws, self.org, self.account = aws, org, account
        self.name = f"Checked-{uuid.uuid4().hex[:8]}"
        self.arn = f"arn:aws:iam::{account}:role/{self.name}"

    def role(self, *statements, boundary=None, external_id=...):
        wanted = self.org.org_id if external_id is ... else external_id
        self.aws.mutate({"op": "put_role", "account": self.account, "name": self.name, "trust": trust(wanted),
                         "inline": {"case": document(*statements)}, **({"boundary": boundary} if boundary else {})})
        return self

    def policy(self, name, policy):
        self.aws.mutate({"op": "put_inline_policy", "account": self.account, "role": self.name, "name": name, "document": policy})

    def connect(self, paused=True, **fields):
        """Paused unless a case is about syncs: nothing runs but what the case asks for."""
        made = self.org.connect(self.account, role_arn=self.arn, paused=paused, **fields)
        return made["id"]

    def check(self, conn, **body):
        answer = self.org.post(f"/v1/connections/{conn}/check?wait=25", body or None)
        while answer.status_code == 409:  # one that a sync asked for is under way
            expect(self.org.get(answer.headers["Location"], wait=25), 200)
            answer = self.org.post(f"/v1/connections/{conn}/check?wait=25", body or None)
        done = expect(answer, 200)
        assert done["state"] == "done", done
        check_answer(DOCUMENT, "POST", "/v1/connections/{conn_id}/check", answer)
        check_answer(DOCUMENT, "GET", "/v1/connections/{conn_id}/permissions", self.org.get(f"/v1/connections/{conn}/permissions"))
        return done


@pytest.fixture
def subject(aws, org, worker):
    return Subject(aws, org)


def states(report):
    """By action, as in the first capability that has it."""
    return {one["action"]: one for one in reversed(report["permissions"]["actions"])}


def answers(rows):
    return {(one["capability"], one["action"]): (one["state"], one["cause"], one["known_by"], one["text"]) for one in rows}


class TestReport:
    def test_everything_granted(self, subject, org):
        conn = subject.role(allow(TIER1)).connect()
        done = subject.check(conn)
        report = done["report"]
        assert report["verdict"] == {"state": "verified", "code": "", "text": report["verdict"]["text"], "aws": None}
        assert [(s["step"], s["state"]) for s in report["role_chain"]] == [
            ("assume_role_with_external_id", "ok"), ("assume_role_without_external_id", "ok"),
            ("assume_role_with_random_external_id", "ok"), ("get_caller_identity", "ok")]
        assert all(s["aws"]["request_id"] for s in report["role_chain"][1:3])
        assert report["account"] == {"wanted": ACCOUNT, "found": ACCOUNT, "partition": "aws", "matches": True}
        assert {**report["external_id"], "text": ""} == {"wanted": org.org_id, "enforced": True, "shared": False, "others": [], "text": "",
                                                         "statement": None}
        found = states(report)
        assert {action for action, one in found.items() if one["state"] == "granted"} >= set(TIER1) - {"iam:GetAccessKeyLastUsed"}
        assert found["iam:ListUsers"]["known_by"] == "live_call"
        assert (found["identitystore:ListUsers"]["state"], found["organizations:ListRoots"]["state"]) == ("not_applicable",) * 2
        assert report["permissions"]["summary"]["denied"] == 0 and report["patch"] is None
        assert 30 < report["calls"] < 60
        assert org.connection(conn)["status"]["state"] == "paused"

    def test_the_last_answers_are_kept_per_account(self, subject, org):
        conn = subject.role(allow(set(TIER1) - {"iam:ListMFADevices"})).connect()
        path = f"/v1/connections/{conn}/permissions"
        assert expect(org.get(path), 200) == {"data": [], "next_cursor": None, "capabilities": []}
        done = subject.check(conn)
        page = expect(org.get(path, limit=500), 200)
        assert answers(page["data"]) == answers(done["report"]["permissions"]["actions"])
        assert {one["account_id"] for one in page["data"]} == {ACCOUNT} and {one["check_id"] for one in page["data"]} == {done["id"]}
        identities = next(c for c in page["capabilities"] if c["name"] == "iam_identities")
        assert (identities["state"], identities["denied_actions"], identities["accounts"]) == ("denied", ["iam:ListMFADevices"], 1)
        assert org.all(path, limit=7) == page["data"]
        assert [one["action"] for one in org.all(path, state="denied")] == ["iam:ListMFADevices"]
        assert {one["tier"] for one in org.all(path, tier=2)} == {2}
        subject.policy("more", document(allow(["iam:ListMFADevices"])))
        subject.check(conn)
        assert org.all(path, state="denied") == []
        # Other credentials, other answers: these are about a role that is not used any more.
        auth = {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/Another"}
        expect(org.patch(f"/v1/connections/{conn}", {"auth": auth}, "*"), 200)
        assert org.all(path) == []

    LIVE = {
        "implicit": (lambda: [allow(set(TIER1) - {"iam:ListMFADevices"})], None, ACCOUNT),
        "explicit": (lambda: [allow(TIER1), deny("iam:ListMFADevices")], None, ACCOUNT),
        "scp": (lambda: [allow(TIER1)], None, GUARDED),
    }

    @pytest.mark.parametrize("simulated", [False, True])
    @pytest.mark.parametrize("cause", LIVE)
    def test_a_refused_call_says_what_refuses_it(self, aws, org, worker, cause, simulated):
        statements, boundary, account = self.LIVE[cause]
        subject = Subject(aws, org, account).role(*statements(), *([allow([SIMULATE])] if simulated else []), boundary=boundary)
        done = subject.check(subject.connect())
        one = states(done["report"])["iam:ListMFADevices"]
        assert (one["state"], one["cause"], one["known_by"]) == ("denied", cause, "error_text")
        assert one["aws_request_id"] and "iam:ListMFADevices" in one["text"] and one["required"]
        assert done["report"]["permissions"]["simulated"] is simulated
        patch = done["report"]["patch"]
        if cause == "implicit":
            assert granted(patch["policy"]) == {("iam:ListMFADevices", "*")} and patch["by_hand"] == []
        else:
            assert patch["policy"] is None and [one["text"]] == patch["by_hand"]

    def test_a_boundary_is_told_apart(self, subject):
        done = subject.check(subject.role(allow(TIER1), boundary="Bound").connect())
        found = states(done["report"])
        assert (found["iam:GetAccountSummary"]["state"], found["iam:GetAccountSummary"]["cause"]) == ("denied", "boundary")
        assert found["iam:ListUsers"]["state"] == "granted"
        patch = done["report"]["patch"]
        assert patch["policy"] is None and ("iam:GetAccountSummary", "*") in granted(patch["boundary"])

    SIMULATED = {
        "granted": (lambda: [allow(["rds:*"])], None, ACCOUNT),
        "implicit": (lambda: [allow(["rds:DescribeDBInstances"])], None, ACCOUNT),
        "explicit": (lambda: [allow(["rds:*"]), deny("rds:DescribeDBClusters")], None, ACCOUNT),
        "boundary": (lambda: [allow(["rds:*"])], "Bound", ACCOUNT),
        "scp": (lambda: [allow(["rds:*"])], None, GUARDED),
    }

    @pytest.mark.parametrize("cause", SIMULATED)
    def test_what_is_not_called_is_simulated(self, aws, org, worker, cause):
        statements, boundary, account = self.SIMULATED[cause]
        subject = Subject(aws, org, account).role(allow([SIMULATE]), *statements(), boundary=boundary)
        done = subject.check(subject.connect(), capabilities=["rds", "preflight_simulation"])
        found = states(done["report"])
        assert found[SIMULATE]["state"] == "granted" and done["report"]["permissions"]["simulated"] is True
        one = found["rds:DescribeDBClusters"]
        assert (one["state"], one["cause"]) == (("granted", None) if cause == "granted" else ("denied", cause))
        assert one["known_by"] == "simulation"
        if cause == "implicit":
            assert granted(done["report"]["patch"]["policy"]) == {("rds:DescribeDBClusters", "*"), ("rds:ListTagsForResource", "*")}
            assert found["rds:DescribeDBInstances"]["state"] == "granted"

    def test_what_nobody_answers_stays_unknown(self, subject):
        done = subject.check(subject.role(allow(["rds:*"])).connect(), tiers=[1, 2, 3])
        found = {action: one for action, one in states(done["report"]).items() if one["tier"] == 3}
        assert len(found) > 50 and {one["state"] for one in found.values()} == {"unknown"}
        assert SIMULATE in found["rds:DescribeDBClusters"]["text"]
        assert capabilities()["preflight_simulation"]["lost"].endswith("stays unknown.")

    def test_everything_at_once_takes_few_calls(self, aws, subject):
        conn = subject.role(allow(["*"])).connect()
        before = aws.last()
        report = subject.check(conn, tiers=[1, 2, 3, 4])["report"]
        counts = [call["operation"] for call in aws.calls(before)]
        assert counts.count("SimulatePrincipalPolicy") < 20 and len(counts) < 80
        assert report["permissions"]["summary"]["unknown"] == report["permissions"]["summary"]["denied"] == 0
        assert len(json.dumps(report)) < 150_000

    def test_a_simulation_that_hangs_on_a_condition_is_no_answer(self, subject):
        vpc = {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}
        done = subject.check(subject.role(allow([SIMULATE]), allow(["rds:*"], **vpc)).connect(), capabilities=["rds"])
        one = states(done["report"])["rds:DescribeDBClusters"]
        assert one["state"] == "unknown" and "condition" in one["text"]

    def test_resources_of_tier_4_are_simulated_as_they_are_published(self, subject, org):
        conn = subject.role(allow([SIMULATE]), {**allow(["iam:CreateRole"]), "Resource": "arn:aws:iam::*:role/connectord-*"}).connect()
        done = subject.check(conn, capabilities=["setup_roles", "activity_history"])
        found = states(done["report"])
        assert found["iam:CreateRole"]["state"] == "granted"
        assert (found["iam:DeleteRole"]["state"], found["s3:ListBucket"]["state"]) == ("denied", "not_applicable")
        assert ("iam:DeleteRole", "arn:aws:iam::*:role/connectord-*") in granted(done["report"]["patch"]["policy"])


class TestIdentityCenter:
    def test_no_instance_where_it_is_looked_for(self, aws, org, worker):
        subject = Subject(aws, org, MANAGEMENT).role(allow(TIER1))
        found = states(subject.check(subject.connect())["report"])
        assert found["sso:ListPermissionSets"]["state"] == "not_applicable" and "us-east-1" in found["sso:ListPermissionSets"]["text"]

    def test_somebody_elses_instance(self, aws, org, worker):
        subject = Subject(aws, org, GUARDED).role(allow([*TIER1, "sso:*"]))
        found = states(subject.check(subject.connect(region="eu-central-1"))["report"])
        one = found["sso:ListPermissionSets"]
        assert one["state"] == "not_applicable" and MANAGEMENT in one["text"]

    def test_found_and_not_granted_it_is_missing(self, aws, org, worker):
        subject = Subject(aws, org, MANAGEMENT).role(allow([*TIER1]))
        conn = subject.connect(paused=False, region="eu-central-1")
        done = subject.check(conn)
        one = states(done["report"])["sso:ListPermissionSets"]
        assert (one["state"], one["required"]) == ("denied", True)
        org.wait_first_sync(conn)
        status = org.wait_connection(conn, lambda c: c["status"]["state"] == "action_required", "says so")["status"]
        assert status["code"] == "identity_center_permission_missing" and "sso:ListPermissionSets" in status["text"]
        subject.policy("tier2", document(allow(["sso:*", "identitystore:*"])))
        assert states(subject.check(conn)["report"])["sso:ListPermissionSets"]["state"] == "granted"
        assert org.connection(conn)["status"]["state"] == "synced"


def draft(org, role_arn=None, account=ACCOUNT, key=None, wait=25):
    auth = ({"method": "access_key", "access_key_id": key[0], "secret_access_key": key[1]} if key
            else {"method": "assume_role", "role_arn": role_arn})
    return org.post(f"/v1/connections?validate_only=true&wait={wait}",
                    {"name": "draft", "authoritative_status": "none", "aws_account_id": account, "region": "us-east-1", "auth": auth})


def row_of(database, check):
    return database.rows("SELECT k::text, draft, draft_sealed, state FROM connection_check k WHERE check_id = %s",
                         check["id"].removeprefix("chk_"))[0]


class TestDraft:
    def test_a_draft_is_checked_and_nothing_is_saved(self, subject, org, database):
        subject.role(allow(TIER1))
        done = expect(draft(org, subject.arn), 200)
        assert (done["state"], done["connection_id"], done["report"]["verdict"]["state"]) == ("done", None, "verified")
        assert done["report"]["permissions"]["summary"]["denied"] == 0
        assert org.all("/v1/connections") == [] and org.all("/v1/syncs") == []
        for table in ("connection", "schedule", "task", "sync", "connection_permission"):
            assert database.value(f"SELECT count(*) FROM {table} WHERE org_id = %s", org.org_id) == 0, table
        assert expect(org.get(f"/v1/checks/{done['id']}"), 200) == done

    def test_a_draft_with_a_secret_leaves_none(self, org, worker, database):
        done = expect(draft(org, key=KEY), 200)
        assert done["report"]["verdict"]["state"] == "verified" and [s["step"] for s in done["report"]["role_chain"]] == ["get_caller_identity"]
        text, kept, sealed, _ = row_of(database, done)
        assert (kept, sealed) == (None, None) and KEY[1] not in text and KEY[1] not in json.dumps(done)

    def test_the_secret_goes_also_when_the_task_does(self, start_server, pg):
        """Nobody works here: the check waits, and its task leaves the queue without having ended it."""
        database = pg.database()
        try:
            org = start_server(database=database).organization()
            made = expect(draft(org, key=KEY, wait=0), 202)
            text, kept, sealed, state = row_of(database, made)
            assert state == "queued" and kept["access_key_id"] == KEY[0] and sealed and KEY[1] not in text
            database.rows("DELETE FROM task WHERE org_id = %s", org.org_id)
            assert row_of(database, made)[1:] == (None, None, "failed")
            after = expect(org.get(f"/v1/checks/{made['id']}?wait=1"), 200)
            assert (after["state"], after["reason_code"]) == ("failed", "check_lost")
            for _ in range(20):
                expect(draft(org, key=KEY, wait=0), 202)
            assert (draft(org, key=KEY, wait=0).status_code, draft(org, key=KEY, wait=0).json()["code"]) == (409, "too_many_checks")
        finally:
            pg.drop(database)

    def test_who_waits_takes_nothing_from_the_others(self, start_server, pg):
        """Eight of an organization may wait at once; whoever comes after is answered at once, and so is everything else."""
        database = pg.database()
        try:
            org = start_server(database=database).organization()
            made = expect(draft(org, key=KEY, wait=0), 202)

            def look(_):
                answer = requests.get(f"{org.url}/v1/checks/{made['id']}?wait=25", headers={"Authorization": f"Bearer {org.key}"}, timeout=60)
                return answer.status_code, answer.json()["state"]
            with ThreadPoolExecutor(10) as threads:
                looks = [threads.submit(look, i) for i in range(10)]
                assert expect(org.get("/v1/connections"), 200)["data"] == []
                wait_until(lambda: sum(one.done() for one in looks) >= 2, "two are answered at once", within=20)
                database.rows("DELETE FROM task WHERE org_id = %s", org.org_id)  # ends the check, and with it what the others wait for
                seen = [one.result() for one in looks]
            assert sorted(seen) == [(200, "failed")] * 8 + [(200, "queued")] * 2
        finally:
            pg.drop(database)

    def test_a_role_that_is_open_to_all(self, subject, org):
        subject.role(allow(TIER1), external_id=None)
        report = expect(draft(org, subject.arn), 200)["report"]
        assert (report["verdict"]["state"], report["verdict"]["code"]) == ("refused", "external_id_not_enforced")
        assert report["external_id"]["enforced"] is False
        chain = {s["step"]: s["state"] for s in report["role_chain"]}
        assert chain == {"assume_role_with_external_id": "ok", "assume_role_without_external_id": "failed",
                         "assume_role_with_random_external_id": "not_tried", "get_caller_identity": "not_tried"}
        assert {one["state"] for one in report["permissions"]["actions"]} <= {"unknown", "not_applicable"}

    def test_a_role_that_does_not_let_us_in(self, subject, org):
        subject.role(allow(TIER1), external_id=str(uuid.uuid4()))
        report = expect(draft(org, subject.arn), 200)["report"]
        assert (report["verdict"]["code"], report["role_chain"][0]["state"]) == ("role_not_assumable", "failed")
        assert report["verdict"]["aws"]["request_id"] and report["external_id"]["enforced"] is None

    def test_our_own_account_and_another_one(self, org, worker, database):
        refused = draft(org, f"arn:aws:iam::{VENDOR}:role/x", account=VENDOR)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_account_role")
        assert database.value("SELECT count(*) FROM connection_check WHERE org_id = %s", org.org_id) == 0
        report = expect(draft(org, key=KEY, account=GUARDED), 200)["report"]
        assert report["verdict"]["code"] == "account_mismatch"
        assert report["account"] == {"wanted": GUARDED, "found": ACCOUNT, "partition": "aws", "matches": False}

    def test_fields_are_judged_as_for_a_create(self, org):
        answer = org.post("/v1/connections?validate_only=true", {"name": "", "region": "nowhere"})
        assert answer.status_code == 422
        assert org.post("/v1/connections?validate_only=true&wait=26", {}).status_code in (400, 422)


class TestAsking:
    def test_one_check_of_a_connection_at_a_time(self, org, database):
        conn = org.connect(ACCOUNT, paused=True)["id"]
        check = uuid.uuid4()
        database.rows("INSERT INTO connection_check (org_id, check_id, connection_id, state) VALUES (%s, %s, %s, 'running')",
                      org.org_id, str(check), conn.removeprefix("conn_"))
        answer = org.post(f"/v1/connections/{conn}/check")
        assert (answer.status_code, answer.json()["code"]) == (409, "check_active")
        assert answer.headers["Location"] == f"/v1/checks/chk_{check.hex}"
        database.rows("DELETE FROM connection_check WHERE org_id = %s", org.org_id)

    def test_without_waiting_it_is_watched(self, subject, org):
        conn = subject.role(allow(TIER1)).connect()
        answer = org.post(f"/v1/connections/{conn}/check", {"tiers": [1]})
        assert answer.status_code == 202 and answer.json()["state"] in ("queued", "running")
        done = expect(org.get(answer.headers["Location"], wait=25), 200)
        assert done["state"] == "done" and done["wanted"] == {"tiers": [1], "capabilities": []}
        assert {one["tier"] for one in done["report"]["permissions"]["actions"]} == {1}

    def test_wishes_are_judged(self, org):
        conn = org.connect(ACCOUNT, paused=True)["id"]
        path = f"/v1/connections/{conn}/check"
        for body in ({"tiers": [0]}, {"tiers": [5]}, {"tiers": ["1"]}, {"tiers": [1, 1]}, {"capabilities": ["nonsense"]}):
            assert org.post(path, body).status_code == 422, body
        assert org.post(path, {"more": 1}).status_code == 400
        assert org.post(path + "?wait=26").status_code in (400, 422)

    def test_only_the_last_ones_are_kept(self, org, database):
        conn = org.connect(ACCOUNT, paused=True)["id"].removeprefix("conn_")
        for i in range(25):
            database.rows("INSERT INTO connection_check (org_id, check_id, connection_id, state, report)"
                          " VALUES (%s, %s, %s, 'done', '{}')", org.org_id, f"0199{i:04x}-0000-7000-8000-000000000000", conn)
        expect(org.post(f"/v1/connections/conn_{conn}/check"), 202)
        assert database.value("SELECT count(*) FROM connection_check WHERE org_id = %s", org.org_id) == 20

    def test_the_checks_of_drafts_are_kept_for_a_day(self, org, worker, database):
        old = f"INSERT INTO connection_check (org_id, check_id, state, created_at) VALUES (%s, gen_random_uuid(), 'done', now() - interval '{{}}')"
        database.rows(old.format("23 hours"), org.org_id)
        database.rows(old.format("25 hours"), org.org_id)
        wait_until(lambda: database.value("SELECT count(*) FROM connection_check WHERE org_id = %s", org.org_id) == 1, "the older one goes", 60)

    def test_nobody_else_sees_it(self, subject, org, other_org):
        conn = subject.role(allow(TIER1)).connect()
        made = subject.check(conn)
        random = uuid.uuid4().hex

        def seen(path, method="GET"):
            answer = other_org.request(method, path, headers={"X-Request-Id": "same"})
            return answer.status_code, answer.text.replace(path.split("/")[3], "ID")
        assert seen(f"/v1/checks/{made['id']}") == seen(f"/v1/checks/chk_{random}")
        assert seen(f"/v1/connections/{conn}/permissions") == seen(f"/v1/connections/conn_{random}/permissions")
        assert seen(f"/v1/connections/{conn}/check", "POST") == seen(f"/v1/connections/conn_{random}/check", "POST")
        assert seen(f"/v1/checks/{made['id']}")[0] == 404
        expect(org.delete(f"/v1/connections/{conn}", "*"), 202)
        wait_until(lambda: org.get(f"/v1/checks/{made['id']}").status_code == 404, "the checks go with their connection")


class TestStatus:
    def test_a_missing_permission_is_named_mended_and_forgotten(self, subject, org):
        """The whole loop: withdrawn, named with the patch that mends it, granted by that very patch, synced again."""
        conn = subject.role(allow(set(TIER1) - {"iam:ListMFADevices", "iam:ListVirtualMFADevices"})).connect(paused=False)
        org.wait_first_sync(conn)
        status = org.wait_connection(conn, lambda c: c["status"]["state"] == "action_required", "names what is missing")["status"]
        assert status["code"] == "permission_missing" and "iam:ListVirtualMFADevices" in status["text"] and status["since"]
        done = subject.check(conn)
        patch = done["report"]["patch"]["policy"]
        assert granted(patch) == {("iam:ListMFADevices", "*"), ("iam:ListVirtualMFADevices", "*")}
        status = org.connection(conn)["status"]
        assert json.dumps(patch, separators=(",", ":"), sort_keys=True) in status["remedy"]
        subject.policy("patch", patch)
        assert subject.check(conn)["report"]["patch"] is None
        assert (org.connection(conn)["status"]["state"], org.connection(conn)["status"]["code"]) == ("degraded", "sync_due")
        org.complete_sync(conn)
        assert org.connection(conn)["status"]["state"] == "synced"

    def test_what_only_a_check_found_is_looked_at_again_after_the_next_sync(self, subject, org):
        conn = subject.role(allow(set(TIER1) - {"iam:GetSAMLProvider"})).connect(paused=False)
        org.wait_first_sync(conn)
        org.wait_connection(conn, lambda c: c["status"]["state"] == "synced", "is synced: there is no such provider")
        subject.check(conn)
        assert org.connection(conn)["status"]["code"] == "permission_missing"
        subject.policy("more", document(allow(["iam:GetSAMLProvider"])))
        org.complete_sync(conn)
        org.wait_connection(conn, lambda c: c["status"]["state"] == "synced", "is well again without being asked")

    def test_what_stands_in_for_the_bulk_call_is_not_missed_while_that_is_granted(self, subject, org):
        conn = subject.role(allow(set(TIER1) - {"iam:ListGroupPolicies"})).connect(paused=False)
        org.wait_first_sync(conn)
        one = states(subject.check(conn)["report"])["iam:ListGroupPolicies"]
        assert (one["state"], one["required"]) == ("denied", False)
        assert org.connection(conn)["status"]["state"] == "synced"

    def test_nothing_undoes_the_pause_of_a_person(self, subject, org):
        conn = subject.role(allow(TIER1)).connect(paused=True)

        def still_paused():
            shown = org.connection(conn)
            return shown["paused"] is True and shown["status"]["state"] == "paused"
        org.wait_connection(conn, lambda c: c["verification"]["state"] == "verified", "verified")
        assert still_paused() and org.syncs(conn) == []
        subject.check(conn)
        assert still_paused() and org.syncs(conn) == []
        org.complete_sync(conn)
        assert still_paused()
        auth = {"method": "assume_role", "role_arn": subject.arn}
        expect(org.patch(f"/v1/connections/{conn}", {"auth": auth}, "*"), 200)
        assert still_paused()

    def test_a_check_mends_a_refused_connection(self, subject, org):
        subject.role(allow(TIER1), external_id=str(uuid.uuid4()))
        conn = subject.connect(paused=False)
        status = org.wait_connection(conn, lambda c: c["status"]["state"] == "action_required", "refused")["status"]
        assert (status["code"], bool(status["remedy"])) == ("role_not_assumable", True)
        subject.role(allow(TIER1))
        assert subject.check(conn)["report"]["verdict"]["state"] == "verified"
        assert org.wait_first_sync(conn)["state"] == "complete"
        org.wait_connection(conn, lambda c: c["status"]["state"] == "synced", "synced")
