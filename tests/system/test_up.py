"""connectord up: one command that brings its own database, keeps its data, and leaves nothing behind."""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg2
import pytest
import requests

from api import Operator
from processes import Process, binary, clean_environment, free_port, run
from waiting import wait_until

CONFIG = 78


def processes_of(data):
    """Pids of everything that belongs to this data folder: by command line, working folder or environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                command = file.read().decode(errors="replace")
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                state = file.read().rpartition(")")[2].split()[0]
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read().decode(errors="replace")
            folder = os.readlink(f"/proc/{entry}/cwd")
        except OSError:
            continue
        if state != "Z" and (str(data) in command or str(data) in environment or folder.startswith(str(data))):
            found.append(int(entry))
    return found


class Up(Process):
    def __init__(self, directory, data, *args, **settings):
        self.data, self.port = Path(data), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        env = clean_environment(**{f"CONNECTORD_{k.upper()}": v for k, v in settings.items()})
        super().__init__([binary(), "up", f"--data-dir={data}", f"--listen-port={self.port}", *args], env, directory, "up")

    def ready(self):
        self.wait_for(lambda: "Ctrl-C or SIGTERM stops everything." in self.text(), "up says that it is up", within=90)
        assert requests.get(self.url + "/readyz", timeout=30).status_code == 200
        return self

    def said(self, label):
        found = re.search(rf"^  {label} +(\S+)", self.text(), re.M)
        return found and found.group(1)

    @property
    def operator(self):
        return Operator(self.data / "run/admin.sock", (self.data / "keys/operator.key").read_text().strip())

    def children(self):
        done = subprocess.run(["ps", "--ppid", str(self.pid), "-o", "pid=,args="], capture_output=True, text=True, check=False)
        return {line.split(None, 1)[1].split(" -D")[0]: int(line.split()[0]) for line in done.stdout.splitlines()}


@pytest.fixture
def data():
    """Not below pytest's folder: another user must be able to enter it, and socket paths are short."""
    made = tempfile.mkdtemp(prefix="cup-", dir="/tmp")
    os.chmod(made, 0o755)
    yield Path(made) / "data"
    for pid in processes_of(made):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(made), "nothing runs any more")
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def start_up(tmp_path, data):
    started = []

    def start(*args, **settings):
        started.append(Up(tmp_path, data, *args, **settings))
        return started[-1]
    yield start
    for one in started:
        one.end()


def test_the_first_run_makes_an_organization_and_the_data_survives_a_restart(start_up):
    up = start_up().ready()
    org_id, key = up.said("organization"), up.said("API key")
    answer = requests.get(up.url + "/v1/connections", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert up.stop() == 0

    again = start_up().ready()
    assert again.said("organization") is None and key not in again.text()
    assert requests.get(again.url + "/v1/connections", headers={"Authorization": f"Bearer {key}"}, timeout=10).status_code == 200
    listed = again.operator.request("GET", "/v1/admin/organizations").json()["data"]
    assert [one["org_id"] for one in listed] == [org_id]


def test_sigterm_ends_everything_within_30_seconds_and_leaves_nothing(start_up, data):
    up = start_up("--no-first-organization").ready()
    assert len(processes_of(data)) >= 4
    assert up.stop(within=30) == 0
    assert processes_of(data) == []
    assert not (data / "postgres/postmaster.pid").exists()


def test_kill_9_of_up_alone_takes_its_children_with_it(start_up, data):
    up = start_up("--no-first-organization").ready()
    up.kill()
    wait_until(lambda: not processes_of(data), lambda: f"still there: {processes_of(data)}", within=60)


def test_kill_9_of_everything_loses_nothing_and_the_next_up_recovers(start_up, data):
    up = start_up().ready()
    org_id = up.said("organization")
    victims = processes_of(data)
    os.kill(up.pid, signal.SIGSTOP)  # so that it neither restarts nor ends what we kill
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # ended with its parent
    up.popen.wait(30)
    assert (data / "postgres/postmaster.pid").exists()

    again = start_up().ready()
    listed = again.operator.request("GET", "/v1/admin/organizations").json()["data"]
    assert [one["org_id"] for one in listed] == [org_id]


def test_an_orphaned_postmaster_is_ended_and_its_cluster_taken_over(start_up, data, pg):
    up = start_up("--no-first-organization").ready()
    assert up.stop() == 0
    from cluster import pg_bin
    argv = [f"{pg_bin()}/postgres", "-D", str(data / "postgres"), "-c", "listen_addresses=", "-c",
            f"unix_socket_directories={data / 'sql'}"]
    orphan = subprocess.Popen(pg._as_user(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd="/")
    wait_until(lambda: (data / "sql/.s.PGSQL.5432").exists(), "the orphan listens")
    start_up("--no-first-organization").ready()
    assert orphan.wait(60) == 0


def test_a_lock_file_whose_number_belongs_to_another_program_is_no_obstacle(start_up, data):
    up = start_up("--no-first-organization").ready()
    assert up.stop() == 0
    lock = data / "postgres/postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{data / 'postgres'}\n1700000000\n5432\n{data / 'sql'}\n\n")
    shutil.chown(lock, (data / "postgres").stat().st_uid, (data / "postgres").stat().st_gid)
    start_up("--no-first-organization").ready()


@pytest.mark.parametrize("which", ["connectord server", "connectord worker", "postgres"])
def test_a_child_that_dies_is_started_again(start_up, which):
    up = start_up("--no-first-organization").ready()
    before = up.children()[which]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: up.children().get(which) not in (None, before), f"{which} runs again", within=60)

    def serves():
        try:
            return requests.get(up.url + "/readyz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False
    up.wait_for(serves, "the API is ready again", within=60)
    assert "child_ended" in up.text()


def test_each_child_is_told_only_what_it_may_know(start_up):
    up = start_up("--no-first-organization").ready()
    children = up.children()
    told = {}
    for name in ("connectord server", "connectord worker"):
        with open(f"/proc/{children[name]}/environ", encoding="utf-8") as file:
            told[name] = file.read()
    assert "connectord_app" in told["connectord server"] and "SEAL_KEY_FILE" not in told["connectord server"]
    assert "connectord_worker" in told["connectord worker"] and "OPERATOR_KEY" not in told["connectord worker"]
    for text in told.values():
        assert "connectord_owner" not in text


def uids_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return set(re.search(r"^Uid:\t(.*)$", file.read(), re.M).group(1).split())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its children to other users")
def test_as_root_server_and_database_are_two_users_and_the_server_can_be_nothing_but_the_app_role(start_up, data):
    up = start_up("--no-first-organization").ready()
    children = up.children()
    [server], [postgres] = uids_of(children["connectord server"]), uids_of(children["postgres"])
    assert len({"0", server, postgres}) == 3
    assert (data / "postgres").stat().st_uid == int(postgres)
    seal_key = (data / "keys/seal.key").stat()
    assert (seal_key.st_uid, seal_key.st_mode & 0o777) == (0, 0o600)

    group = os.stat(f"/proc/{children['connectord server']}").st_gid or pwd.getpwuid(int(server)).pw_gid
    become = ["setpriv", f"--reuid={server}", f"--regid={group}", "--clear-groups"]

    def psql(role, *how):
        return run([*(how or become), "psql", "-h", str(data / "sql"), "-U", role, "-d", "connectord", "-c", "SELECT 1"])
    assert psql("connectord_app").returncode == 0
    for role in ("connectord_worker", "connectord_owner", "postgres"):
        tried = psql(role)
        assert tried.returncode != 0 and "eer authentication failed" in tried.stderr, tried.stderr
    for file in ("postgres/pg_ident.conf", "postgres/pg_hba.conf", "postgres/PG_VERSION", "keys/seal.key"):
        assert run([*become, "cat", str(data / file)]).returncode != 0, file
    assert run([*become, "touch", str(data / "sql/.s.PGSQL.5433")]).returncode != 0, "no socket of its own beside the database's"
    # A third user does not even come to the door.
    stranger = pwd.getpwnam("daemon")
    tried = psql("connectord_app", "setpriv", f"--reuid={stranger.pw_uid}", f"--regid={stranger.pw_gid}", "--clear-groups")
    assert tried.returncode != 0 and "Permission denied" in tried.stderr


def test_the_database_listens_on_no_tcp_port(start_up, data):
    up = start_up("--no-first-organization").ready()
    connection = psycopg2.connect(f"host={data / 'sql'} dbname=connectord user=connectord_owner")
    with connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
    connection.close()
    assert up.alive


def test_server_and_worker_show_their_metrics_on_neighbouring_ports(start_up):
    """Two processes cannot share the port that was set."""
    port = next(n for n in iter(free_port, None) if n < 65535 and is_free(n + 1))
    start_up("--no-first-organization", metrics_listen_port=port).ready()
    assert "connectord_db_pool_size" in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    wait_until(lambda: "connectord_worker_threads 8" in worker_says(port + 1), "the worker shows its own", 60)


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def worker_says(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    except (requests.ConnectionError, requests.Timeout):
        return ""


def test_a_second_up_on_the_same_folder_is_refused_by_name(start_up, data):
    up = start_up("--no-first-organization").ready()
    done = run([binary(), "up", f"--data-dir={data}", "--listen-port=0"])
    assert done.returncode == CONFIG
    assert f"another `connectord up` (pid {up.pid})" in done.stderr
    assert up.alive


def test_a_taken_port_is_said_and_nothing_is_left(start_up, data, free_socket):
    done = run([binary(), "up", f"--data-dir={data}", f"--listen-port={free_socket}", "--no-first-organization"], within=90)
    assert done.returncode == 69
    assert f"{free_socket}" in done.stderr and "connectord up: the server ended" in done.stderr.splitlines()[-1]
    assert processes_of(data) == []


@pytest.fixture
def free_socket():
    import socket
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("args, env, words", [
    (["--data-dir=/proc/nowhere"], {}, "/proc/nowhere cannot be made"),
    (["--data-dir=/tmp/" + "x" * 120], {}, "too long for the Unix sockets"),
    (["--pg-bin-dir=/nonexistent"], {}, "there is no program /nonexistent/postgres"),
    (["--up-user=nobody-at-all"], {}, "there is no user nobody-at-all"),
    ([], {"CONNECTORD_DATABASE_URL": "dbname=x"}, "database_url is set"),
])
def test_what_is_wrong_is_said_in_one_line_with_78(data, args, env, words):
    if "up-user" in str(args) and os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    folder = [] if any("--data-dir" in one for one in args) else [f"--data-dir={data}"]
    done = run([binary(), "up", "--listen-port=0", *folder, *args], env=clean_environment(**env))
    assert done.returncode == CONFIG
    assert len(done.stderr.splitlines()) == 1 and words in done.stderr
