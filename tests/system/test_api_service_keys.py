"""Service keys: one credential of a console's backend, one organization named by each request."""
import uuid

import pytest
import requests
from api import Organization, expect, refused_in_time
from waiting import wait_until


class Backend:
    """Requests with a service key; org_id None names no organization."""

    def __init__(self, server, key):
        self.server, self.key = server, key

    def ask(self, org_id=None, method="GET", path="/v1/connections", header="X-Org-Id", headers=None, **kwargs):
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if org_id is not None:
            sent[header] = org_id
        return requests.request(method, self.server.url + path, headers=sent, timeout=30, **kwargs)


@pytest.fixture
def backend(server):
    return Backend(server, server.operator.create_service_key()["key"])


def admin(server, method, path="", body=None):
    return server.operator.request(method, "/v1/admin/service-keys" + path, body)


def test_one_key_acts_for_each_organization_that_is_named(backend, org, other_org, database):
    mine, theirs = org.connect("123456789012"), other_org.connect("123456789012")
    for tenant, own, foreign in ((org, mine, theirs), (other_org, theirs, mine)):
        assert [c["id"] for c in backend.ask(tenant.org_id).json()["data"]] == [own["id"]]
        assert backend.ask(tenant.org_id, path="/v1/connections/" + foreign["id"]).status_code == 404
    for header in ("X-Org-Id", "SlashID-OrgID", "x-org-id"):
        assert backend.ask(org.org_id, header=header).status_code == 200
    alias = {"SlashID-API-Key": backend.key, "SlashID-OrgID": org.org_id}
    assert requests.get(backend.server.url + "/v1/connections", headers=alias, timeout=30).status_code == 200
    both = backend.ask(org.org_id, headers={"SlashID-OrgID": org.org_id})
    assert both.status_code == 200
    body = {"name": "by service", "authoritative_status": "none", "aws_account_id": "210987654321", "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::210987654321:role/R"}}
    made = expect(backend.ask(org.org_id, "POST", json=body), 201)
    assert made["external_id"] == org.org_id
    actor = database.value("SELECT actor FROM audit WHERE org_id = %s AND target_id = %s", org.org_id, made["id"])
    assert actor == "service:" + backend.key.split("_")[2]


def test_the_organization_must_be_named_once_and_exactly(backend, org, other_org):
    def code(answer):
        return answer.status_code, answer.json()["code"]
    assert code(backend.ask()) == code(backend.ask("")) == (400, "organization_required")
    for bad in ("x", org.org_id[:-1], org.org_id.replace("-", ""), "{" + org.org_id + "}", "00000000-0000-0000-0000-000000000000",
                org.org_id + " " + other_org.org_id, "conn_" + "0" * 32):
        assert code(backend.ask(bad)) == (400, "invalid_organization"), bad
    assert code(backend.ask(org.org_id, headers={"SlashID-OrgID": other_org.org_id})) == (400, "two_organizations")
    wrong = Backend(backend.server, backend.key[:-1] + ("0" if backend.key[-1] != "0" else "1"))
    assert wrong.ask().status_code == 401, "who is not known is not told what else is wrong"


def test_an_organization_that_is_not_there_is_answered_like_one_that_goes(server, backend, database):
    going, same = server.organization(), {"X-Request-Id": "same"}
    assert backend.ask(going.org_id).status_code == 200
    database.rows("UPDATE organization SET state = 'deleting' WHERE org_id = %s", going.org_id)
    refused_in_time(lambda: backend.ask(going.org_id).status_code != 403, "the organization")
    answers = [backend.ask(org_id, headers=same) for org_id in (going.org_id, str(uuid.uuid4()))]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "wrong_organization")] * 2
    assert answers[0].text == answers[1].text
    fresh = server.organization()
    assert backend.ask(fresh.org_id).status_code == 200, "a new organization works at once"


def test_made_up_organizations_are_paid_for_by_the_key_that_names_them(start_server):
    own = start_server(api_rate_per_key=2)
    org, flooding = own.organization(), Backend(own, own.operator.create_service_key()["key"])
    answers = [flooding.ask(str(uuid.uuid4())) for _ in range(30)]
    assert {a.status_code for a in answers} == {403, 429}
    refused = [a for a in answers if a.status_code == 429]
    assert {a.json()["code"] for a in refused} == {"rate_limited"} and all(int(a.headers["Retry-After"]) >= 1 for a in refused)
    same = [org.request("GET", "/v1/connections", headers={"X-Org-Id": str(uuid.uuid4())}).status_code for _ in range(30)]
    assert set(same) == {403, 429}, "an organization's own key pays too"
    other = Backend(own, own.operator.create_service_key()["key"])
    assert other.ask(org.org_id).status_code == 200, "nobody else pays for it"


def test_scopes_hold_in_every_organization(server, org):
    narrow = Backend(server, server.operator.create_service_key(role="editor", scopes=["syncs:read"])["key"])
    assert narrow.ask(org.org_id, path="/v1/syncs").status_code == 200
    assert narrow.ask(org.org_id).status_code == narrow.ask(org.org_id, "POST", json={}).status_code == 403


def test_neither_kind_of_key_passes_for_the_other(server, org, database):
    made = server.operator.create_service_key()
    assert made["key"].startswith("cndsvc_live_") and made["id"] == "svc_" + made["key"].split("_")[2]
    as_other = made["key"].replace("cndsvc_", "cnd_")
    assert requests.get(server.url + "/v1/connections", headers={"Authorization": "Bearer " + as_other}, timeout=30).status_code == 401
    as_service = org.key.replace("cnd_", "cndsvc_")
    assert Backend(server, as_service).ask(org.org_id).status_code == 401
    assert server.operator.request("GET", "/v1/admin/organizations", headers={"Authorization": "Bearer " + made["key"]}).status_code == 401
    stored = database.value("SELECT encode(secret_hash, 'hex') FROM service_key WHERE svc_id = %s", made["id"].removeprefix("svc_"))
    assert len(stored) == 64 and stored not in made["key"]


def test_the_operator_makes_lists_rotates_and_revokes_them(server, org, database):
    made = server.operator.create_service_key(name="console", expires_at="2099-01-01T00:00:00Z")
    path = "/" + made["id"]
    assert {**expect(admin(server, "GET", path), 200), "key": made["key"]} == made
    assert made["id"] in {k["id"] for k in expect(admin(server, "GET", "?limit=500"), 200)["data"]}
    new = expect(admin(server, "POST", path + "/rotate", {"overlap": "PT2S"}), 201)
    assert (new["name"], new["scopes"], new["replaces"]) == ("console", made["scopes"], made["id"])
    assert expect(admin(server, "GET", path), 200)["replaced_by"] == new["id"]
    busy = admin(server, "POST", f"/{new['id']}/rotate")
    assert (busy.status_code, busy.json()["code"]) == (409, "rotation_in_progress")
    old, successor = Backend(server, made["key"]), Backend(server, new["key"])
    assert successor.ask(org.org_id).status_code == 200
    wait_until(lambda: old.ask(org.org_id).status_code == 401, "the old key is refused", within=20)
    assert [admin(server, "DELETE", "/" + new["id"]).status_code for _ in range(2)] == [204, 204]
    refused_in_time(lambda: successor.ask(org.org_id).status_code != 401)
    ended = admin(server, "POST", f"/{new['id']}/rotate")
    assert (ended.status_code, ended.json()["code"]) == (409, "key_not_live")
    rows = database.rows("SELECT actor, action, target_id FROM operator_audit WHERE target_id IN (%s, %s) ORDER BY at, audit_id", made["id"], new["id"])
    assert sorted(map(tuple, rows)) == sorted([("operator", "service_key.created", made["id"]), ("operator", "service_key.created", new["id"]),
                                       ("operator", "service_key.rotated", made["id"]), ("operator", "service_key.revoked", new["id"])])
    nobody = "/svc_" + "0" * 32
    assert {admin(server, "GET", nobody).status_code, admin(server, "DELETE", nobody).status_code,
            admin(server, "POST", nobody + "/rotate").status_code} == {404}


def test_a_second_rotation_does_not_lengthen_what_is_left_of_a_key(server):
    path = "/" + server.operator.create_service_key()["id"]
    second = expect(admin(server, "POST", path + "/rotate", {"overlap": "PT1H"}), 201)
    end = expect(admin(server, "GET", path), 200)["expires_at"]
    assert end and admin(server, "DELETE", "/" + second["id"]).status_code == 204
    expect(admin(server, "POST", path + "/rotate", {"overlap": "P30D"}), 201)
    assert expect(admin(server, "GET", path), 200)["expires_at"] == end


def test_last_use_is_kept_and_too_many_are_refused(server, org, database):
    made = server.operator.create_service_key()
    assert Backend(server, made["key"]).ask(org.org_id).status_code == 200
    assert expect(admin(server, "GET", "/" + made["id"]), 200)["last_used_at"].endswith(":00Z")
    database.rows("""INSERT INTO service_key (svc_id, name, role, secret_hash) SELECT gen_random_uuid(), 'many', 'viewer', sha256('x')
        FROM generate_series(1, 100)""")
    answer = admin(server, "POST", "", {"name": "x", "role": "owner"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")
    database.rows("DELETE FROM service_key WHERE name = 'many'")


def test_organizations_see_nothing_of_service_keys(server, org, backend, database):
    assert org.get("/v1/admin/service-keys").status_code == 404
    assert backend.ask(org.org_id, path="/v1/admin/service-keys").status_code == 404
    connection = database.connect("connectord_app")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT set_config('app.org_id', %s, true)", (org.org_id,))
        for table in ("service_key", "operator_audit"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("UPDATE service_key SET role = 'owner'")
    connection.close()


def test_a_backend_manages_an_organizations_keys_and_gives_only_what_it_has(backend, org, server):
    made = expect(backend.ask(org.org_id, "POST", "/v1/keys", json={"name": "by backend", "role": "viewer"}), 201)
    assert Organization(org.url, org.org_id, made["key"]).get("/v1/connections").status_code == 200
    narrow = Backend(server, server.operator.create_service_key(scopes=["keys:write"])["key"])
    answer = narrow.ask(org.org_id, "POST", "/v1/keys", json={"name": "x", "role": "viewer"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_held")
