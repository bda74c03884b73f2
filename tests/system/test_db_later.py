"""db_later: statements that travel with the next one or with COMMIT. What fails in them is told then, and nothing of it stays."""
from pathlib import Path

import pytest

from processes import binary, run

TABLE = "CREATE TABLE later (n integer PRIMARY KEY CONSTRAINT later_small CHECK (n < 1000)); GRANT ALL ON later TO connectord_app"


@pytest.fixture(scope="module")
def later(database):
    database.rows(TABLE)
    return database


@pytest.fixture
def probe(later):
    """probe("+1", "?") -> (rc, code, count, failed parts, what the table holds)"""
    later.rows("TRUNCATE later")

    def call(*steps):
        done = run([str(Path(binary()).parent / "tests/db_probe"), later.app_url, *steps])
        assert done.returncode == 0, done.stderr
        rc, code, count, failed = done.stdout.split()
        return rc, code, count, int(failed), [n for n, in later.rows("SELECT n FROM later ORDER BY n")]
    return call


def test_they_happen_in_order_and_a_count_sees_those_before_it(probe):
    assert probe("+1", "+2", "?", "+3") == ("OK", "-", "2", 0, [1, 2, 3])
    assert probe("+4", "=5", "?") == ("OK", "-", "5", 0, [1, 2, 3, 4, 5])


def test_more_than_one_trip_holds(probe):
    assert probe(*(f"+{n}" for n in range(200)), "?") == ("OK", "-", "200", 0, list(range(200)))


def test_a_transaction_that_joins_ends_with_what_it_asked_for(probe):
    assert probe("+1", "{", "+2", "?", "}", "+3") == ("OK", "-", "2", 0, [1, 2, 3])
    assert probe("{", "+4", "+2000", "?", "}", "+5") == ("INVALID", "later_small", "-", 0, [1, 2, 3])


@pytest.mark.parametrize("steps", [("+1", "+2000", "+3"), ("+2000", "=1"), ("=1", "+2000", "?"), ("+1", "+2000", *(f"+{n}" for n in range(2, 90)))])
def test_what_fails_is_told_by_its_constraint_and_takes_all_along(probe, steps):
    assert probe(*steps) == ("INVALID", "later_small", "-", 0, [])


def test_a_double_is_a_conflict(probe):
    assert probe("+1", "+2", "+1", "+3") == ("CONFLICT", "later_pkey", "-", 0, [])


def test_a_body_that_fails_takes_them_along(probe):
    assert probe("+1", "+2", "x") == ("INVALID", "told_to", "-", 0, [])
    assert probe("+1", "+2000", "x") == ("INVALID", "told_to", "-", 0, [])


def test_a_part_learns_of_its_own_failure_and_the_rest_goes_on(probe):
    assert probe("+1", "[", "+2", "+2000", "]", "+3", "?") == ("OK", "-", "2", 1, [1, 3])
    assert probe("[", "+4", "]", "[", "=5", "+5", "]", "+6") == ("OK", "-", "-", 1, [1, 3, 4, 6])
    assert probe("[", "+7", "x", "]", "?", "+8") == ("OK", "-", "4", 1, [1, 3, 4, 6, 8])


def test_a_session_that_ends_before_commit_is_no_commit(probe):
    """With COMMIT in the same trip nobody can know; told so, and never repeated."""
    assert probe("+1", "k", "=2") == ("RETRY", "database_away", "-", 0, [])
    assert probe("+1", "k") == ("RETRY", "commit_unknown", "-", 0, [])
    assert probe("[", "+1", "k", "]", "+2") == ("RETRY", "database_away", "-", 1, [])
