"""Fixtures of the system tests: a private PostgreSQL, keys, awssim, servers and workers as real processes.

Databases, keys and processes live as long as the module that asks for them, so a file's tests share one system;
a test that breaks a process starts its own from the factory. Everything is ended by its own pid."""
import os
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

import processes  # noqa: E402
from api import Operator, Organization  # noqa: E402
from cluster import Cluster  # noqa: E402
from processes import Process, binary, clean_environment, free_port  # noqa: E402
from simulator import Awssim  # noqa: E402


@pytest.fixture(scope="session")
def pg():
    """The session's PostgreSQL cluster with the owner role and a migrated template database."""
    prepared = os.environ.get("CONNECTORD_TEST_CLUSTER")  # tests/run makes one for all files
    cluster = Cluster(prepared)
    try:
        if not prepared:
            cluster.prepare()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def database(pg):
    """A fresh migrated database for this module."""
    made = pg.database()
    yield made
    pg.drop(made)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("system")


@pytest.fixture(scope="module")
def keys(directory):
    """Sealing keys and the operator key, as `connectord keys` makes them."""
    place = directory / "keys"
    done = processes.run([binary(), "keys", str(place)])
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(directory=place, seal_key=place / "seal.key", seal_public=place / "seal.pub",
                           operator_key=place / "operator.key", operator=(place / "operator.key").read_text().strip())


class Server(Process):
    """`connectord server` on a free loopback port, with its operator socket."""

    def __init__(self, directory, database, keys, under=(), **settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_socket = Path(settings.get("admin_socket") or f"/tmp/cadm-{uuid.uuid4().hex[:12]}.sock")
        settings = {"database_url": database.app_url, "listen_host": "127.0.0.1", "listen_port": self.port,
                    "admin_socket": self.admin_socket, "operator_key_file": keys.operator_key,
                    "seal_public_file": keys.seal_public, **settings}
        super().__init__([*under, binary(), "server"], environment(settings), directory, "server")
        self.operator = Operator(self.admin_socket, keys.operator)

    def ready(self):
        self.wait_for(lambda: self._answers() and self.admin_socket.exists(), "the server answers")
        return self

    def _answers(self):
        try:
            return requests.get(self.url + "/livez", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def organization(self, name=None, **fields):
        """A new organization with an owner key."""
        made = self.operator.create_organization(name or f"org {uuid.uuid4().hex[:8]}", **fields)
        key = self.operator.create_key(made["org_id"])
        return Organization(self.url, made["org_id"], key["key"])

    def end(self):
        super().end()
        self.admin_socket.unlink(missing_ok=True)


class Worker(Process):
    """`connectord worker`; settings by name, `env` for AWS's own variables, `under` a program that runs it."""

    def __init__(self, directory, database, keys, env=None, under=(), **settings):
        settings = {"database_url": database.worker_url, "seal_key_file": keys.seal_key, **settings}
        super().__init__([*under, binary(), "worker"], {**environment(settings), **(env or {})}, directory, "worker")

    def ready(self):
        self.wait_log("worker_ready")
        return self


def environment(settings):
    """Settings by their name in base/config.c as CONNECTORD_* variables; None leaves one out."""
    named = {f"CONNECTORD_{name.upper()}": value for name, value in settings.items() if value is not None}
    return clean_environment(**{"CONNECTORD_LOG_FORMAT": "json", "CONNECTORD_LOG_LEVEL": "info", **named})


@pytest.fixture(scope="module")
def factory():
    """Keeps what was started and ends it, newest first."""
    started = []

    def keep(process):
        started.append(process)
        return process
    yield keep
    for process in reversed(started):
        process.end()
    reports = [report for process in started for report in process.sanitizer_reports()]
    assert not reports, "\n".join(reports)


@pytest.fixture(scope="module")
def start_awssim(factory, directory):
    """start_awssim(world, latency_ms=, page_size=, quotas=, variables={}) -> Awssim"""
    return lambda world, **options: factory(Awssim(directory, world, **options))


@pytest.fixture(scope="module")
def start_server(factory, directory, database, keys):
    """start_server(**settings) -> Server that answers; wait=False returns at once; another database= may be given."""
    def start(wait=True, **settings):
        place = settings.pop("database", database)
        made = factory(Server(directory, place, keys, **settings))
        return made.ready() if wait else made
    return start


@pytest.fixture(scope="module")
def start_worker(factory, directory, database, keys):
    """start_worker(awssim=None, env={}, **settings) -> Worker that claims; wait=False returns at once."""
    def start(awssim=None, env=None, wait=True, **settings):
        place = settings.pop("database", database)
        env = {**(awssim.worker_environment() if awssim else {}), **(env or {})}
        made = factory(Worker(directory, place, keys, env=env, **settings))
        return made.ready() if wait else made
    return start


@pytest.fixture(scope="module")
def server(start_server):
    """The module's server."""
    return start_server()


@pytest.fixture
def org(server):
    """A new organization with an owner key, for one test."""
    return server.organization()


@pytest.fixture
def other_org(server):
    return server.organization()
