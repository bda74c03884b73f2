"""A private PostgreSQL for the tests: own data directory, Unix socket only, gone afterwards."""
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

import psycopg2

from processes import binary, clean_environment, run

OWNER, APP, WORKER = "connectord_owner", "connectord_app", "connectord_worker"
# Nothing here has to survive a power cut, and the tests want to see our speed, not the disk's.
SETTINGS = {
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "max_connections": "200", "shared_buffers": "128MB", "max_wal_size": "2GB", "autovacuum_naptime": "5s",
    "log_min_messages": "warning", "track_counts": "on",
}


def pg_bin():
    asked = os.environ.get("CONNECTORD_PG_BIN_DIR")
    found = [asked] if asked else sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    assert found, "no PostgreSQL: install the package postgresql"
    return found[-1]


class Database:
    """One database of the cluster: connection strings by role, and a superuser connection to look with."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def url(self, role):
        return f"host={self.cluster.socket_dir} dbname={self.name} user={role}"

    @property
    def owner_url(self):
        return self.url(OWNER)

    @property
    def app_url(self):
        return self.url(APP)

    @property
    def worker_url(self):
        return self.url(WORKER)

    def connect(self, role=None):
        """A psycopg2 connection; the superuser sees all rows (row security does not bind it)."""
        connection = psycopg2.connect(self.url(role or self.cluster.superuser))
        connection.autocommit = True
        return connection

    def rows(self, sql, *args, role=None):
        connection = self.connect(role)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args or None)
                return cursor.fetchall() if cursor.description else cursor.rowcount
        finally:
            connection.close()

    def value(self, sql, *args, role=None):
        found = self.rows(sql, *args, role=role)
        return found[0][0] if found else None

    def dump(self):
        """All of it as SQL, the superuser's view."""
        done = run([os.path.join(pg_bin(), "pg_dump"), "--inserts", f"host={self.cluster.socket_dir} dbname={self.name}"
                    f" user={self.cluster.superuser}"])
        assert done.returncode == 0, done.stderr
        return done.stdout


class Cluster:
    superuser = "postgres"

    def __init__(self, prepared=None):
        """prepared: what keep() left of a cluster; else an empty one is made."""
        # /tmp, not pytest's folder: a Unix socket path has at most 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="cpg-", dir="/tmp")
        self.socket_dir = self.directory
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "postgres.log")
        self.names = 0
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        if prepared:
            subprocess.run(["cp", "-a", "--reflink=auto", prepared, self.data], check=True)
        else:
            self._initdb()
        self._configure()
        self.start()

    def _as_user(self, *argv):
        """setpriv and not runuser: no session is opened, and the pid is the program's own."""
        if os.geteuid() != 0:
            return list(argv)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *argv]

    def _pg(self, program, *args, within=60):
        done = run(self._as_user(os.path.join(pg_bin(), program), *args), within=within, cwd=self.directory,
                   env=clean_environment(LC_ALL="C.UTF-8"))
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def _initdb(self):
        self._pg("initdb", "-D", self.data, "-U", self.superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                 "--no-sync", "--no-instructions")

    def _configure(self):
        with open(os.path.join(self.data, "postgresql.auto.conf"), "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            conf.write(f"unix_socket_directories = '{self.socket_dir}'\n")

    def start(self):
        with open(self.log, "ab") as log:  # pg_ctl waits until connections are accepted
            subprocess.run(self._as_user(os.path.join(pg_bin(), "pg_ctl"), "-D", self.data, "-w", "-t", "60", "-s", "start"),
                           check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                           env=clean_environment(LC_ALL="C.UTF-8"))

    def stop(self, mode="fast"):
        """mode "immediate" is the database's kill -9."""
        self._pg("pg_ctl", "-D", self.data, "-w", "-t", "60", "-s", "-m", mode, "stop")

    def admin(self, sql):
        connection = psycopg2.connect(f"host={self.socket_dir} dbname=postgres user={self.superuser}")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
        connection.close()

    def empty_database(self, name=None):
        """A database that knows nothing of connectord yet, owned by the owner role."""
        self.names += 1
        name = name or f"db{self.names}"
        self.admin(f"CREATE DATABASE {name} OWNER {OWNER}")
        return Database(self, name)

    def prepare(self):
        """Roles, and the migrated template that every test database is copied from."""
        self.admin(f"CREATE ROLE {OWNER} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS")
        template = self.empty_database("template_connectord")
        done = run([binary(), "migrate"], env=clean_environment(CONNECTORD_DATABASE_URL=template.owner_url))
        assert done.returncode == 0, f"connectord migrate: {done.stdout}{done.stderr}"

    def keep(self, place):
        """Leaves the stopped cluster's data in that place: a copy starts in a fraction of the time that making one takes."""
        self.stop()
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run(["cp", "-a", self.data, place], check=True)

    def database(self):
        self.names += 1
        name = f"db{self.names}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE template_connectord OWNER {OWNER}")
        return Database(self, name)

    def drop(self, database):
        self.admin(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")

    def remove(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


if __name__ == "__main__":  # PLACE: makes a prepared cluster, once for many runs
    made = Cluster()
    try:
        made.prepare()
        made.keep(sys.argv[1])
    finally:
        shutil.rmtree(made.directory, ignore_errors=True)
