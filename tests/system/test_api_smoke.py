"""The thin whole: an organization, a key, a connection, and its way back out."""
import requests
from api import expect

ACCOUNT = "123456789012"


def test_a_connection_is_created_read_changed_listed_and_deleted(server, org, database):
    made = org.connect(ACCOUNT)
    assert made["external_id"] == org.org_id
    assert made["status"]["state"] == "pending"
    assert made["schedule"]["every"] == "PT6H"

    path = f"/v1/connections/{made['id']}"
    read = org.get(path)
    assert expect(read, 200) == made
    assert read.headers["ETag"] == '"1"'

    changed = expect(org.patch(path, {"name": "renamed", "schedule": {"every": "P1D"}}, etag='"1"'), 200)
    assert (changed["name"], changed["schedule"]["every"], changed["version"]) == ("renamed", "P1D", 2)
    assert [c["id"] for c in org.all("/v1/connections")] == [made["id"]]

    assert org.delete(path).status_code == 202
    assert org.delete(path).status_code == 204
    assert org.get(path).status_code == 404
    assert org.all("/v1/connections") == []
    kinds = database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id)
    assert kinds == [("purge",)]


def test_creation_queues_verification_and_schedules_in_the_same_transaction(org, database):
    made = org.connect(ACCOUNT)
    hex_id = made["id"].removeprefix("conn_")
    assert database.rows("SELECT kind FROM task WHERE org_id = %s", org.org_id) == [("verify",)]
    assert sorted(database.rows("SELECT kind, every_s FROM schedule WHERE connection_id = %s", hex_id)) == [
        ("sync", 21600), ("verify", 86400)]
    seconds = database.value("SELECT extract(epoch FROM next_at - now()) FROM schedule WHERE connection_id = %s"
                             " AND kind = 'sync'", hex_id)
    assert 0 < seconds <= 21601
    assert database.rows("SELECT action, actor FROM audit WHERE org_id = %s AND target_id = %s", org.org_id, made["id"]) == [
        ("connection.created", "key:" + org.key.split("_")[2])]


def test_the_process_says_that_it_lives_and_is_ready(server):
    assert expect(requests.get(server.url + "/livez", timeout=30), 200) == {"status": "live"}
    assert expect(requests.get(server.url + "/readyz", timeout=30), 200)["status"] == "ready"
    assert expect(requests.get(server.url + "/openapi.json", timeout=30), 200)["openapi"] == "3.1.0"


def test_sigterm_drains_and_ends_well(start_server):
    """After requests of every kind; under a sanitizer the exit code also says that nothing leaked."""
    own = start_server()
    org = own.organization()
    made = org.connect(ACCOUNT, access_key=("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
    path = f"/v1/connections/{made['id']}"
    org.sync(made["id"])
    for answer in (org.patch(path, {"name": "x"}), org.patch(path, {"region": 5}), org.get("/v1/entities", name_prefix="a"), org.get("/v1/coverage"),
                   org.get("/v1/entities", color="red"), org.post("/v1/connections", {"name": "", "x": 1}), org.get("/v1/syncs"),
                   org.request("POST", "/v1/connections", data="{", headers={"Content-Type": "application/json"}), org.delete(path)):
        assert answer.status_code < 500
    assert own.stop() == 0
    assert "server_stopped" in own.text()
    assert not own.admin_socket.exists()
