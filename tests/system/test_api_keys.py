"""API keys: made once, shown once, refused when they are not exactly what they must be."""
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import requests
from api import Organization, expect, refused_in_time
from race import two_at_once
from waiting import wait_until


def status(server, key, path="/v1/connections", header="Authorization", scheme="Bearer "):
    return requests.get(server.url + path, headers={header: scheme + key} if key is not None else {}, timeout=30).status_code


def signed(text):
    return f"{text}_{zlib.crc32((text + '_').encode()):08x}"


def test_a_key_has_prefix_environment_id_secret_and_checksum(server, database):
    org = server.operator.create_organization("keys")["org_id"]
    made = server.operator.create_key(org)
    prefix, env, key_id, secret, crc = made["key"].split("_")
    assert (prefix, env) == ("cnd", "live")
    assert made["id"] == "key_" + key_id
    assert len(secret) == 64
    assert signed("_".join((prefix, env, key_id, secret))) == made["key"]
    stored = database.value("SELECT encode(secret_hash, 'hex') FROM api_key WHERE key_id = %s", key_id)
    assert len(stored) == 64 and secret not in stored
    assert status(server, made["key"]) == 200


def test_both_headers_carry_a_key_but_not_together(server, org):
    assert status(server, org.key) == 200
    assert status(server, org.key, scheme="bearer ") == 200
    assert status(server, org.key, header="SlashID-API-Key", scheme="") == 200
    both = {"Authorization": f"Bearer {org.key}", "SlashID-API-Key": org.key}
    assert requests.get(server.url + "/v1/connections", headers=both, timeout=30).status_code == 401


def test_what_is_not_a_key_is_refused_without_a_database_call(server, start_server, org, pg, database):
    """A server whose database is away answers 503 for what it had to look up, and 401 for what it did not."""
    prefix, env, key_id, secret, _ = org.key.split("_")
    away = start_server(database_url=f"host={pg.socket_dir} port=1 dbname={database.name} user=connectord_app")
    cases = [None, "", "x", org.key[:-1], org.key + "0", org.key.upper(), org.key[:-1] + ("0" if org.key[-1] != "0" else "1"),
             signed(f"abc_{env}_{key_id}_{secret}"), signed(f"{prefix}_test_{key_id}_{secret}"), signed(f"{prefix}_{env}_{key_id}_{secret[:-1]}"),
             signed(f"{prefix}_{env}_{key_id[:-1]}_{secret}"), signed(f"{prefix}_{env}_{'g' * 32}_{secret}"), "a" * 5000]
    for key in cases:
        assert status(server, key) == 401, key
        assert status(away, key) == 401, key
    assert status(away, org.key) == 503


def test_a_well_formed_key_of_nobody_or_with_another_secret_is_refused(server, org):
    prefix, env, key_id, secret, _ = org.key.split("_")
    assert status(server, signed(f"{prefix}_{env}_{uuid.uuid4().hex}_{secret}")) == 401
    assert status(server, signed(f"{prefix}_{env}_{key_id}_{'0' * 64}")) == 401
    assert status(server, org.key) == 200
    assert status(server, signed(f"{prefix}_{env}_{key_id}_{'0' * 64}")) == 401, "a cached key does not vouch for another secret"


def test_basic_and_other_schemes_are_refused(server, org):
    for scheme in ("", "Basic ", "Token ", "Bearer", "Bearer\t"):
        assert status(server, org.key, scheme=scheme) == 401, scheme


def test_a_revoked_key_ends_within_five_seconds_and_the_other_one_lives(server):
    org = server.operator.create_organization("rotation")["org_id"]
    old, new = server.operator.create_key(org, name="old"), server.operator.create_key(org, name="new")
    assert status(server, old["key"]) == status(server, new["key"]) == 200
    path = f"/v1/admin/organizations/{org}/keys/{old['id']}"
    assert server.operator.request("DELETE", path).status_code == 204
    refused_in_time(lambda: status(server, old["key"]) != 401)
    assert status(server, new["key"]) == 200
    assert server.operator.request("DELETE", path).status_code == 204, "revoking twice is the same"
    listed = expect(server.operator.request("GET", f"/v1/admin/organizations/{org}/keys"), 200)["data"]
    assert {k["name"]: k["revoked_at"] is None for k in listed} == {"old": False, "new": True}
    assert all("key" not in k and "secret_hash" not in k for k in listed)


def test_an_expired_key_is_refused(server, database):
    org = server.operator.create_organization("expiry")["org_id"]
    made = server.operator.create_key(org, expires_at="2099-01-01T00:00:00Z")
    assert made["expires_at"] == "2099-01-01T00:00:00Z"
    database.rows("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE key_id = %s", made["id"].removeprefix("key_"))
    assert status(server, made["key"]) == 401
    answer = server.operator.request("POST", f"/v1/admin/organizations/{org}/keys",
                                     {"name": "x", "role": "owner", "expires_at": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 422


def test_last_use_is_kept_to_the_minute(server, database):
    org = server.operator.create_organization("use")["org_id"]
    made = server.operator.create_key(org)
    assert made["last_used_at"] is None
    assert status(server, made["key"]) == 200
    seconds = database.value("SELECT extract(second FROM last_used_at) FROM api_key WHERE key_id = %s", made["id"].removeprefix("key_"))
    assert seconds == 0


@pytest.mark.parametrize("role, may", [("viewer", False), ("editor", True), ("owner", True)])
def test_roles_decide_what_may_be_changed(server, role, may):
    org = server.operator.create_organization(role)["org_id"]
    key = server.operator.create_key(org, role=role)["key"]
    tenant = Organization(server.url, org, key)
    assert tenant.get("/v1/connections").status_code == 200
    wanted = 422 if may else 403
    assert tenant.post("/v1/connections", {"name": ""}).status_code == wanted
    path = "/v1/connections/conn_" + "0" * 32
    for answer in (tenant.patch(path, {}), tenant.delete(path), tenant.post(path + "/syncs"),
                   tenant.post("/v1/syncs/sync_" + "0" * 32 + "/cancel")):
        assert answer.status_code == (404 if may else 403), answer.text


def test_the_two_listeners_do_not_share_keys_or_paths(server, org):
    assert status(server, server.operator.key) == 401
    assert requests.get(server.url + "/v1/admin/organizations", headers={"Authorization": f"Bearer {server.operator.key}"},
                        timeout=30).status_code == 404
    assert org.get("/v1/admin/organizations").status_code == 404
    as_org = {"Authorization": f"Bearer {org.key}"}
    assert server.operator.request("GET", "/v1/admin/organizations", headers=as_org).status_code == 401
    assert server.operator.request("GET", "/v1/connections").status_code == 404
    assert server.operator.request("GET", "/v1/admin/organizations").status_code == 200
    assert (server.admin_socket.stat().st_mode & 0o777) == 0o600


def test_keys_of_nobody_cannot_be_made_or_revoked(server):
    nobody = f"/v1/admin/organizations/{uuid.uuid4()}"
    assert server.operator.request("POST", nobody + "/keys", {"name": "x", "role": "owner"}).status_code == 404
    assert server.operator.request("GET", nobody + "/keys").status_code == 404
    assert server.operator.request("DELETE", nobody + "/keys/key_" + "0" * 32).status_code == 404
    assert server.operator.request("GET", nobody).status_code == 404
    assert server.operator.request("GET", "/v1/admin/organizations/not-a-uuid").status_code == 404


def many_keys(database, org_id, n, **columns):
    names, values = "".join(", " + c for c in columns), "".join(", " + v for v in columns.values())
    database.rows(f"""INSERT INTO api_key (org_id, key_id, name, role, secret_hash{names})
        SELECT %s, gen_random_uuid(), 'n', 'viewer', sha256('x'){values} FROM generate_series(1, {n})""", org_id)


def test_only_keys_that_work_count_against_the_limit(server, database):
    org = server.operator.create_organization("many keys")["org_id"]
    many_keys(database, org, 1000, revoked_at="now()")
    many_keys(database, org, 1000, expires_at="now() - interval '1 second'")
    many_keys(database, org, 999)
    server.operator.create_key(org)
    answer = server.operator.request("POST", f"/v1/admin/organizations/{org}/keys", {"name": "x", "role": "owner"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")


def test_two_who_want_the_last_place_at_once_get_one_key(server, database):
    """Both have begun before either is done: whoever waits sees what the other made."""
    org = server.operator.create_organization("last key")["org_id"]
    many_keys(database, org, 999)
    path, body = f"/v1/admin/organizations/{org}/keys", {"name": "x", "role": "owner"}
    answers = two_at_once(database, org, lambda: server.operator.request("POST", path, body))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_an_organization_that_is_being_deleted_has_no_keys_that_work(server, database):
    org = server.operator.create_organization("going")["org_id"]
    old = server.operator.create_key(org)
    database.rows("UPDATE organization SET state = 'deleting' WHERE org_id = %s", org)
    answer = server.operator.request("POST", f"/v1/admin/organizations/{org}/keys", {"name": "x", "role": "owner"})
    assert (answer.status_code, answer.json()["code"]) == (409, "organization_deleting")
    assert status(server, old["key"]) == 401


def test_the_address_of_a_new_key_leads_to_it(server):
    org = server.operator.create_organization("address")["org_id"]
    answer = server.operator.request("POST", f"/v1/admin/organizations/{org}/keys", {"name": "x", "role": "viewer"})
    made = expect(answer, 201)
    read = expect(server.operator.request("GET", answer.headers["Location"]), 200)
    assert {**read, "key": made["key"]} == made
    elsewhere = answer.headers["Location"].replace(org, str(uuid.uuid4()))
    assert server.operator.request("GET", elsewhere).status_code == 404


def test_an_expiring_key_is_not_remembered_past_its_end(server, database):
    org = server.operator.create_organization("short")["org_id"]
    made = server.operator.create_key(org)

    def let_in():
        database.rows("UPDATE api_key SET expires_at = now() + interval '2 seconds' WHERE key_id = %s", made["id"].removeprefix("key_"))
        return status(server, made["key"]) == 200
    wait_until(let_in, "it is used before its end")
    refused_in_time(lambda: status(server, made["key"]) != 401, "the expired key", 3.5)


def test_a_wrong_secret_does_not_count_as_use(server, database):
    org = server.operator.create_organization("unused")["org_id"]
    made = server.operator.create_key(org)
    prefix, env, key_id, _, _ = made["key"].split("_")
    assert status(server, signed(f"{prefix}_{env}_{key_id}_{'0' * 64}")) == 401
    assert database.value("SELECT last_used_at FROM api_key WHERE key_id = %s", key_id) is None


@pytest.mark.parametrize("column, value", [("org_id", "gen_random_uuid()"), ("secret_hash", "sha256('x')"), ("role", "'owner'"),
                                           ("expires_at", "NULL")])
def test_the_server_cannot_change_what_a_key_is(server, org, database, column, value):
    key_id = org.key.split("_")[2]
    connection = database.connect("connectord_app")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT set_config('app.key_id', %s, true), set_config('app.org_id', %s, true)", (key_id, org.org_id))
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute(f"UPDATE api_key SET {column} = {value} WHERE key_id = %s", (key_id,))
    connection.close()


def held_up(server, database, key):
    """How many of the requests of the fourth second after a look-up had to wait for the next one, which is held by a lock."""
    began = time.monotonic()
    assert status(server, key) == 200  # kept until 4 s after it was asked about, and asked about anew in the last of them
    holder = database.connect()
    holder.autocommit = False
    stamp = holder.cursor()
    stamp.execute("UPDATE api_key SET last_used_at = NULL WHERE key_id = %s", (key.split("_")[2],))
    holder.commit()  # so the next look-up has a stamp to write, for which it needs the row
    stamp.execute("SELECT FROM api_key WHERE key_id = %s FOR UPDATE", (key.split("_")[2],))
    asked = []
    with ThreadPoolExecutor(4) as crowd:
        try:
            while time.monotonic() < began + 3.7:
                if time.monotonic() > began + 3 and sum(not one.done() for one in asked) < 4:
                    asked.append(crowd.submit(status, server, key))
                time.sleep(0.01)
            _, waiting = wait(asked, timeout=1)
        finally:
            holder.close()
        assert {one.result() for one in asked} == {200}
    assert len(asked) > 8, f"{len(asked)} asked in that time"
    return len(waiting)


def test_one_of_a_crowd_asks_about_a_key_before_its_time_is_over(server, database):
    org = server.organization()
    wait_until(lambda: held_up(server, database, org.key) == 1, "one waits for the database and the others go on", within=30)
