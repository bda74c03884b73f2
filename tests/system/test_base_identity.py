"""The base identity: each of AWS's usual places leads to it, in their order; it is renewed in time, and its absence is said."""
import base64
import json
import time
import uuid

import boto3
import pytest
import requests
from agents import ROLES, Agent
from probes import Aws
from waiting import wait_until

VENDOR, ACCOUNT = "469725248735", "111122223333"
BASE = f"arn:aws:iam::{VENDOR}:role/ConnectordBase"
POD = f"arn:aws:iam::{VENDOR}:role/ConnectordPod"
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/VENDORCLUSTER"
SUBJECT = "system:serviceaccount:connectord:worker"
NOWHERE = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
           "AWS_CONFIG_FILE": "/nonexistent/config", "AWS_EC2_METADATA_DISABLED": "true"}
QUICK = {"aws_rates": "iam=1000", "aws_call_timeout_s": 2, "aws_scope_deadline_s": 3, "poll_ms": 50}


@pytest.fixture(scope="module")
def sim(start_awssim):
    made = start_awssim("demo")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"}]}
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{VENDOR}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {f"{ISSUER}:sub": SUBJECT}}}]}
    made.mutate({"op": "put_oidc_provider", "account": VENDOR, "name": ISSUER, "client_ids": ["sts.amazonaws.com"]},
                {"op": "put_role", "account": VENDOR, "name": "ConnectordPod", "trust": trust, "inline": {"assume": allow}})
    return made


@pytest.fixture(autouse=True)
def usual(sim):
    sim.clear_faults()
    sim.config(longest_session_s=None)


def issuer_of(sim):
    """Credentials of ConnectordBase as agents write them; as short as sim's longest_session_s."""
    key = sim.base_credentials()
    sts = boto3.client("sts", endpoint_url=sim.endpoint, region_name="us-east-1", aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
                       aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"])

    def issue():
        made = sts.assume_role(RoleArn=BASE, RoleSessionName="agent")["Credentials"]
        return {"AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"], "Token": made["SessionToken"],
                "Expiration": made["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}
    return issue


@pytest.fixture
def agent(sim):
    made = Agent(issuer_of(sim))
    yield made
    made.close()


def token(lasts=600):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    claims = {"iss": f"https://{ISSUER}", "aud": ["sts.amazonaws.com"], "sub": SUBJECT, "exp": int(time.time()) + lasts,
              "jti": uuid.uuid4().hex}
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2ln"


class Places:
    """The environment of each source."""

    def __init__(self, sim, agent, tmp_path):
        self.sim, self.agent, self.tmp_path = sim, agent, tmp_path
        self.key = sim.base_credentials()

    def file(self, name, text):
        (self.tmp_path / name).write_text(text)
        return str(self.tmp_path / name)

    def environment(self):
        return dict(self.key)

    def keys(self):
        return {"AWS_SHARED_CREDENTIALS_FILE": self.file(
            "credentials", f"[default]\naws_access_key_id = {self.key['AWS_ACCESS_KEY_ID']}\n"
                           f"aws_secret_access_key = {self.key['AWS_SECRET_ACCESS_KEY']}\n")}

    def role(self):
        """Of our own account: what is refused to customers is what an operator does."""
        return {**self.keys(), "AWS_PROFILE": "base", "AWS_CONFIG_FILE": self.file(
            "config", f"[profile base]\nrole_arn = {BASE}\nsource_profile = default\nrole_session_name = profile\n")}

    def role_by_container(self):
        self.sim.mutate({"op": "set_trust", "account": VENDOR, "role": "ConnectordBase", "document": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [
                f"arn:aws:iam::{VENDOR}:user/connectord", BASE]}, "Action": "sts:AssumeRole"}]}})
        return {**self.container(), "AWS_CONFIG_FILE": self.file(
            "config", f"[default]\nrole_arn = {BASE}\ncredential_source = EcsContainer\nrole_session_name = chained\n")}

    def web(self):
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": self.file("token", token() + "\n"), "AWS_ROLE_ARN": POD, "AWS_ROLE_SESSION_NAME": "web"}

    def web_profile(self):
        return {"AWS_CONFIG_FILE": self.file("config", f"[default]\nrole_arn = {POD}\nrole_session_name = webprofile\n"
                                                       f"web_identity_token_file = {self.file('token', token())}\n")}

    def container(self):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.agent.url + "/creds"}

    def container_token(self):
        self.agent.authorization = "Bearer eks-1"
        return {**self.container(), "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.file("eks", "Bearer eks-1\n")}

    def instance(self):
        return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.agent.url + "/"}


@pytest.fixture
def places(sim, agent, tmp_path):
    return Places(sim, agent, tmp_path)


@pytest.fixture
def who(sim):
    """who(environment) -> the outcome of GetCallerIdentity; .arn is the answer's."""
    def ask(environment, verb="call", **options):
        outcome = Aws(sim, {**NOWHERE, **environment}, call_timeout=2, deadline=3)(verb, "sts:GetCallerIdentity", **options)
        outcome.arn = outcome.pages[0]["Arn"] if outcome.pages else None
        return outcome
    return ask


ROLE_OF = f"arn:aws:sts::{VENDOR}:assumed-role/"
LEADS_TO = {"environment": f"arn:aws:iam::{VENDOR}:user/connectord", "keys": f"arn:aws:iam::{VENDOR}:user/connectord",
            "role": ROLE_OF + "ConnectordBase/profile", "role_by_container": ROLE_OF + "ConnectordBase/chained",
            "web": ROLE_OF + "ConnectordPod/web", "web_profile": ROLE_OF + "ConnectordPod/webprofile",
            "container": ROLE_OF + "ConnectordBase/agent", "container_token": ROLE_OF + "ConnectordBase/agent",
            "instance": ROLE_OF + "ConnectordBase/agent"}


class TestSources:
    @pytest.mark.parametrize("name", LEADS_TO)
    def test_each_source_signs(self, places, who, name):
        outcome = who(getattr(places, name)(), call_timeout=20, deadline=30)
        assert (outcome.rc, outcome.arn) == ("OK", LEADS_TO[name]), outcome

    def test_the_first_of_all_that_are_there_wins(self, places, who, agent):
        everything = {**places.instance(), **places.container(), **places.web(), **places.role(), **places.environment()}
        assert who(everything).arn == LEADS_TO["environment"]
        without_keys = {**everything, "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        assert who(without_keys).arn == LEADS_TO["role"]
        assert who({**without_keys, **places.keys(), "AWS_PROFILE": None}).arn == LEADS_TO["web"]
        assert agent.requests == []
        assert who({**places.instance(), **places.container()}).arn == LEADS_TO["container"]
        assert [r["path"] for r in agent.requests] == ["/creds"]

    def test_instance_metadata_is_asked_in_version_2_only(self, places, who, agent):
        assert who(places.instance()).rc == "OK"
        assert [(r["method"], r["path"]) for r in agent.requests] == [
            ("PUT", "/latest/api/token"), ("GET", ROLES), ("GET", ROLES + "ConnectordBase")]
        agent.requests.clear()
        for status in (403, 404, 405):
            agent.token_status = status
            outcome = who(places.instance())
            assert outcome.rc != "OK" and "switched off" in json.dumps(outcome.summary), outcome
        assert {r["path"] for r in agent.requests} == {"/latest/api/token"}

    def test_an_address_that_is_no_agents_is_never_asked(self, who):
        for url in ("http://10.1.2.3/creds", "http://metadata.example.com/creds", "http://169.254.169.254/latest/meta-data/"):
            outcome = who({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
            assert outcome.rc != "OK" and "169.254.170.2" in json.dumps(outcome.summary), outcome


class TestBadAgents:
    MODES = ["hang", "drip", "huge", "garbage", 500, 400]

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("source", ["container", "instance"])
    def test_an_agent_that_misbehaves_costs_seconds_and_says_why(self, places, who, agent, sim, source, mode):
        agent.mode = mode
        before, started = sim.last(), time.monotonic()
        outcome = who(getattr(places, source)())
        assert time.monotonic() - started < 20
        assert outcome.rc != "OK" and outcome.fault["class"] in ("transient", "creds_invalid"), outcome
        assert len(outcome.summary["err_text"]) > 30 and sim.calls(before) == [], outcome
        assert len(agent.requests) <= 3

    def test_credentials_that_have_ended_sign_nothing(self, places, who, agent, sim):
        good = agent.issue
        agent.issue = lambda: {**good(), "Expiration": "2020-01-01T00:00:00Z"}
        outcome = who(places.container())
        assert outcome.rc != "OK" and "ended already" in outcome.summary["err_text"], outcome


class TestRefresh:
    def test_short_credentials_are_renewed_before_they_end_and_by_one_thread(self, places, who, agent, sim):
        sim.config(longest_session_s=6)
        before = sim.last()
        outcome = who(places.container(), repeat=16, every=1000, threads=8, quiet=True)
        assert outcome.rc == "OK" and outcome.summary["faults"] == 0, outcome
        calls = [c for c in sim.calls(before) if c["operation"] == "GetCallerIdentity"]
        assert {c["status"] for c in calls} == {200} and len(calls) == 128
        # Each set of 6 s is renewed at 4.5 s: three or four in 16 s, whatever the number of threads.
        assert 3 <= len(agent.asked("/creds")) <= 2 + outcome.elapsed_s / 4.5, (len(agent.asked("/creds")), outcome)

    def test_nothing_is_signed_with_credentials_that_could_not_be_renewed(self, places, agent, sim):
        sim.config(longest_session_s=6)
        before = sim.last()
        aws = Aws(sim, {**NOWHERE, **places.container()}, call_timeout=2, deadline=3)
        running = aws.start("call", "sts:GetCallerIdentity", repeat=14, every=1000)
        wait_until(lambda: any(c["operation"] == "GetCallerIdentity" for c in sim.calls(before)), "the first call")
        agent.mode = 500
        out, err = running.communicate(timeout=60)
        calls = [c for c in sim.calls(before) if c["operation"] == "GetCallerIdentity"]
        assert {c["status"] for c in calls} == {200} and 3 <= len(calls) <= 6, calls
        summary = json.loads(out.splitlines()[-1])
        assert summary["fault"]["class"] == "transient" and "status 500" in summary["err_text"], (summary, err)

    def test_a_web_identity_token_is_read_again_each_time(self, places, agent, sim):
        sim.config(longest_session_s=4)
        environment = {**NOWHERE, **places.web()}
        place = places.tmp_path / "token"
        place.write_text(token(lasts=3))
        before = sim.last()
        running = Aws(sim, environment, call_timeout=2, deadline=3).start("call", "sts:GetCallerIdentity", repeat=9, every=1000, quiet=True)
        wait_until(lambda: any(c["operation"] == "GetCallerIdentity" for c in sim.calls(before)), "the first call")
        fresh = places.tmp_path / "token.new"
        fresh.write_text(token())
        fresh.rename(place)
        out, _ = running.communicate(timeout=60)
        assert json.loads(out.splitlines()[-1])["faults"] == 0, out
        assert sum(c["operation"] == "AssumeRoleWithWebIdentity" for c in sim.calls(before)) >= 3

    def test_a_web_identity_that_is_refused_says_what_aws_said(self, places, who):
        environment = places.web()
        (places.tmp_path / "token").write_text(token(lasts=-5))
        outcome = who(environment)
        assert outcome.rc != "OK" and "Token expired" in outcome.summary["err_text"], outcome
        (places.tmp_path / "token").unlink()
        outcome = who(environment)
        assert outcome.rc != "OK" and "does not exist" in outcome.summary["err_text"], outcome


def readiness(server):
    answer = requests.get(server.url + "/readyz", timeout=30)
    assert answer.status_code == 200, answer.text  # a worker's want is no reason to take a server away
    return answer.json()["base_identity"]


def wait_readiness(server, state, workers=1, within=40):
    def right():
        told = readiness(server)
        return told if (told["state"], told["workers"]) == (state, workers) else None
    return wait_until(right, lambda: f"{state} of {workers}: {readiness(server)}", within)


def verdict(database, connection):
    return database.rows("SELECT verify_state, verify_code, verify_text FROM connection WHERE connection_id = %s",
                         connection["id"].removeprefix("conn_"))[0]


class TestWorkers:
    @pytest.fixture
    def working(self, sim, start_worker):
        """working(environment) -> a worker with that and nothing else of AWS's; stopped afterwards."""
        started = []

        def start(environment, **settings):
            env = {**NOWHERE, "AWS_ENDPOINT_URL": sim.endpoint, **environment}
            started.append(start_worker(None, env={k: v for k, v in env.items() if v is not None}, **QUICK, **settings))
            return started[-1]
        yield start
        for worker in started:
            worker.stop()

    @pytest.mark.parametrize("name", ["role", "web", "container", "instance"])
    def test_each_source_leads_to_a_verified_connection(self, places, working, org, server, database, sim, name):
        sim.set(external_id=org.org_id)
        worker = working(getattr(places, name)())
        made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
        wait_until(lambda: verdict(database, made)[:2] == ("verified", ""), lambda: f"{verdict(database, made)}\n{worker.tail()}")
        assert "base_identity_found" in worker.text() and f'"vendor_account":"{VENDOR}"' in worker.text().replace('": "', '":"')
        told = wait_readiness(server, "found")
        assert told["without"] == 0 and VENDOR not in json.dumps(told)
        assert database.value("SELECT account_id FROM worker_identity") == VENDOR
        worker.stop()
        assert wait_readiness(server, "unknown", 0)["text"] == "No worker is running."

    def test_its_absence_is_one_sentence_everywhere_and_mending_it_needs_no_restart(self, places, working, org, server, database, sim):
        sim.set(external_id=org.org_id)
        place = places.tmp_path / "credentials"
        worker = working({"AWS_SHARED_CREDENTIALS_FILE": str(place)})
        sentence = "connectord has no AWS identity of its own; looked at: AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, profile"
        worker.wait_log(sentence)
        said = [line for line in worker.text().splitlines() if sentence in line]
        assert len(said) == 1 and str(place) in said[0] and "instance metadata (disabled)" in said[0], worker.text()
        told = wait_readiness(server, "missing")
        assert told["without"] == 1 and "1 of 1 running workers have no usable AWS identity" in told["text"]
        assert str(place) not in json.dumps(told)
        made = org.connect(ACCOUNT, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
        wait_until(lambda: verdict(database, made)[1] == "base_identity_missing", worker.tail)
        assert verdict(database, made)[2].startswith("connectord has no AWS identity of its own right now; its operator must")
        # Access keys need no identity of ours.
        key = org.connect(ACCOUNT, access_key=("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003"))
        wait_until(lambda: verdict(database, key)[:2] == ("verified", ""), worker.tail)
        places.keys()
        wait_readiness(server, "found")
        database.rows("UPDATE task SET run_at = now()")
        wait_until(lambda: verdict(database, made)[:2] == ("verified", ""), lambda: f"{verdict(database, made)}\n{worker.tail()}")
        assert len([line for line in worker.text().splitlines() if sentence in line]) == 1

    def test_an_identity_that_aws_refuses_and_an_agent_that_fails_are_told_apart(self, places, working, server, agent):
        working({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN000000000", "AWS_SECRET_ACCESS_KEY": "x" * 40})
        assert "AWS refuses" in wait_readiness(server, "refused")["text"]
        agent.mode = 500
        broken = working(places.container())
        assert wait_readiness(server, "refused", workers=2)["without"] == 2
        assert "status 500" in broken.text() and "the container's endpoint" in broken.text()
