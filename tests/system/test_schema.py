"""The schema as a catalogue: what every table must have, asked of PostgreSQL itself."""
import pytest

# Tables that hold no organization's data.
SHARED = {"schema_migration", "organization_id_used", "vendor", "worker_identity", "service_key", "operator_audit", "operator_audit_head", "sealing_key_withdrawn"}
TABLES = """SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p')"""


@pytest.fixture(scope="module")
def tables(database):
    found = [row[0] for row in database.rows(TABLES)]
    assert len(found) > 10
    return found


def test_every_column_and_table_says_what_it_is(database):
    silent = database.rows("""SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attnum >= 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL""")
    assert silent == []
    assert database.rows("""SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND obj_description(oid) IS NULL""") == []
    assert database.rows("""SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND obj_description(oid) IS NULL""") == []


def test_every_tenant_table_forces_row_security(database):
    open_tables = database.rows("""SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> 'schema_migration'""")
    assert open_tables == []


def test_every_tenant_policy_reads_and_writes_by_org_id(database, tables):
    policies = database.rows("""SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'tenant'""")
    for table, qual, check in policies:
        assert qual == check == "(org_id = app_org())", table
    # A partition is reached through its parent; its own row security has no policy and so shows nothing.
    partitions = {row[0] for row in database.rows("SELECT inhrelid::regclass::text FROM pg_inherits")}
    assert {row[0] for row in policies} == set(tables) - SHARED - partitions


WORKERS_OWN = ("organization", "schedule", "sync", "org_queue", "task", "vendor", "worker_identity", "connection_check",
               "idempotency",            # expired answers go, whoever's they are
               "sealing_key_withdrawn")  # only the role that rotates keys withdraws one
# No organization's rows, or the list of them all.
OPERATORS = ("organization", "organization_id_used", "org_queue", "service_key", "operator_audit", "operator_audit_head")
OF_NOBODY = "(app_operator() AND (org_id = '00000000-0000-0000-0000-000000000000'::uuid))"
HAS_KEY = "(EXISTS ( SELECT FROM api_key k WHERE ((k.org_id = organization.org_id) AND (k.key_id = app_key()))))"


def known_policies():
    """All that opens a table to anything but its organization: (table, policy, roles, command, what is seen, what may be written)."""
    app, worker, anybody = "{connectord_app}", "{connectord_worker}", "{public}"
    yield from ((t, "worker", worker, "ALL", "true", "true") for t in WORKERS_OWN)
    yield from ((t, "operator", anybody, "ALL", "app_operator()", "app_operator()") for t in OPERATORS)
    yield "idempotency", "operator", anybody, "ALL", OF_NOBODY, OF_NOBODY
    # What the workers found out about themselves, and which keys are gone: everybody may read that, only they may write it.
    yield from ((t, "everybody", anybody, "SELECT", "true", None) for t in ("vendor", "worker_identity", "sealing_key_withdrawn"))
    for table, key in (("api_key", "key_id"), ("service_key", "svc_id")):
        own = f"({key} = app_key())"
        yield table, "authenticate", app, "SELECT", own, None
        yield table, "stamp", app, "UPDATE", own, own
    yield "organization", "whose_key", app, "SELECT", HAS_KEY, None


def test_other_policies_are_the_known_ones(database):
    rows = database.rows("""SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies
        WHERE policyname <> 'tenant' AND permissive = 'PERMISSIVE'""")
    found = [tuple(" ".join(cell.split()) if cell else None for cell in row) for row in rows]
    assert sorted(found, key=str) == sorted(known_policies(), key=str)


def test_org_id_leads_every_key_of_a_tenant_table(database):
    wrong = database.rows("""SELECT conrelid::regclass, conname FROM pg_constraint k
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
        AND conrelid::regclass::text NOT IN ('schema_migration', 'vendor', 'worker_identity', 'service_key', 'operator_audit',
         'operator_audit_head', 'sealing_key_withdrawn')
        AND (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) <> 'org_id'""")
    assert wrong == []


def test_every_foreign_key_has_an_index_that_starts_with_it(database):
    bare = database.rows("""SELECT k.conrelid::regclass, k.conname FROM pg_constraint k WHERE k.contype = 'f'
        AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid
        AND i.indpred IS NULL
        AND (SELECT array_agg(n ORDER BY n) FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) AS n)
          = (SELECT array_agg(n ORDER BY n) FROM unnest(k.conkey) AS n))""")
    assert bare == []


@pytest.mark.parametrize("role", ["connectord_app", "connectord_worker"])
def test_process_roles_own_nothing_and_bypass_nothing(database, role):
    assert database.rows("""SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles
        WHERE rolname = %s""", role) == [(False,) * 5]
    assert database.value("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", role) == 0
    assert database.value("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", role) == 0


def test_no_function_runs_with_rights_that_its_caller_lacks(database):
    assert database.rows("""SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
        AND NOT coalesce(proconfig::text LIKE '%%search_path%%', false)""") == []


@pytest.fixture(scope="module")
def filled(database):
    """One row in what an organization touches first."""
    database.rows("""INSERT INTO organization (org_id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'one');
        INSERT INTO org_queue (org_id, slots) VALUES ('00000000-0000-4000-8000-000000000001', 4);
        INSERT INTO connection (org_id, connection_id, name, authoritative_status, aws_account_id, region, auth_method,
            role_arn) VALUES ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'c', 'none', '111122223333',
            'us-east-1', 'assume_role', 'arn:aws:iam::111122223333:role/r');
        INSERT INTO task (org_id, task_id, kind) VALUES ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'k')""")


def test_without_an_organization_the_server_sees_no_row(database, tables, filled):
    connection = database.connect("connectord_app")
    seen = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", (table,))
            if table != "schema_migration" and cursor.fetchone()[0]:
                cursor.execute(f"SELECT count(*) FROM {table}")
                seen[table] = cursor.fetchone()[0]
        assert len(seen) > 8 and not any(seen.values()), seen
        # The same question with the organization set does see them, so the zeros above mean something.
        cursor.execute("""BEGIN; SELECT set_config('app.org_id', '00000000-0000-4000-8000-000000000001', true)""")
        cursor.execute("SELECT (SELECT count(*) FROM connection), (SELECT count(*) FROM task)")
        assert cursor.fetchone() == (1, 1)
        cursor.execute("COMMIT; SELECT count(*) FROM connection")
        assert cursor.fetchone() == (0,)
    connection.close()


def test_the_server_reads_whose_account_is_our_own_and_cannot_change_it(database):
    store = "INSERT INTO vendor (account_id) VALUES (%s) ON CONFLICT (one) DO UPDATE SET account_id = excluded.account_id"
    for account in ("111122223333", "444455556666"):
        database.rows(store, account, role="connectord_worker")
        assert database.rows("SELECT account_id FROM vendor", role="connectord_app") == [(account,)]
    with pytest.raises(Exception, match="permission denied"):
        database.rows(store, "777788889999", role="connectord_app")
    with pytest.raises(Exception, match="check constraint"):
        database.rows(store, "77778888999", role="connectord_worker")
    database.rows("DELETE FROM vendor")


def test_a_row_cannot_be_written_into_another_organization(database, filled):
    connection = database.connect("connectord_app")
    with connection.cursor() as cursor:
        cursor.execute("""BEGIN; SELECT set_config('app.org_id', '00000000-0000-4000-8000-000000000002', true)""")
        with pytest.raises(Exception, match="row-level security"):
            cursor.execute("""INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id)
                VALUES ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'x', 'x', 'key', 'x')""")
    connection.close()


def test_the_coming_year_has_its_partitions(database):
    months = database.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'change'::regclass")
    assert months >= 14  # this month, twelve more, and the rest
