"""The operator's two keys, and a flood of keys that nobody knows."""
import json
import os
import secrets
import subprocess
import uuid
import zlib

import requests
from api import Operator
from probes import probe
from waiting import soon, wait_until


def status(server, key):
    return Operator(server.admin_socket, key).request("GET", "/v1/admin/organizations").status_code


def test_the_operator_changes_his_key_without_a_restart(start_server, tmp_path):
    old, new = "cnd_operator_" + secrets.token_hex(32), "cnd_operator_" + secrets.token_hex(32)
    path = tmp_path / "operator.key"
    path.write_text(old + "\n")
    own = start_server(operator_key_file=path)
    assert (status(own, old), status(own, new)) == (200, 401)

    def put(text):
        fresh = tmp_path / "fresh"
        fresh.write_text(text)
        os.replace(fresh, path)
    put(f"{new}\n{old}\n")
    wait_until(lambda: status(own, new) == 200, "the new key works", within=5)
    assert status(own, old) == 200, "both work"
    put(new)
    wait_until(lambda: status(own, old) == 401, "the old key is refused", within=5)
    assert status(own, new) == 200
    for spoiled in ("", "short\n", f"{new}\n{old}\n{new}\n", f"{old}\nshort\n"):
        seen = own.text().count("operator_keys_unreadable")
        put(spoiled)
        wait_until(lambda s=seen: status(own, new) == 200 and own.text().count("operator_keys_unreadable") > s, "the log says so", within=5)
        assert status(own, old) == 401
    path.unlink()
    assert status(own, new) == 200
    put(f"{old}\n")
    wait_until(lambda: status(own, old) == 200, "a good file is read again", within=5)
    assert status(own, new) == 401
    assert old not in own.text() and new not in own.text()


def made_up(org, kind):
    prefix, env, _, _, _ = org.key.split("_")
    text = f"{prefix}{kind}_{env}_{uuid.uuid4().hex}_{uuid.uuid4().hex * 2}"
    return f"{text}_{zlib.crc32((text + '_').encode()):08x}"


WRONG_KEYS, FLOOD_CONNECTIONS = 100_000, 8
BUCKET, BUCKET_PER_S = 100, 20  # docs/authentication.md


def test_a_flood_of_wrong_keys_costs_few_look_ups_and_nobody_else_anything(start_server, database, directory):
    """No two alike and of both kinds, as fast as the connections carry them; a good client asks beside them from the same address."""
    own = start_server()
    org, requests_file = own.organization(), directory / "wrong keys"
    requests_file.write_text("".join(f"GET /v1/connections {made_up(org, ('', 'svc')[i % 2])} -\n" for i in range(WRONG_KEYS)))
    assert org.get("/v1/connections").status_code == 200
    transactions = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    before, asked = database.value(transactions), 0
    flood = subprocess.Popen([probe("api_load"), str(own.port), str(FLOOD_CONNECTIONS), "300", "0", requests_file, str(WRONG_KEYS)],
                             stdout=subprocess.PIPE, text=True)
    try:
        while flood.poll() is None:
            assert soon(lambda: org.get("/v1/connections"), 1.5, "a good client's answer").status_code == 200
            asked += 1
        seen = json.loads(flood.stdout.read())
    finally:
        flood.kill()
        flood.wait(10)
    assert seen["broken"] == 0 and set(seen["status"]) == {"401", "429"}, seen
    assert seen["requests"] == sum(seen["status"].values()) == WRONG_KEYS, seen
    looked_up = seen["status"]["401"]
    assert BUCKET <= looked_up <= BUCKET + BUCKET_PER_S * (1 + seen["seconds"]), seen
    wait_until(lambda: database.value(transactions) >= before + looked_up, "the statistics arrive", within=40, poll=0.5)
    assert database.value(transactions) - before <= looked_up + 2 * asked + 500, "a refused key costs one look-up at most"
    assert asked > 20


class From(requests.adapters.HTTPAdapter):
    """Connections from that address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


def test_who_makes_up_keys_holds_up_nobody_at_another_address(start_server):
    own = start_server()
    newcomers = [own.organization() for _ in range(3)]
    session = requests.Session()
    for _ in range(1000):
        code = session.get(own.url + "/v1/connections", headers={"Authorization": "Bearer " + made_up(newcomers[0], "")}, timeout=30).status_code
        if code == 429:
            break
    assert code == 429
    for org in newcomers:
        org.session.mount("http://", From("127.0.0.2"))
        assert org.get("/v1/connections").status_code == 200
        assert session.get(own.url + "/v1/connections", headers={"Authorization": "Bearer " + made_up(org, "")}, timeout=30).status_code in (401, 429)
