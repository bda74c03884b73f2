"""?validate_only=true: who takes it, that it is judged and answered like the deed, and that nothing of the deed is left.

The rows come from api/openapi.yaml: a new operation that writes joins by itself. What a connection that is created with it does is
in test_api_check.py."""
import json
import re
import uuid

import pytest
from api import Organization, expect
from contract import faults, resolve
from things import DOCUMENT, OPERATIONS, Things, bodies_of, body_of, filled, headers_of, holes, like, named, parameters_of

# The one that asks AWS, and changes nothing of the connection.
WITHOUT = {"checks_create"}
SECRETS = ("key", "secret")
PASSING = ("Date", "RateLimit", "traceresponse")
# What two answers to the same request never share: ids and times.
OWN = re.compile(r"\b[a-z]+_[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def takes(path, operation, name):
    return any(p["name"] == name for p in parameters_of(path, operation))


REHEARSED = [o for o in OPERATIONS if takes(o[1], o[2], "validate_only") and not o[2].get("x-checks-itself")]
BY_ID = {o[2]["operationId"]: o for o in OPERATIONS}


class World:
    def __init__(self, server, database):
        self.operator, self.eyes = server.operator, database.connect()  # one for all looks: a new one learns the tables first
        self.org = server.organization("rehearsals")
        self.things = Things(self.org, database, self.operator)
        self.viewer = Organization(server.url, self.org.org_id, self.operator.create_key(self.org.org_id, role="viewer")["key"])
        tables = [row[0] for row in database.rows("SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                                                  " AND relkind IN ('r', 'p') AND NOT relispartition")]
        self.look = " UNION ALL ".join(f"SELECT '{t}', count(*), md5(string_agg(h, '' ORDER BY h)) FROM"
                                       f" (SELECT md5((to_jsonb(x) - 'last_used_at')::text) AS h FROM {t} x) q" for t in tables)

    def rows(self):
        """Every row of every table, the audit trails among them; last uses of keys apart."""
        with self.eyes.cursor() as cursor:
            cursor.execute(self.look)
            return {table: rest for table, *rest in cursor}

    def ask(self, operation, ids, body, rehearse, asker=None, media=None, **headers):
        method, template, declared = operation
        path = filled(template, ids) + ("?validate_only=true" if rehearse else "")
        headers = {"X-Request-Id": "same", **headers_of(template, declared), **headers}
        headers = {name: value for name, value in headers.items() if value is not None}
        media = media or (bodies_of(declared)[1] or "application/json" if body is not None else None)
        headers.update({"Content-Type": media} if media else {})
        if template.startswith("/v1/admin"):
            return self.operator.request(method, path, body, headers)
        return (asker or self.org).request(method, path, data=json.dumps(body) if body is not None else None, headers=headers)


@pytest.fixture(scope="module")
def world(server, database):
    made = World(server, database)
    yield made
    made.eyes.close()


def shared(answer):
    """What the rehearsal and the deed must say alike."""
    return json.loads(OWN.sub("…", json.dumps({k: v for k, v in answer.json().items() if k not in SECRETS})))


def said(answer):
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in PASSING}, answer.text


def test_every_operation_that_writes_can_be_tried():
    writing = {o[2]["operationId"] for o in OPERATIONS if o[0] in ("POST", "PATCH", "PUT")}
    assert writing - {o for o in writing if takes(BY_ID[o][1], BY_ID[o][2], "validate_only")} == WITHOUT
    assert {o[2]["operationId"] for o in REHEARSED} == writing - WITHOUT - {"connections_create"} and len(REHEARSED) >= 18


@pytest.mark.parametrize("method, path, operation", named(REHEARSED))
def test_it_is_answered_like_the_deed_and_nothing_is_done(world, method, path, operation):
    asked, ids, (bodies, _) = (method, path, operation), world.things.make(path), bodies_of(operation)
    once = {"Idempotency-Key": uuid.uuid4().hex} if takes(path, operation, "Idempotency-Key") else {}
    schema = resolve(DOCUMENT, operation["responses"]["200"])["content"]["application/json"]["schema"]
    before = world.rows()
    tried = [world.ask(asked, ids, body, True, **once) for body in bodies]
    assert world.rows() == before
    for answer in tried:
        assert expect(answer, 200) and not faults(DOCUMENT, schema, answer.json())
        assert not {"Location", "ETag", "Idempotency-Replayed"} & set(answer.headers)
        assert [answer.json()[name] for name in SECRETS if name in answer.json()] in ([], [None]), "no secret is made"
    # The deed: it was possible all the time, the Idempotency-Key is free, and it says what was foretold.
    done = world.ask(asked, ids, bodies[0], False, **once)
    assert done.status_code in (200, 201, 202) and "Idempotency-Replayed" not in done.headers, done.text
    assert shared(done) == shared(tried[0])
    assert world.rows() != before


@pytest.mark.parametrize("method, path, operation", named(REHEARSED))
def test_it_is_refused_like_the_deed(world, method, path, operation):
    asked, ids, (body, _) = (method, path, operation), world.things.make(path), body_of(operation)
    wrong = [(400, ids, {**(body or {}), "nonsense": 1}, {}), (415, ids, body or {}, {"media": "text/plain"})]
    if holes(path):
        wrong.append((404, like(ids, uuid.uuid4().hex), body, {}))
    if "If-Match" in headers_of(path, operation):
        wrong += [(412, ids, body, {"If-Match": '"999"'}), (428, ids, body, {"If-Match": None})]
    if "x-scope" in operation:
        wrong.append((403, ids, body, {"asker": world.viewer}))
    before = world.rows()
    for status, at, sent, more in wrong:
        tried, done = (world.ask(asked, at, sent, rehearse, **more) for rehearse in (True, False))
        assert tried.status_code == status, tried.text
        assert said(tried) == said(done)
    assert world.rows() == before


ORG_KEY, OWN_KEY, SERVICE_KEY, HOOK = "/v1/admin/organizations/{org_id}/keys/{key_id}", "/v1/keys/{key_id}", "/v1/admin/service-keys/{svc_id}", "/v1/webhooks/{whk_id}"


@pytest.mark.parametrize("name, body, first, status, code", [
    ("organizations_create", {"name": "x", "org_id": "{org_id}"}, None, 409, "org_id_used"),
    ("organizations_patch", {"worker_slots": 100000}, None, 422, "out_of_range"),
    ("keys_create", {"name": "x", "role": "viewer", "scopes": ["connections:write"]}, None, 422, "scope_not_of_role"),
    ("keys_create_own", {"name": "x", "role": "owner", "expires_at": "2001-01-31T12:00:00Z"}, None, 422, "in_the_past"),
    ("keys_rotate", None, ("DELETE", ORG_KEY, None), 409, "key_not_live"),
    ("keys_rotate_own", None, ("POST", OWN_KEY + "/rotate", None), 409, "rotation_in_progress"),
    ("keys_rotate_own", {"overlap": "P400D"}, None, 422, "out_of_range"),
    ("service_keys_create", {"name": "", "role": "owner"}, None, 422, "wrong_length"),
    ("service_keys_rotate", None, ("DELETE", SERVICE_KEY, None), 409, "key_not_live"),
    ("connections_patch", {"region": "nowhere"}, None, 422, "unknown_region"),
    ("schedules_patch", {"cron": "5/15 * * * *"}, None, 422, "invalid_cron"),
    ("schedules_patch", {"overlap": "buffer_one"}, None, 422, "only_of_syncs"),
    ("syncs_create", None, ("POST", "/v1/connections/{conn_id}/syncs", None), 409, "sync_active"),
    ("syncs_stop", None, ("POST", "/v1/syncs/{sync_id}/cancel", None), 409, "sync_finished"),
    ("webhooks_create", {"url": "http://example.com/"}, None, 422, "plain_http"),
    ("webhooks_patch", {"url": None}, None, 422, "null_value"),
    ("deliveries_create_test", None, ("PATCH", HOOK, {"enabled": False}), 409, "webhook_disabled"),
    ("deliveries_send_again", None, ("PATCH", HOOK, {"enabled": False}), 409, "webhook_disabled")])
def test_what_stands_in_its_way_stands_in_the_way_of_the_rehearsal(world, name, body, first, status, code):
    """first: what is done before, on the same things."""
    asked, ids = BY_ID[name], {"org_id": world.org.org_id, **world.things.make(BY_ID[name][1])}
    body = {k: filled(v, ids) if isinstance(v, str) else v for k, v in body.items()} if body else None
    if first:
        method, path, sent = first
        assert world.ask((method, path, DOCUMENT["paths"][path][method.lower()]), ids, sent, False).status_code < 300
    before = world.rows()
    tried, done = (world.ask(asked, ids, body, rehearse) for rehearse in (True, False))
    assert (tried.status_code, {e["code"] for e in tried.json().get("errors", [tried.json()])}) == (status, {code}), tried.text
    assert said(tried) == said(done)
    assert world.rows() == before
