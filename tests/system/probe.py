"""The queue from outside: probe workers (tests/queue_probe), organizations and tasks put in by SQL, traces read back."""
import os
import uuid
from pathlib import Path

import psycopg2

import processes
from processes import Process, binary, clean_environment

TABLES = """
CREATE TABLE IF NOT EXISTS probe_effect (org_id uuid, task_id uuid, kind text, lease bigint, attempts int, pid int,
    created_at timestamptz, at timestamptz);
CREATE TABLE IF NOT EXISTS probe_begun (org_id uuid, task_id uuid, kind text, lease bigint, pid int, at timestamptz);
CREATE TABLE IF NOT EXISTS probe_part (connection_id uuid, part text, state text, reason_code text DEFAULT '',
    reason text DEFAULT '');
GRANT SELECT, INSERT ON probe_effect, probe_begun, probe_part TO connectord_worker;
"""
INSERT = """INSERT INTO task (org_id, task_id, kind, payload)
    SELECT %s, gen_random_uuid(), %s, %s::jsonb FROM generate_series(1, %s) RETURNING task_id"""


def probe_binary():
    path = Path(os.environ.get("QUEUE_PROBE_BIN") or Path(binary()).parent / "tests" / "queue_probe")
    assert path.exists(), f"{path} is missing: build the target queue_probe"
    return str(path)


class Worker(Process):
    """A probe worker; options are the pool's settings by name."""

    def __init__(self, directory, database, **options):
        argv = [probe_binary(), "worker", database.worker_url, *(f"{k}={v}" for k, v in options.items())]
        super().__init__(argv, clean_environment(), directory, "probe")

    def ready(self):
        self.wait_log("ready ")
        return self

    @property
    def worker_id(self):
        return next(line.split()[1] for line in self.text().splitlines() if line.startswith("ready "))


def call(database, what, *args, role=None):
    """One call of db/ -> (rc, code, id)."""
    url = database.url(role) if role else database.worker_url
    done = processes.run([probe_binary(), what, url, *map(str, args)])
    assert done.returncode == 0, f"queue_probe {what}: {done.returncode} {done.stderr}"
    return tuple(done.stdout.split())


class Queue:
    """A database seen as a queue."""

    def __init__(self, database):
        self.database, self.looker = database, None
        database.rows(TABLES)

    def organization(self, slots=4):
        org_id = str(uuid.uuid4())
        self.database.rows("INSERT INTO organization (org_id, name, worker_slots) VALUES (%s, 'probe', %s)", org_id, slots)
        self.database.rows("INSERT INTO org_queue (org_id, slots) VALUES (%s, %s)", org_id, slots)
        return org_id

    def connection(self, org_id):
        connection_id = str(uuid.uuid4())
        self.database.rows(
            "INSERT INTO connection (org_id, connection_id, name, authoritative_status, aws_account_id, region, auth_method,"
            " role_arn) VALUES (%s, %s, 'probe', 'none', '111122223333', 'us-east-1', 'assume_role',"
            " 'arn:aws:iam::111122223333:role/probe')", org_id, connection_id)
        return connection_id

    def insert(self, org_id, kind, count=1, payload="{}"):
        """Tasks, and the notification that goes with them; returns their ids."""
        ids = [row[0] for row in self.database.rows(INSERT, org_id, kind, payload, count)]
        self.database.rows("SELECT pg_notify('task', '')")
        return ids

    def count(self, table, where="true", *args):
        """On a connection that is kept: looks must be quick when processes die ten times a second."""
        for last in (False, True):
            try:
                self.looker = self.looker or self.database.connect()
                with self.looker.cursor() as cursor:
                    cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}", args or None)
                    return cursor.fetchone()[0]
            except psycopg2.Error:
                self.looker = None  # the server may have been killed under it
                if last:
                    raise

    def begun(self, kind):
        return self.count("probe_begun", "kind = %s", kind)

    def sync(self, sync_id):
        """(state, reason_code, tasks_left)"""
        return self.database.rows("SELECT state, reason_code, tasks_left FROM sync WHERE sync_id = %s", sync_id)[0]

    def assert_settled(self):
        """Nothing queued, and no slot counted for nothing."""
        assert self.count("task") == 0
        assert self.count("org_queue", "running <> 0") == 0
