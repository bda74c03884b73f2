"""Twenty secrets through a whole run, server, worker and AWS: afterwards none of them is anywhere that it was not put."""
import base64
import json
import os
import shutil
import sys
import tempfile
import urllib.parse
import uuid
from pathlib import Path
from types import SimpleNamespace

import memory
import pytest
from api import Operator, Organization
from issuer import Issuer
from processes import Process, binary, clean_environment
from receiver import Receiver
from strace import Trace
from waiting import wait_until
from webhook import SETTINGS, Endpoint

ACCOUNT = "111122223333"
DEMO_KEY = ("AKIADEMOCONNECTORKEY", "demo/connector+key/of/the/demo/world/003")


def forms(secret):
    """A secret as it could turn up: as it is, in hex, in base64, in a URL, and what a webhook's secret is the base64 of."""
    raw = secret.encode()
    found = {secret, raw.hex(), base64.b64encode(raw).decode(), urllib.parse.quote(secret, safe="")}
    if secret.startswith("whsec_"):
        inner = secret.removeprefix("whsec_")
        found |= {inner, base64.b64decode(inner).hex()}
    if secret.startswith("cnd") and secret.count("_") == 4:  # a key: its secret part is enough
        found.add(secret.split("_")[3])
    if secret.count(".") == 2:  # a JWT: what is signed is no secret, the signature is
        found.add(secret.split(".")[2])
    return found


class Run:
    """Everything happens once; what was said and what is left is kept."""

    def __init__(self, server, worker, aws, database, receiver, keys, issuer):
        self.server, self.worker, self.aws, self.database, self.receiver = server, worker, aws, database, receiver
        self.secrets, self.answers, self.got = {}, [], []
        self.put("operator key", server.operator.key)
        self.put("sealing key", [line for line in keys.seal_key.read_text().split() if len(line) >= 40][-1])
        self.put("our own secret access key", aws.base_credentials()["AWS_SECRET_ACCESS_KEY"])
        self.org = self.organization()
        self.callers()
        self.tokens(issuer)
        self.connections()
        self.webhooks(receiver)
        self.mistakes()
        self.read_all()

    def put(self, name, secret):
        assert len(secret) >= 32 and secret not in self.secrets.values(), name
        self.secrets[name] = secret
        return secret

    def heard(self, answer, *_, **__):
        self.answers.append(answer)

    def organization(self):
        made = self.server.operator.create_organization("canaries")
        key = self.put("first key", self.server.operator.create_key(made["org_id"])["key"])
        org = Organization(self.server.url, made["org_id"], key)
        org.session.hooks["response"].append(self.heard)
        self.aws.set(external_id=org.org_id)
        return org

    def created(self, name, path, body=None, member="key", **headers):
        """Makes what is shown once; that answer is the only place it may be in."""
        before = len(self.answers)
        answer = self.org.post(path, body, headers=headers)
        del self.answers[before:]
        assert answer.status_code in (200, 201), answer.text
        self.put(name, answer.json()[member])
        return answer.json()

    def callers(self):
        once = {"Idempotency-Key": uuid.uuid4().hex}
        for number in range(4):
            made = self.created(f"key {number}", "/v1/keys", {"name": f"key {number}", "role": "viewer"}, **({} if number else once))
        self.org.post("/v1/keys", {"name": "key 0", "role": "viewer"}, headers=once)  # the same request again
        self.created("rotated key", f"/v1/keys/{made['id']}/rotate", {})
        for number in range(2):
            key = self.put(f"service key {number}", self.server.operator.create_service_key()["key"])
            backend = Organization(self.server.url, self.org.org_id, key)
            backend.session.hooks["response"].append(self.heard)
            assert backend.request("GET", "/v1/connections", headers={"X-Org-Id": self.org.org_id}).status_code == 200

    def tokens(self, issuer):
        for number in range(2):
            token = self.put(f"JWT {number}", issuer.token("issuer", self.org.org_id))
            person = Organization(self.server.url, self.org.org_id, token)
            person.session.hooks["response"].append(self.heard)
            assert person.get("/v1/connections").status_code == 200

    def connections(self):
        self.put("the demo world's key", DEMO_KEY[1])
        works = self.org.connect(ACCOUNT, access_key=DEMO_KEY)
        assert self.org.wait_first_sync(works["id"])["state"] == "complete"
        by_role = self.org.connect(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly")
        assert self.org.wait_first_sync(by_role["id"])["state"] == "complete"
        for number in range(4):
            secret = self.put(f"secret access key {number}", uuid.uuid4().hex + f"+/{number:06}")
            made = self.org.connect(ACCOUNT, access_key=(f"AKIACANARY{number}AAAAAAAAA", secret))
            self.org.wait_connection(made["id"], lambda c: c["verification"]["state"] == "refused", "is refused")
        change = {"auth": {"method": "access_key", "access_key_id": "AKIACANARYAAAAAAAAAA",
                           "secret_access_key": self.put("changed secret access key", uuid.uuid4().hex + "+/changed")[:40]}}
        self.secrets["changed secret access key"] = self.secrets["changed secret access key"][:40]
        assert self.org.patch("/v1/connections/" + made["id"], change).status_code == 200
        self.org.complete_sync(works["id"])

    def webhooks(self, receiver):
        for number in range(3):
            before = len(self.answers)
            endpoint = Endpoint(self.org, receiver)
            del self.answers[before:]
            self.put(f"webhook secret {number}", endpoint.secret)
            endpoint.test()
            self.got += endpoint.got()
        self.created("rotated webhook secret", endpoint.address + "/rotate-secret", {}, "secret", **{"Idempotency-Key": "rotate"})

    def mistakes(self):
        """Secrets where they do not belong: in paths, queries, fields and headers of requests that fail."""
        for secret in list(self.secrets.values()):
            quoted = urllib.parse.quote(secret, safe="")
            self.org.get("/v1/connections/" + quoted)
            self.org.post("/v1/connections", {"name": "x", "auth": {"method": "access_key", "secret_access_key": secret + "!"}})
            self.org.request("POST", "/v1/connections", data='{"auth": {"secret_access_key": "' + secret, headers={"Content-Type": "application/json"})
            self.org.request("GET", "/v1/connections", headers={"Authorization": "Bearer " + secret, "X-Org-Id": "x"})

    def read_all(self):
        for path in ("/v1/connections", "/v1/keys", "/v1/webhooks", "/v1/entities", "/v1/syncs", "/v1/coverage"):
            assert self.org.all(path) is not None
        for path in ("/v1/connections/export", "/v1/changes", "/v1/audit", "/v1/aws/setup", "/v1/aws/setup/cli", "/v1/audit/export"):
            assert self.org.get(path).status_code == 200
        operator = Operator(self.server.admin_socket, self.server.operator.key)
        for path in ("organizations", "service-keys", f"organizations/{self.org.org_id}", f"organizations/{self.org.org_id}/keys"):
            answer = operator.request("GET", "/v1/admin/" + path)
            self.answers.append(SimpleNamespace(text=answer.text, headers=dict(answer.headers), status_code=answer.status_code, url=path))

    def busy(self):
        return self.database.value("SELECT count(*) FROM task WHERE state <> 'ready' OR run_at <= now()")

    def hits(self, text, without=()):
        return [name for name, secret in self.secrets.items() if name not in without and any(form in text for form in forms(secret))]


@pytest.fixture(scope="module")
def issuer(directory):
    made = Issuer()
    made.key("issuer", "ES256")
    made.file = directory / "jwks.json"
    made.file.write_text(json.dumps({"keys": made.server.keys}))
    yield made
    made.close()


@pytest.fixture(scope="module")
def traces(directory):
    return SimpleNamespace(server=Trace(directory, "server"), worker=Trace(directory, "worker"))


@pytest.fixture(scope="module")
def done(start_server, start_worker, start_awssim, database, keys, issuer, traces, tmp_path_factory):
    aws, receiver = start_awssim("demo"), Receiver()
    base, place = aws.base_credentials(), tmp_path_factory.mktemp("aws") / "credentials"
    place.write_text(f"[default]\naws_access_key_id = {base['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {base['AWS_SECRET_ACCESS_KEY']}\n")
    env = {"AWS_ENDPOINT_URL": aws.endpoint, "CONNECTORD_VENDOR_ACCOUNT": aws.vendor_account, "AWS_SHARED_CREDENTIALS_FILE": str(place)}
    allowed = {name: SETTINGS[name] for name in ("webhook_allow_http", "webhook_allow_private")}
    tokens = issuer.settings(jwt_jwks_url=None, jwt_jwks_file=issuer.file)
    server = start_server(log_level="debug", vendor_account=aws.vendor_account, under=traces.server.under, **allowed, **tokens)
    worker = start_worker(None, env=env, log_level="debug", aws_rates="iam=1000", new_role_grace_s=0, under=traces.worker.under, **SETTINGS)
    yield Run(server, worker, aws, database, receiver, keys, issuer)
    receiver.end()


def test_the_search_finds_what_is_there(done):
    assert len(done.secrets) >= 20
    everything = "\n".join(done.secrets.values())
    assert done.hits(everything) == list(done.secrets)
    for secret in done.secrets.values():
        for text in (secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert done.hits(text)
    assert len(done.answers) > 100 and {a.status_code for a in done.answers} >= {200, 201, 400, 401, 404, 422}


def test_no_answer_holds_one_after_the_one_that_made_it(done):
    for answer in done.answers:
        # The address of a request comes back in a problem's "instance"; whoever put a secret there is told what he sent.
        told = answer.text.replace(urllib.parse.urlsplit(answer.url).path, "")
        assert not done.hits(told + repr(dict(answer.headers))), (answer.url, answer.status_code)


@pytest.mark.parametrize("which", ["server", "worker"])
def test_no_log_holds_one(done, which):
    text = getattr(done, which).text()
    assert text.count("request_id") > 10 or which == "worker" and len(text) > 1000
    assert done.hits(text) == []


def test_the_databases_own_log_and_activity_hold_none(done):
    assert done.hits(Path(done.database.cluster.log).read_text(errors="replace")) == []
    assert done.hits(repr(done.database.rows("SELECT query, application_name FROM pg_stat_activity"))) == []


@pytest.mark.parametrize("which", ["server", "worker"])
def test_nobody_who_lists_processes_sees_one(done, which):
    pid = getattr(done, which).pid
    for name in ("cmdline", "environ"):
        text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
        assert "connectord" in text.lower() and done.hits(text) == [], name


def test_a_dump_of_the_database_holds_none(done):
    text = done.database.dump()
    assert all(word in text for word in (done.org.org_id, "AKIADEMOCONNECTORKEY", "idempotency"))
    assert done.hits(text) == []


def test_what_is_sent_to_receivers_holds_none(done):
    assert done.got and done.hits("".join(repr(got) + repr(got.headers) for got in done.got)) == []


@pytest.mark.parametrize("which", ["server", "worker"])
def test_no_core_file_is_made_of_either(done, which):
    limits = Path(f"/proc/{getattr(done, which).pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a process of another user")
def test_its_own_user_can_neither_trace_nor_read_it(factory, directory):
    """The kernel gives the files in /proc of what is not dumpable to root; root's own processes would not show the difference."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))  # where nobody may run a program, unlike in pytest's folder
    place.chmod(0o755)
    try:
        shutil.copy(binary(), place / "connectord")
        env = clean_environment(CONNECTORD_DATABASE_URL=f"host={place} dbname=x user=x", CONNECTORD_LOG_FORMAT="json")
        process = factory(Process(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", place / "connectord", "worker"], env, directory, "nobody"))
        process.wait_log("database_away")
        assert "Uid:\t65534\t65534" in Path(f"/proc/{process.pid}/status").read_text()
        assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0
        process.stop()
    finally:
        shutil.rmtree(place)


# What has to be in the worker's memory while it idles: it opens what is sealed, and signs in its own name. It lies in libsodium's
# guarded memory, which no core file has.
KEPT = {"worker": {"sealing key", "our own secret access key"}, "server": set()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of what is not dumpable")
@pytest.mark.parametrize("which", ["server", "worker"])
def test_five_seconds_later_the_memory_holds_none(done, which):
    pid = getattr(done, which).pid
    wait_until(lambda: not done.busy(), "no task runs or is due")
    last = set()

    def only_what_is_kept():
        last.clear()
        last.update(memory.found(pid, done.secrets))
        return {(name, guarded) for name, _, guarded in last} == {(name, True) for name in KEPT[which]}
    wait_until(only_what_is_kept, lambda: sorted(last), 5, poll=0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of what is not dumpable")
def test_the_search_of_memory_finds_what_is_there(done, directory, factory):
    """Freed and half overwritten blocks too, by the pieces that are left."""
    left = {name: secret[len(secret) // 2:] for name, secret in done.secrets.items()}
    program = "import os, sys, time; kept = os.environ['LEFT'].split(); print('kept', flush=True); time.sleep(60)"
    holder = factory(Process([sys.executable, "-c", program], clean_environment(LEFT=" ".join(left.values())), directory, "holder"))
    holder.wait_log("kept")
    assert {name for name, _, _ in memory.found(holder.pid, done.secrets)} == set(done.secrets)


def test_after_an_end_the_logs_hold_none_either(done):
    for process in (done.worker, done.server):
        assert process.stop() == 0
        assert done.hits(process.text()) == []


def test_nothing_that_either_wrote_holds_one(done, traces):
    """The database's socket, AWS's, receivers', logs; but not the server's answers, where whoever makes a secret is told it."""
    answers = (f":{done.server.port}->", str(done.server.admin_socket))
    for trace, but in ((traces.worker, ()), (traces.server, answers)):
        writes = trace.writes(but)
        assert any(done.org.org_id in line for line in writes) and len(writes) > 100 and not any('"...' in line for line in writes)
        assert done.hits("\n".join(writes)) == []
    assert done.hits("\n".join(traces.server.writes())), "the answers were not seen"


def test_they_connect_to_nobody_but_who_was_named(done, traces):
    """No name server, no instance metadata, nobody's telemetry: in a whole run with an account, a check and webhooks."""
    database = f"{done.database.cluster.socket_dir}/.s.PGSQL.5432"
    assert traces.server.connected() == {database}
    assert traces.worker.connected() == {database, urllib.parse.urlsplit(done.aws.endpoint).netloc, urllib.parse.urlsplit(done.receiver.url).netloc}
