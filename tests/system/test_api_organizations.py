"""Organizations as the operator makes them. Their ID is an external ID at customers: never made twice, never changed."""
import uuid

import pytest
from api import expect

PATH = "/v1/admin/organizations"


def test_an_id_is_made_here(server):
    made = server.operator.create_organization("made here")
    assert uuid.UUID(made["org_id"]).version == 4
    assert (made["state"], made["worker_slots"]) == ("active", 4)
    assert expect(server.operator.request("GET", f"{PATH}/{made['org_id']}"), 200) == made


def test_an_id_is_imported_once_and_never_again(server, database):
    org_id = str(uuid.uuid4())
    assert server.operator.create_organization("first", org_id=org_id.upper())["org_id"] == org_id
    again = server.operator.request("POST", PATH, {"name": "second", "org_id": org_id})
    assert (again.status_code, again.json()["code"]) == (409, "org_id_used")
    # Also not when the organization itself is gone.
    gone = str(uuid.uuid4())
    database.rows("INSERT INTO organization_id_used (org_id) VALUES (%s)", gone)
    assert server.operator.request("POST", PATH, {"name": "third", "org_id": gone}).status_code == 409


def test_the_pool_size_is_changed_in_both_places(server, database):
    org_id = server.operator.create_organization("pool", worker_slots=2)["org_id"]
    changed = expect(server.operator.request("PATCH", f"{PATH}/{org_id}", {"worker_slots": 9, "name": "bigger"}), 200)
    assert (changed["worker_slots"], changed["name"]) == (9, "bigger")
    assert database.value("SELECT slots FROM org_queue WHERE org_id = %s", org_id) == 9
    assert [a for (a,) in database.rows("SELECT action FROM audit WHERE org_id = %s ORDER BY audit_id", org_id)] == [
        "organization.created", "organization.changed"]


@pytest.mark.parametrize("body, status", [({}, 422), ({"name": ""}, 422), ({"name": "a" * 201}, 422), ({"name": "x", "worker_slots": 0}, 422),
                                          ({"name": "x", "worker_slots": 65}, 422), ({"name": "x", "org_id": "no"}, 422),
                                          ({"name": "x", "org_id": "00000000-0000-0000-0000-000000000000"}, 422),
                                          ({"name": "x", "state": "active"}, 400)])
def test_bad_organizations_are_refused(server, body, status):
    assert server.operator.request("POST", PATH, body).status_code == status


def test_an_id_never_changes(server):
    org_id = server.operator.create_organization("fixed")["org_id"]
    answer = server.operator.request("PATCH", f"{PATH}/{org_id}", {"org_id": str(uuid.uuid4())})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "immutable")


def test_the_list_goes_through_all_of_them(server):
    made = {server.operator.create_organization(f"listed {i}")["org_id"] for i in range(5)}
    seen, cursor = [], ""
    while cursor is not None:
        page = expect(server.operator.request("GET", f"{PATH}?limit=2" + (f"&cursor={cursor}" if cursor else "")), 200)
        seen += [o["org_id"] for o in page["data"]]
        cursor = page["next_cursor"]
    assert made <= set(seen)
    assert len(seen) == len(set(seen))
