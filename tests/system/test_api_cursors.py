"""Every list of the contract that has a cursor: it goes on with that list, those filters and that organization, and with nothing else.

The lists and their filters come from api/openapi.yaml; a new filter needs its two values in FILTERS."""
import re
import uuid

import pytest
import requests
from api import expect
from contract import contract, resolve
from inventory_rows import Inventory

DOCUMENT = contract()
NO_FILTERS = {"cursor", "limit", "start"}
ACCOUNT = "111122223333"
# What the rows of the test match, and another value that could be asked for.
FILTERS = {
    "status": ("paused", "pending"), "aws_account_id": (ACCOUNT, "444455556666"), "authoritative_status": ("primary", "none"),
    "name_prefix": ("same", "other"), "kind": ("aws.iam_user", "aws.iam_role"), "account_id": ("123456789012", ACCOUNT),
    "deleted": ("false", "true"), "subject": ("entity", "edge"), "tier": ("1", "2"),
}
STATES = {"syncs": ("complete", "failed"), "coverage": ("ok", "denied"), "permissions": ("granted", "denied"),
          "deliveries": ("pending", "failed")}


def lists():
    found = {}
    for path, item in DOCUMENT["paths"].items():
        given = [resolve(DOCUMENT, p) for p in item.get("parameters", []) + item.get("get", {}).get("parameters", [])]
        names = {p["name"] for p in given if p["in"] == "query"}
        if "cursor" in names:
            found[path] = sorted(names - NO_FILTERS)
    return found


LISTS = lists()


def is_admin(path):
    return path.startswith("/v1/admin")


class Tenant:
    """An organization with three of everything that is listed, and the ids that the paths of its lists name."""

    def __init__(self, server, database):
        self.org, self.operator = server.organization(), server.operator
        made = [self.org.connect(ACCOUNT, name=f"same {i}", paused=True)["id"] for i in range(3)]
        self.connection, self.spare = made[:2]
        rows = Inventory(database, self.org.org_id, self.connection)
        entities = [rows.entity("aws.iam_user", f"arn:{i}", f"same {i}") for i in range(3)]
        for i in range(3):
            rows.change(entities[0], "changed", f"2026-01-0{i + 1}T00:00:00Z")
            rows.coverage(f"part {i}", "ok")
            rows.permission(f"iam:Action{i}", "granted")
            database.rows("INSERT INTO sync (org_id, sync_id, connection_id, cause, state) VALUES (%s, %s, %s, 'request', 'complete')",
                          self.org.org_id, str(uuid.uuid4()), rows.connection)
            server.operator.create_key(self.org.org_id, role="viewer")
            server.operator.create_service_key()
        hooks = [expect(self.org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)["id"] for _ in range(3)]
        for _ in range(3):
            expect(self.org.post(f"/v1/webhooks/{hooks[0]}/test"), 202)
        self.ids = {"conn_id": self.connection, "ent_id": entities[0], "whk_id": hooks[0], "org_id": self.org.org_id}
        self.others = {"conn_id": self.spare, "ent_id": entities[1], "whk_id": hooks[1]}

    def values(self, path, name):
        if name == "state":
            return STATES[path.rsplit("/", 1)[1]]
        return (self.connection, self.spare) if name == "connection_id" else FILTERS[name]

    def path(self, template, ids=None):
        return re.sub(r"{(\w+)}", lambda hole: (ids or self.ids)[hole[1]], template)

    def get(self, path, **params):
        return (self.operator if is_admin(path) else self.org).get(path, **params)

    def cursor(self, path, **params):
        page = expect(self.get(path, limit=1, **params), 200)
        assert page["next_cursor"], f"{path} {params} has no second page"
        return page["next_cursor"]


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(api_rate_per_key=0, api_rate_per_org=0)


@pytest.fixture(scope="module")
def tenant(server, database):
    for _ in range(2):
        server.organization()
    return Tenant(server, database)


@pytest.fixture(scope="module")
def another(server, database):
    return Tenant(server, database)


def refused(answer, what):
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), (what, answer.status_code, answer.text)


def test_the_lists_are_those_of_the_contract():
    assert len(LISTS) >= 17
    assert {"/v1/connections", "/v1/audit", "/v1/admin/organizations", "/v1/changes"} <= set(LISTS)
    assert all(name in FILTERS or name in ("state", "connection_id") for names in LISTS.values() for name in names)


@pytest.mark.parametrize("template", LISTS)
def test_a_cursor_goes_on_where_its_page_ended(tenant, template):
    path = tenant.path(template)
    first = expect(tenant.get(path, limit=1), 200)
    second = expect(tenant.get(path, limit=2, cursor=first["next_cursor"]), 200)
    rows = "connections" if template.endswith("/export") else "data"
    assert first[rows] and second[rows] and first[rows][0] not in second[rows]


@pytest.mark.parametrize("template", LISTS)
def test_a_cursor_belongs_to_its_filters(tenant, template):
    path, bare = tenant.path(template), tenant.cursor(tenant.path(template))
    for name in LISTS[template]:
        value, other = tenant.values(template, name)
        refused(tenant.get(path, cursor=bare, **{name: value}), (name, "added"))
        cursor = tenant.cursor(path, **{name: value})
        expect(tenant.get(path, cursor=cursor, **{name: value}), 200)
        refused(tenant.get(path, cursor=cursor, **{name: other}), (name, "changed"))
        refused(tenant.get(path, cursor=cursor), (name, "left out"))
        for second in LISTS[template]:
            if second != name:
                refused(tenant.get(path, cursor=cursor, **{name: value, second: tenant.values(template, second)[0]}), (name, second))


@pytest.mark.parametrize("template", LISTS)
def test_a_cursor_belongs_to_its_list(tenant, template):
    cursor = tenant.cursor(tenant.path(template))
    for other in LISTS:
        if other != template:
            refused(tenant.get(tenant.path(other), cursor=cursor), other)
    if set(re.findall(r"{(\w+)}", template)) & set(tenant.others):
        refused(tenant.get(tenant.path(template, {**tenant.ids, **tenant.others}), cursor=cursor), "the list of another thing")


@pytest.mark.parametrize("template", [path for path in LISTS if not is_admin(path) or "{org_id}" in path])
def test_a_cursor_belongs_to_its_organization(server, tenant, another, template):
    path, cursor = tenant.path(template), tenant.cursor(tenant.path(template))
    refused(another.get(another.path(template), cursor=cursor), "on one's own list")
    if not is_admin(template):
        # Whether the thing is somebody else's or the cursor is: the same as without one, or refused.
        assert another.get(path, cursor=cursor).status_code in ((400, 404) if "{" in template else (400,))
        # It is the organization's, whoever asks for it.
        key = server.operator.create_service_key()["key"]
        for whose, status in ((tenant, 200), (another, 400)):
            headers = {"Authorization": f"Bearer {key}", "X-Org-Id": whose.org.org_id}
            answer = requests.get(server.url + whose.path(template), params={"cursor": cursor}, headers=headers, timeout=20)
            assert answer.status_code == status, answer.text
