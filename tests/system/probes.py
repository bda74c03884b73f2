"""The drivers of tests/aws_probe: the AWS client as a process, without the rest of connectord."""
import json
import os
import subprocess
from pathlib import Path

import processes


def probe(name):
    """The driver, from the build that CONNECTORD_BIN is in, or the one of CONNECTORD_PROBES."""
    place = os.environ.get("CONNECTORD_PROBES")
    directory = Path(place) if place else Path(processes.binary()).parent / "tests"
    path = directory / name
    assert path.exists(), f"{path} is missing: build the target {name} or set CONNECTORD_PROBES"
    return str(path.resolve())


class Outcome:
    """What aws_probe printed: pages and items as they came, and its summary."""

    def __init__(self, done):
        assert "Sanitizer" not in done.stderr, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, f"aws_probe said nothing: {done.stderr}"
        self.summary = lines.pop()
        self.pages = [line["page"] for line in lines if "page" in line]
        self.items = [line for line in lines if "item" in line]
        self.item_faults = [line["item_fault"] for line in lines if "item_fault" in line]
        self.returncode = done.returncode

    @property
    def kind(self):
        """The fault's class, "ok" without one."""
        return self.summary["fault"]["class"]

    def __getattr__(self, name):
        return self.summary[name]

    def __repr__(self):
        return json.dumps(self.summary)


class Aws:
    """aws_probe with an environment: outcome = aws("pages", "iam:ListUsers", {...}, role=..., external_id=...)"""

    def __init__(self, simulator, environment=None, **options):
        self.environment = processes.clean_environment(**{"AWS_ENDPOINT_URL": simulator.endpoint, **simulator.base_credentials(),
                                                          **(environment or {})})
        self.options = options

    def argv(self, verb, operation=None, params=None, **options):
        argv = [probe("aws_probe"), verb]
        argv += [operation] if operation else []
        argv += [json.dumps(params)] if params is not None else []
        for name, value in {**self.options, **options}.items():
            if value is not None:
                argv += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        return argv

    def __call__(self, verb, operation=None, params=None, stdin="", within=60, **options):
        done = subprocess.run(self.argv(verb, operation, params, **options), env=self.environment, input=stdin,
                              capture_output=True, text=True, timeout=within)
        return Outcome(done)

    def start(self, verb, operation=None, params=None, **options):
        """The same without waiting: a Popen whose output Outcome can read."""
        return subprocess.Popen(self.argv(verb, operation, params, **options), env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
