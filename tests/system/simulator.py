"""awssim as a process: the AWS that the tests' workers talk to, and its control door."""
import json
import os
import subprocess
import uuid
from pathlib import Path

import requests
import yaml

from processes import Process, ROOT, clean_environment
from waiting import wait_until

HOME = ROOT / "tests/awssim"


def node():
    path = HOME / "node_modules/.bin/node"
    assert path.exists(), "tests/awssim is not installed: run npm ci in it, or tests/run"
    return str(path)


class Awssim(Process):
    def __init__(self, directory, world, latency_ms=0, page_size=None, quotas=None, port=0, variables=None):
        self.world_file = Path(world) if "/" in str(world) else HOME / "worlds" / f"{world}.yaml"
        argv = [node(), str(HOME / "awssim.mjs"), "--world", str(self.world_file), "--latency-ms", str(latency_ms),
                "--port", str(port)]
        argv += ["--page-size", str(page_size)] if page_size else []
        argv += ["--quotas", str(quotas)] if quotas else []
        logs = os.environ.get("CONNECTORD_TEST_CALLS")  # tests/run holds all calls of all files against the catalogue
        argv += ["--call-log", f"{logs}/{uuid.uuid4().hex}.ndjson"] if logs else []
        for name, value in (variables or {}).items():
            argv += ["--set", f"{name}={value}"]
        super().__init__(argv, clean_environment(), directory, "awssim", stdout=subprocess.PIPE)
        line = self.popen.stdout.readline()
        assert line, f"awssim did not start:\n{self.tail()}"
        self.endpoint = json.loads(line)["endpoint"]
        self.world = yaml.safe_load(self.world_file.read_text())

    def _control(self, method, path, body=None):
        answer = requests.request(method, f"{self.endpoint}/_sim/{path}", json=body, timeout=30)
        assert answer.ok, f"awssim {method} {path}: {answer.text}"
        return answer.json()

    def calls(self, since=0):
        """Every call since number `since`, oldest first: service, operation, action, account, region, outcome."""
        return self._control("GET", f"calls?since={since}")["calls"]

    def last(self):
        return self._control("GET", "calls")["last"]

    def counts(self):
        return self._control("GET", "calls")["counts"]

    def set(self, **variables):
        """Values of the world file's ${placeholders}, such as org_id."""
        return self._control("POST", "set", variables)

    def config(self, **settings):
        return self._control("POST", "config", settings)

    def fault(self, fault, times=-1, match=None, **more):
        return self._control("POST", "faults", {"fault": fault, "times": times, "match": match or {}, **more})

    def clear_faults(self):
        return self._control("DELETE", "faults")

    def faults(self):
        return self._control("GET", "faults")["faults"]

    def reset_calls(self):
        return self._control("POST", "reset", {"calls": True})

    def clock(self, offset_s):
        return self._control("POST", "clock", {"offset_s": offset_s})

    def mutate(self, *operations):
        return self._control("POST", "world", list(operations))["results"]

    def inventory(self, account):
        """What is really there, told by the simulator and not by the wire."""
        return self._control("GET", f"world/inventory?account={account}")

    def quota_report(self):
        return self._control("GET", "quotas")["quotas"]

    def wait_idle(self, within=30):
        wait_until(lambda: self._control("GET", "calls")["in_flight"] == 0, "no AWS call in flight", within)

    @property
    def vendor_account(self):
        return str(self.world["vendor"])

    def base_credentials(self):
        """The worker's environment: the first access key of the vendor account."""
        users = self.world["accounts"][self.vendor_account]["users"]
        users = users.values() if isinstance(users, dict) else users
        key = next(key for user in users for key in user.get("access_keys") or user.get("keys") or [])
        return {"AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"]}

    def worker_environment(self):
        return {"AWS_ENDPOINT_URL": self.endpoint, "CONNECTORD_VENDOR_ACCOUNT": self.vendor_account,
                **self.base_credentials()}
