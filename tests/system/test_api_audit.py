"""The audit trail: one chain an organization whatever the number of writers, and no change of an export goes unseen."""
import hashlib
import json
import random
import threading

import pytest

from api import expect
from processes import binary, clean_environment, run
from trail import TAMPERINGS, ZEROS, Trail, Verify, tampered

WRITERS, WRITES, EACH = 8, 25, 100
CROWD, CROWD_WRITES = 32, 1000


@pytest.fixture(scope="module")
def verify(directory):
    return Verify(directory)


@pytest.fixture(scope="module")
def written(server):
    """An organization whose trail was written by many at once."""
    org = server.organization("chain")
    connections = [org.connect("123456789012")["id"] for _ in range(WRITERS)]

    def write(connection_id):
        for n in range(WRITES):
            etag = org.get(f"/v1/connections/{connection_id}").headers["ETag"]
            expect(org.patch(f"/v1/connections/{connection_id}", {"name": f"name {n}"}, etag=etag), 200)
    threads = [threading.Thread(target=write, args=(c,)) for c in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return org


def test_many_writers_make_one_chain_without_gaps(written, verify):
    lines = Trail(written).export()
    entries = [json.loads(line)["entry"] for line in lines]
    assert len(entries) >= WRITERS * WRITES
    assert [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
    assert entries[0]["prev"] == ZEROS and len({e["prev"] for e in entries}) == len(entries)
    done = verify(lines, Trail(written).head())
    assert done.returncode == 0, done.stderr
    assert "as noted" in done.stdout and written.org_id in done.stdout


def crowd(database, org):
    """Many sessions of the server's role, each of its entries a transaction of its own, all at once."""
    start, failed = threading.Barrier(CROWD), []

    def write(writer):
        try:
            connection = database.connect("connectord_app")
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.org_id', %s, false)", (org.org_id,))
                cursor.execute("PREPARE add AS INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id, request_id, detail)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                start.wait(60)
                for n in range(CROWD_WRITES):
                    cursor.execute("EXECUTE add(%s, gen_random_uuid(), %s, 'crowd.wrote', 'crowd', %s, '', '{}')",
                                   (org.org_id, f"writer {writer}", str(n)))
            connection.close()
        except Exception as wrong:  # a thread's own would be lost
            failed.append(wrong)
            start.abort()
    threads = [threading.Thread(target=write, args=(w,)) for w in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_a_crowd_makes_one_chain_without_forks(server, verify, database):
    org = server.organization("crowd")
    early = Trail(org).head()
    crowd(database, org)
    lines = Trail(org).export()
    entries = [json.loads(line)["entry"] for line in lines]
    assert [e["seq"] for e in entries] == list(range(1, early["seq"] + CROWD * CROWD_WRITES + 1))
    assert len({e["prev"] for e in entries}) == len(entries), "two entries follow the same one"
    written = {}
    for e in entries[early["seq"]:]:
        written.setdefault(e["actor"], []).append(int(e["target_id"]))
    assert written == {f"writer {w}": list(range(CROWD_WRITES)) for w in range(CROWD)}, "each one's entries, in his order"
    late = Trail(org).head()
    assert late["seq"] == len(entries) >= 32_000
    for noted in (early, late):
        done = verify(lines, noted)
        assert done.returncode == 0 and "as noted" in done.stdout, done.stderr


@pytest.mark.parametrize("how", TAMPERINGS)
def test_every_tampering_is_seen(written, verify, how):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance, lines, noted = random.Random(seed), Trail(written).export(), Trail(written).head()
    for _ in range(EACH):
        changed = tampered(lines, how, chance)
        assert changed != lines
        done = verify(changed, noted)
        assert done.returncode == 1, (seed, done.stdout)
        assert "not to be trusted" in done.stderr


def noted_at(lines, seq):
    line = json.loads(lines[seq - json.loads(lines[0])["entry"]["seq"]])
    return {"seq": line["entry"]["seq"], "hash": line["hash"]}


def test_an_end_noted_earlier_is_found_in_a_trail_that_went_on(written, verify):
    lines = Trail(written).export()
    end = len(lines)
    for seq in (1, 2, end // 2, end - 1):
        done = verify(lines, noted_at(lines, seq))
        assert done.returncode == 0 and f"; entry {seq} is as noted" in done.stdout and f"end {end}:" in done.stdout, done
    done = verify(lines, noted_at(lines, end))
    assert done.returncode == 0 and done.stdout.endswith(", as noted\n")
    assert verify(lines, {"seq": 0, "hash": ZEROS}).returncode == verify([], {"seq": 0, "hash": ZEROS}).returncode == 0
    for seq in (1, end // 2, end):
        done = verify(lines, {"seq": seq, "hash": hashlib.sha256(b"x").hexdigest()})
        assert done.returncode == 1 and f"entry {seq} is not the one that was noted" in done.stderr, done


def test_a_trail_that_ends_before_the_noted_entry_was_cut(written, verify):
    lines = Trail(written).export()
    for seq in (1, len(lines) // 2, len(lines)):
        done = verify(lines[:seq - 1], noted_at(lines, seq))
        assert done.returncode == 1 and f"ends with entry {seq - 1}, and entry {seq} was noted: the tail was cut off" in done.stderr, done


def test_a_part_of_a_trail_is_tied_to_the_noted_entry_it_follows(written, verify):
    lines = Trail(written).export()
    assert verify(lines[10:], noted_at(lines, 10)).returncode == verify(lines[9:], noted_at(lines, 10)).returncode == 0
    done = verify(lines[10:], noted_at(lines, 9))
    assert done.returncode == 1 and "begins with entry 11 and shows nothing of the noted entry 9" in done.stderr
    assert verify(lines[10:], {"seq": 10, "hash": ZEROS}).returncode == 1


def test_what_was_written_anew_shows_only_against_an_end_noted_behind_it(written, verify):
    lines = Trail(written).export()
    at, prev, forged = len(lines) // 2, None, []
    for seq, line in enumerate(lines, 1):
        entry = line[len('{"entry":'):line.rindex(',"hash":"')]
        if seq == at:
            entry = entry.replace('"actor":"', '"actor":"not ', 1)
        if seq > at:
            entry = entry[:entry.rindex('"prev":"')] + f'"prev":"{prev}"}}'
        prev = hashlib.sha256(entry.encode()).hexdigest()
        forged.append(f'{{"entry":{entry},"hash":"{prev}"}}')
    assert forged[:at - 1] == lines[:at - 1] and forged[at - 1:] != lines[at - 1:]
    assert verify(forged).returncode == 0
    for seq, code in ((1, 0), (at - 1, 0), (at, 1), (at + 1, 1), (len(lines), 1)):
        done = verify(forged, noted_at(lines, seq))
        assert done.returncode == code and (not code or "was written anew" in done.stderr), (seq, done)


@pytest.mark.parametrize("noted", ["", "5", ":", "5:", "x:" + ZEROS, "5:" + ZEROS[1:], "5:" + ZEROS + "0", "5:" + "G" * 64])
def test_what_is_no_noted_end_is_a_mistake_and_no_broken_trail(directory, noted):
    done = run([binary(), "audit", "verify", str(directory / "nothing"), noted], env=clean_environment())
    assert done.returncode == 78 and "must be SEQ:HASH" in done.stderr, done


def test_a_row_changed_in_the_database_shows_in_the_export(written, verify, database):
    victim = database.value("SELECT audit_id FROM audit WHERE org_id = %s AND seq = 5", written.org_id)
    before = database.value("SELECT actor FROM audit WHERE audit_id = %s", victim)
    try:
        database.rows("UPDATE audit SET actor = 'somebody else' WHERE audit_id = %s", victim)
        assert verify(Trail(written).export()).returncode == 1
    finally:
        database.rows("UPDATE audit SET actor = %s WHERE audit_id = %s", before, victim)
    assert verify(Trail(written).export()).returncode == 0


@pytest.mark.parametrize("role", ["connectord_app", "connectord_worker"])
@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "UPDATE audit_head SET seq = 0",
                                       "DELETE FROM audit_head", "INSERT INTO audit_head VALUES (gen_random_uuid(), 0, sha256(''))"])
def test_neither_role_can_rewrite_the_trail(database, role, statement):
    with pytest.raises(Exception, match="permission denied"):
        database.rows(statement, role=role)


def test_pages_go_back_in_time_and_belong_to_one_organization(written, other_org):
    first = expect(written.get("/v1/audit", limit=3), 200)
    assert [e["seq"] for e in first["data"]] == sorted((e["seq"] for e in first["data"]), reverse=True)
    second = expect(written.get("/v1/audit", limit=3, cursor=first["next_cursor"]), 200)
    assert second["data"][0]["seq"] == first["data"][-1]["seq"] - 1
    assert first["data"][0]["hash"] == Trail(written).head()["hash"]
    assert {e["seq"] for e in other_org.all("/v1/audit")} != {e["seq"] for e in written.all("/v1/audit")}
    assert other_org.get("/v1/audit", cursor=first["next_cursor"]).status_code == 400
    assert other_org.get("/v1/audit/export", after=-1).status_code == 400


def test_what_is_no_export_is_told_apart_from_a_broken_one(verify, directory):
    done = run([binary(), "audit", "verify", str(directory / "nothing")], env=clean_environment())
    assert done.returncode == 78 and "cannot be opened" in done.stderr
    assert verify(["not json"]).returncode == 1
    assert verify([]).returncode == 0
    assert run([binary(), "audit"], env=clean_environment()).returncode == 64
