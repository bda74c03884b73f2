"""What deploy/quickstart does after the build: starts everything, connects an account, waits for its first sync.

Uses Python's standard library only. Progress goes to stderr; with --once the last line of stdout is the summary."""
import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / "build/release/connectord"
AWSSIM = ROOT / "tests/awssim"
# The account and role of tests/awssim/worlds/demo.yaml that trusts us.
DEMO = {"account": "111122223333", "role": "arn:aws:iam::111122223333:role/ConnectordReadOnly", "region": "eu-central-1",
        "vendor": "469725248735", "key": "AKIACONNECTORDVENDOR", "secret": "vendor/secret+key/of/the/demo/world/0001"}
START_S, VERIFY_S, REAL_VERIFY_S, SYNC_S, STOP_S = 120, 60, 1000, 600, 40
FINISHED = ("complete", "partial", "failed", "canceled")


class Trouble(Exception):
    """Something that the person at the terminal has to know, in one or a few lines."""


class Interrupted(Exception):
    pass


def say(text):
    print(text if text.startswith(" ") or not text else f"quickstart: {text}", file=sys.stderr, flush=True)


def wait_until(condition, within, what):
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Trouble(f"{what}: not within {within} s")
        time.sleep(0.1)


class Program:
    """A child with a log file; its last lines explain an early end."""

    def __init__(self, name, argv, env, log, stdout=None):
        self.name, self.log = name, log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out,
                                          start_new_session=True)

    def check(self):
        if self.child.poll() is not None:
            lines = Path(self.log).read_text(errors="replace").splitlines()[-8:]
            raise Trouble(f"{self.name} ended with exit code {self.child.returncode}:\n  " + "\n  ".join(lines))

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def operator_post(data, path, body):
    """/v1/admin over the Unix socket, with the operator's key."""
    key = (data / "keys/operator.key").read_text().strip()
    connection = UnixConnection(data / "run/admin.sock")
    connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != 201:
        raise Trouble(f"POST {path}: HTTP {answer.status} {text}")
    return json.loads(text)


class Api:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        if data:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def expect(self, status, method, path, body=None):
        got, answer = self.call(method, path, body)
        if got != status:
            raise Trouble(f"{method} {path}: HTTP {got} {json.dumps(answer)}")
        return answer

    def all(self, path):
        items, cursor = [], ""
        while cursor is not None:
            joint = "&" if "?" in path else "?"
            page = self.expect(200, "GET", f"{path}{joint}limit=500" + (f"&cursor={cursor}" if cursor else ""))
            items += page["data"]
            cursor = page["next_cursor"]
        return items


def free_port(wished):
    """The wished port if it is free, else any."""
    for port in (wished, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return s.getsockname()[1]
            except OSError:
                continue
    raise Trouble("no free port on 127.0.0.1")


def data_folder(options):
    """(folder, whether it goes away at the end). As root another user must be able to enter it."""
    if options.data_dir:
        return Path(options.data_dir).resolve(), False
    if options.once and not options.real:
        made = Path(tempfile.mkdtemp(prefix="connectord-", dir="/tmp"))
        made.chmod(0o711 if os.geteuid() == 0 else 0o700)
        return made, True
    if os.geteuid() == 0:
        return Path("/var/lib/connectord-quickstart"), False
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "connectord-quickstart", False


class Quickstart:
    def __init__(self, options):
        self.options, self.programs = options, []
        self.data, self.data_is_temporary = data_folder(options)
        self.port = free_port(options.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.sim = None

    def environment(self, **extra):
        drop = ("CONNECTORD_", "PG", "NOTIFY_SOCKET") + (() if self.options.real else ("AWS_",))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        return {**kept, **extra}

    def start(self, *args, **kwargs):
        self.programs.append(Program(*args, **kwargs))
        return self.programs[-1]

    def start_simulator(self):
        say("starting the simulated AWS with the demo world")
        argv = [str(AWSSIM / "node_modules/.bin/node"), str(AWSSIM / "awssim.mjs"), "--world", str(AWSSIM / "worlds/demo.yaml")]
        program = self.start("awssim", argv, self.environment(), self.data / "awssim.log", stdout=subprocess.PIPE)
        line = program.child.stdout.readline()
        if not line:
            program.child.wait(10)
            program.check()
        self.sim = json.loads(line)["endpoint"]

    def start_connectord(self):
        say(f"starting connectord (data in {self.data})")
        extra = {}
        if self.sim:
            extra = {"AWS_ENDPOINT_URL": self.sim, "AWS_ACCESS_KEY_ID": DEMO["key"], "AWS_SECRET_ACCESS_KEY": DEMO["secret"]}
        argv = [str(BINARY), "up", "--no-first-organization", f"--data-dir={self.data}", f"--listen-port={self.port}"]
        argv += [f"--vendor-account={DEMO['vendor']}"] if self.sim else []
        program = self.start("connectord", argv, self.environment(**extra), self.data / "connectord.log")

        def ready():
            program.check()
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                    return answer.status == 200 and stat.S_ISSOCK(os.stat(self.data / "run/admin.sock").st_mode)
            except (OSError, http.client.HTTPException):
                return False
        wait_until(ready, START_S, "connectord is ready")

    def organization(self):
        """One organization for the life of the data folder: its id is what the customer's role trusts."""
        memory = self.data / "quickstart.json"
        if memory.exists():
            known = json.loads(memory.read_text())
        else:
            say("creating an organization and its API key")
            made = operator_post(self.data, "/v1/admin/organizations", {"name": "quickstart"})
            key = operator_post(self.data, f"/v1/admin/organizations/{made['org_id']}/keys", {"name": "quickstart", "role": "owner"})
            known = {"org_id": made["org_id"], "key": key["key"]}
            memory.touch(mode=0o600)
            memory.write_text(json.dumps(known))
        self.org_id, self.api = known["org_id"], Api(self.url, known["key"])

    def setup(self):
        """What the customer is asked for. The server knows whom he has to trust once a worker has found out."""
        def known():
            status, answer = self.api.call("GET", "/v1/aws/setup?tiers=1,2")
            return answer if status == 200 else None
        return wait_until(known, START_S, "a worker has found out which AWS account it is")

    def control(self, path, body):
        request = urllib.request.Request(f"{self.sim}/_sim/{path}", json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=30).close()

    def grant(self):
        """The customer's part, as GET /v1/aws/setup describes it: the external ID and the policies of tiers 1 and 2."""
        if not self.sim:
            say("the role needs what /v1/aws/setup asks for; its trust policy must demand this external ID, the organization's ID:")
            say(f"  \"Condition\": {json.dumps({'StringEquals': {'sts:ExternalId': self.org_id}})}")
            return
        say("granting the role what /v1/aws/setup asks for")
        asked = self.setup()
        self.control("set", {"external_id": asked["external_id"]})
        account, role = DEMO["role"].split(":")[4], DEMO["role"].split("/")[-1]
        self.control("world", [{"op": "put_inline_policy", "account": account, "role": role, "name": policy["name"],
                                "document": policy["document"]} for policy in asked["policies"]])

    def connect(self):
        arn = self.options.role_arn or DEMO["role"]
        account = arn.split(":")[4]
        for one in self.api.all("/v1/connections"):
            if one["auth"].get("role_arn") == arn:
                say(f"connection {one['id']} is there already")
                self.connection_id = one["id"]
                return
        say(f"connecting account {account} through {arn}")
        body = {"name": "quickstart", "authoritative_status": "primary", "aws_account_id": account,
                "region": self.options.region or DEMO["region"], "auth": {"method": "assume_role", "role_arn": arn}}
        self.connection_id = self.api.expect(201, "POST", "/v1/connections", body)["id"]

    def connection(self):
        for program in self.programs:
            program.check()
        return self.api.expect(200, "GET", f"/v1/connections/{self.connection_id}")

    def wait_verified(self):
        say("verifying: who the role is, and that it cannot be assumed without the external ID")

        def over():
            connection = self.connection()
            return connection if connection["verification"]["state"] in ("verified", "refused") else None
        connection = wait_until(over, REAL_VERIFY_S if self.options.real else VERIFY_S, "the role is verified")
        if connection["verification"]["state"] == "refused":
            raise Trouble(f"the role was refused ({connection['verification']['code']}): {connection['verification']['text']}")

    def sync(self):
        path = f"/v1/connections/{self.connection_id}/syncs"
        status, answer = self.api.call("POST", path)
        if status == 409:  # the first one starts by itself once the role is verified
            sync_id = self.api.expect(200, "GET", path)["data"][0]["id"]
        elif status in (201, 202):
            sync_id = answer["id"]
        else:
            raise Trouble(f"POST {path}: HTTP {status} {json.dumps(answer)}")
        say(f"syncing ({sync_id})")

        def over():
            self.connection()
            one = self.api.expect(200, "GET", f"/v1/syncs/{sync_id}")
            return one if one["state"] in FINISHED else None
        return wait_until(over, SYNC_S, "the sync is over")

    def summary(self, sync):
        entities, coverage = {}, {}
        for one in self.api.all(f"/v1/entities?connection_id={self.connection_id}"):
            entities[one["kind"]] = entities.get(one["kind"], 0) + 1
        for one in self.api.all(f"/v1/connections/{self.connection_id}/coverage"):
            coverage[one["state"]] = coverage.get(one["state"], 0) + 1
        connection = self.connection()
        return {"connection": connection["id"], "status": sync["state"],
                "external_id_enforced": connection["external_id_enforced"], "entities": dict(sorted(entities.items())),
                "coverage": coverage, "calls": sync["progress"]["calls"]}

    def show(self, summary):
        say(f"the sync is {summary['status']}: {sum(summary['entities'].values())} entities, {summary['calls']} AWS calls")
        for kind, count in summary["entities"].items():
            say(f"  {count:6d}  {kind}")
        say(f"  coverage {summary['coverage']}, external ID enforced: {summary['external_id_enforced']}")
        say("")
        say("where to look (the key opens this organization only):")
        say(f"  export URL={self.url} KEY={self.api.key}")
        for path in ("/v1/connections", "/v1/entities?kind=aws.iam_user", f"/v1/connections/{self.connection_id}/coverage", "/v1/syncs"):
            say(f"  curl -s -H \"Authorization: Bearer $KEY\" \"$URL{path}\"")
        say(f"  logs: {self.data}/connectord.log   contract: {self.url}/openapi.json")

    def run(self):
        self.data.mkdir(parents=True, exist_ok=True, mode=0o711)
        if not self.options.real:
            self.start_simulator()
        self.start_connectord()
        self.organization()
        self.grant()
        self.connect()
        self.wait_verified()
        summary = self.summary(self.sync())
        if self.options.once:
            return summary
        self.show(summary)
        say("Ctrl-C stops everything")
        while True:
            self.connection()
            time.sleep(2)

    def stop(self):
        for program in reversed(self.programs):
            program.stop()
        if self.data_is_temporary:
            shutil.rmtree(self.data, ignore_errors=True)


def read_options():
    parser = argparse.ArgumentParser(prog="deploy/quickstart", description="Starts connectord with a simulated AWS (or, with "
                                     "--real, with yours), connects an account, waits for its first sync, stays up until Ctrl-C.")
    parser.add_argument("--once", action="store_true", help="print one JSON summary, stop everything; exit 0 only if the sync is complete")
    parser.add_argument("--port", type=int, default=8080, help="port of the API; another one if it is taken (default 8080)")
    parser.add_argument("--data-dir", help="where data and logs stay (default: the state folder; --once: a temporary one)")
    parser.add_argument("--real", action="store_true", help="call AWS itself, with the credentials in your environment")
    parser.add_argument("--role-arn", help="with --real: the role to assume in the account that is connected")
    parser.add_argument("--region", help="with --real: the region that calls target (default eu-central-1)")
    options = parser.parse_args()
    if options.real != bool(options.role_arn):
        parser.error("--real and --role-arn ARN belong together")
    if options.role_arn and len(options.role_arn.split(":")) < 6:
        parser.error("--role-arn: not an ARN; it looks like arn:aws:iam::111122223333:role/Name")
    return options


def interrupt(*_):
    raise Interrupted


def main():
    options = read_options()
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    quickstart, code = None, 0
    try:
        quickstart = Quickstart(options)
        summary = quickstart.run()
        print(json.dumps(summary), flush=True)
        code = 0 if summary["status"] == "complete" else 1
    except Interrupted:
        say("stopping")
    except Trouble as trouble:
        say(str(trouble))
        code = 69
    except OSError as error:
        say(f"{error.filename or 'a connection'}: {error.strerror or error}")
        code = 69
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if quickstart:
            quickstart.stop()
    return code


sys.exit(main())
