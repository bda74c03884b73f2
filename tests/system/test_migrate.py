"""connectord migrate: once, again, at once from several places, and against a database that is not ours."""
import subprocess

import pytest

from processes import binary, clean_environment, run
from waiting import wait_until


def migrate(database, *args):
    return run([binary(), "migrate", *args], env=clean_environment(CONNECTORD_DATABASE_URL=database.owner_url))


@pytest.fixture
def empty(pg):
    made = pg.empty_database()
    yield made
    pg.drop(made)


def test_each_migration_is_told_once_and_the_second_run_has_nothing_to_do(empty):
    first, second = migrate(empty), migrate(empty)
    assert first.returncode == 0, first.stderr
    assert [line.split()[0] for line in first.stdout.splitlines()] == ["applied"] * len(first.stdout.splitlines())
    assert len(first.stdout.splitlines()) == empty.value("SELECT count(*) FROM schema_migration")
    assert second.returncode == 0 and second.stdout == "the database is up to date\n"
    assert migrate(empty, "--check").returncode == 0


def test_several_at_once_apply_each_migration_once(empty):
    environment = clean_environment(CONNECTORD_DATABASE_URL=empty.owner_url)
    running = [subprocess.Popen([binary(), "migrate"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True) for _ in range(4)]
    done = [(*p.communicate(timeout=60), p.returncode) for p in running]
    assert [code for _, _, code in done] == [0] * 4, done
    applied = [line for out, _, _ in done for line in out.splitlines() if line.startswith("applied")]
    assert len(applied) == len(set(applied)) == empty.value("SELECT count(*) FROM schema_migration")


def test_check_names_what_is_missing_and_changes_nothing(empty):
    done = migrate(empty, "--check")
    assert done.returncode == 78 and "0001_foundation" in done.stderr and "connectord migrate" in done.stderr
    assert empty.value("SELECT to_regclass('schema_migration')") is None


def test_a_changed_file_is_refused(empty):
    migrate(empty)
    empty.rows("UPDATE schema_migration SET checksum = 'f00' WHERE name = '0002_organization'")
    done = migrate(empty)
    assert done.returncode == 78 and "0002_organization" in done.stderr


def test_a_newer_database_is_refused(empty):
    migrate(empty)
    empty.rows("INSERT INTO schema_migration (name, description) VALUES ('9999_future', 'x')")
    done = migrate(empty)
    assert done.returncode == 78 and "9999_future" in done.stderr and "newer" in done.stderr


def test_a_table_in_use_is_waited_for_without_making_its_readers_wait(empty):
    """Our lock request gives up after 2 s and comes again; whoever queued behind it gets his turn in between."""
    migrate(empty)
    last = empty.value("""SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE inhparent = 'change'::regclass AND relname <> 'change_rest' ORDER BY 1 DESC LIMIT 1""")
    empty.rows(f"DROP TABLE {last}")
    holder = empty.connect()
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE change IN ROW EXCLUSIVE MODE")
    running = subprocess.Popen([binary(), "migrate"], env=clean_environment(CONNECTORD_DATABASE_URL=empty.owner_url),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: empty.value("""SELECT count(*) FROM pg_stat_activity WHERE application_name = 'connectord migrate'
        AND datname = current_database() AND wait_event_type = 'Lock'"""), "migrate waits for the table")
    reader = empty.connect()
    reader.cursor().execute("SET statement_timeout = '20s'")
    reader.cursor().execute("SELECT count(*) FROM change")
    assert running.poll() is None
    holder.rollback()
    assert running.wait(30) == 0, running.stderr.read()
    assert empty.value("SELECT to_regclass(%s)", last) is not None
