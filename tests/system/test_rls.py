"""Row security over the whole catalogue: every table holds a row of two organizations, so that seeing none means something.

The rows are made from the column types, in a database without its checks: a new table is covered from its first day."""
import uuid
from contextlib import closing

import pytest

ONE, TWO = (str(uuid.UUID(int=n, version=4)) for n in (1, 2))
# What belongs to nobody and may be read by everybody: versions of the schema, whose AWS account is ours, what the workers are,
# which sealing keys are gone.
OPEN = {"schema_migration", "vendor", "worker_identity", "sealing_key_withdrawn"}
TABLES = """SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"""
COLUMNS = """SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
    AND NOT attisdropped AND attgenerated = '' AND attidentity = '' ORDER BY attnum"""
OF_A_TYPE = {"uuid": "gen_random_uuid()", "text": "md5(random()::text)", "bytea": "sha256(random()::text::bytea)", "boolean": "true",
             "timestamp with time zone": "now()", "jsonb": "'{}'", "json": "'{}'", "interval": "interval '1 hour'", "inet": "'::1'",
             "integer": "1", "bigint": "1", "smallint": "1", "double precision": "1", "xid8": "'1'", "date": "now()"}


def value(column, kind, org):
    if column == "org_id":
        return f"'{org}'"
    if kind.endswith("[]"):
        return "'{}'"
    assert kind in OF_A_TYPE, f"the test has no value of type {kind}"
    return OF_A_TYPE[kind]


class Filled:
    def __init__(self, database):
        self.database = database
        for table, name in database.rows("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"
                                         " AND connamespace = 'public'::regnamespace AND conislocal AND conrelid <> 0"):
            database.rows(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        self.columns = {table: database.rows(COLUMNS, table) for (table,) in database.rows(TABLES)}
        self.partitions = {row[0] for row in database.rows("SELECT inhrelid::regclass::text FROM pg_inherits")}
        self.tenant = {t for t, columns in self.columns.items() if "org_id" in dict(columns) and t not in self.partitions}
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # no triggers, and nothing has to refer to anything
            for table in set(self.columns) - self.partitions:
                for org in (ONE, TWO) if table in self.tenant else (ONE,):
                    cursor.execute(self.insert(table, org) + " ON CONFLICT DO NOTHING")

    def insert(self, table, org):
        columns = self.columns[table]
        return f"""INSERT INTO {table} ({', '.join(f'"{c}"' for c, _ in columns)}) VALUES ({', '.join(value(c, k, org) for c, k in columns)})"""

    def seen(self, role, org=None):
        """{table: rows} that this role counts, in each table that it may read."""
        found = {}
        with closing(self.database.connect(role)) as connection, connection.cursor() as cursor:
            cursor.execute("SET row_security = on; BEGIN")
            if org is not None:
                cursor.execute("SELECT set_config('app.org_id', %s, true)", (org,))
            for table in self.columns:
                cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", (table,))
                if cursor.fetchone()[0]:
                    cursor.execute(f"SELECT count(*) FROM {table}")
                    found[table] = cursor.fetchone()[0]
        return found

    def of_all_organizations(self):
        """The tables that a worker works across organizations by."""
        return {row[0] for row in self.database.rows("SELECT tablename FROM pg_policies WHERE policyname IN ('worker', 'everybody')")}


@pytest.fixture(scope="module")
def filled(pg):
    database = pg.database()
    yield Filled(database)
    pg.drop(database)


def test_every_table_has_a_row_of_each_organization(filled):
    assert len(filled.tenant) > 15
    for table in set(filled.columns) - filled.partitions:
        there = filled.database.value(f"SELECT count(*) FROM {table}")
        assert there >= (2 if table in filled.tenant else 1), table


@pytest.mark.parametrize("org", [None, "", str(uuid.UUID(int=9, version=4))], ids=["unset", "empty", "of nobody"])
def test_the_server_sees_nothing_without_an_organization(filled, org):
    seen = filled.seen("connectord_app", org)
    assert filled.tenant <= set(seen) and {t for t, n in seen.items() if n} == OPEN


@pytest.mark.parametrize("org", [ONE, TWO])
def test_the_server_sees_one_organization_and_no_other(filled, org):
    seen = filled.seen("connectord_app", org)
    assert {t: n for t, n in seen.items() if n and t not in OPEN} == dict.fromkeys(filled.tenant - {"organization_id_used"}, 1)


def test_a_worker_sees_its_queues_and_nothing_else_without_an_organization(filled):
    seen = filled.seen("connectord_worker")
    assert {t for t, n in seen.items() if n} <= filled.of_all_organizations() | OPEN
    assert not {"api_key", "webhook", "entity", "edge", "document", "change", "audit", "connection_permission"} & {t for t, n in seen.items() if n}


def test_a_partition_is_no_way_round(filled):
    for role in ("connectord_app", "connectord_worker"):
        for org in (None, ONE):
            assert not any(n for t, n in filled.seen(role, org).items() if t in filled.partitions)


@pytest.mark.parametrize("role", ["connectord_app", "connectord_worker"])
def test_nothing_is_written_into_another_organization(filled, role):
    tried = 0
    wide = filled.of_all_organizations() if role == "connectord_worker" else set()
    connection = filled.database.connect(role)
    with connection.cursor() as cursor:
        def run(statement):
            """The error's class, or how many rows it touched."""
            try:
                cursor.execute("BEGIN; SELECT set_config('app.org_id', %s, true)", (ONE,))
                cursor.execute(statement)
                return cursor.rowcount
            except Exception as error:  # every error is an answer here
                return error.pgcode
            finally:
                cursor.execute("ROLLBACK")
        for table in sorted(filled.tenant - wide):
            tries = [(filled.insert(table, TWO), "INSERT", "42501"), (f"UPDATE {table} SET org_id = '{TWO}'", "UPDATE", "42501"),
                     (f"UPDATE {table} SET org_id = org_id WHERE org_id = '{TWO}'", "UPDATE", 0),
                     (f"DELETE FROM {table} WHERE org_id = '{TWO}'", "DELETE", 0)]
            for statement, right, wanted in tries:
                got = run(statement)  # 42501: no right to do that at all, or row security
                assert got in ("42501", wanted), (statement, got)
                cursor.execute("SELECT has_table_privilege(%s, %s)", (table, right))
                tried += cursor.fetchone()[0]
    connection.close()
    assert tried >= 10


def test_what_is_read_through_a_view_is_read_as_oneself(filled):
    assert filled.database.rows("""SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm'
        OR relkind = 'v' AND NOT coalesce(reloptions::text LIKE '%%security_invoker=true%%', false))""") == []


def test_functions_with_other_rights_are_pinned_and_are_triggers(filled):
    definers = filled.database.rows("""SELECT proname, proconfig, prorettype = 'trigger'::regtype FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef""")
    for name, config, trigger in definers:
        assert trigger, f"{name} could be called by anybody"
        path = next(c for c in config if c.startswith("search_path=")).removeprefix("search_path=").split(", ")
        assert path[0] == "pg_catalog" and path[-1] == "pg_temp", (name, path)


@pytest.mark.parametrize("role", ["connectord_app", "connectord_worker"])
def test_a_process_can_make_nothing_and_become_nobody(filled, role):
    with closing(filled.database.connect(role)) as connection, connection.cursor() as cursor:
        for statement in ("CREATE TABLE x ()", "CREATE SCHEMA x", "SET ROLE connectord_owner", "SET session_replication_role = replica",
                          "ALTER TABLE entity DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON entity", "TRUNCATE audit",
                          "CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "COPY entity TO PROGRAM 'true'"):
            with pytest.raises(Exception, match="permission denied|must be owner|must be superuser|not allowed"):
                cursor.execute(statement)
        # Row security switched off is an error, and not a door.
        cursor.execute("SET row_security = off")
        with pytest.raises(Exception, match="row-level security"):
            cursor.execute("SELECT count(*) FROM entity")
