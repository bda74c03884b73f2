"""Every operation of the contract × everyone who may ask: whose answer is what, and that another's thing is answered like none.

The rows come from api/openapi.yaml; a new {hole} needs a maker in `Things` of things.py, and everything else comes by itself."""
import hashlib
import json
import re
import socket
import statistics
import time
import uuid

import pytest
import requests
from api import Operator
from contract import METHODS, resolve
from processes import ROOT
from things import DOCUMENT, OPERATIONS, WORDS, Things, body_of, filled, headers_of, holes, like, named
from waiting import wait_until

OPEN = [o for o in OPERATIONS if o[2].get("security") == []]
ADMIN = [o for o in OPERATIONS if o[2].get("security") == [{"operator_key": []}]]
TENANT = [o for o in OPERATIONS if "x-scope" in o[2]]
SCOPES = dict(re.findall(r'^SCOPE\(\w+, "([^"]+)", (\w+)\)', (ROOT / "include/api/scopes.def").read_text(), re.M))
RANK = {"VIEWER": 1, "EDITOR": 2, "OWNER": 3}
# What differs between any two answers: the clock, what is left of the caller's own rate, the trace.
PASSING = ("Date", "RateLimit", "traceresponse")


def with_things(operations):
    return [o for o in operations if set(holes(o[1])) - set(WORDS)]


class Answered:
    def __init__(self, answer, path):
        self.status, self.headers = answer.status_code, {k: v for k, v in answer.headers.items() if k not in PASSING}
        self.text = answer.text.replace(path, "PATH")

    @property
    def code(self):
        return json.loads(self.text)["code"]

    def __eq__(self, other):
        return (self.status, self.headers, self.text) == (other.status, other.headers, other.text)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.text}"


class World:
    """The organizations and credentials of the matrix."""

    def __init__(self, server, database):
        self.server, self.operator, self.database = server, server.operator, database
        self.victim, self.own, self.other = (server.organization(name) for name in ("victim", "own", "other"))
        self.mine, self.theirs = Things(self.own, database, self.operator), Things(self.victim, database, self.operator)
        self.attacker = Things(self.other, database, self.operator)
        self.viewer = self.key(self.own, role="viewer")
        self.only = {scope: self.key(self.own, scopes=[scope]) for scope in SCOPES}
        self.all_but = {scope: self.key(self.own, scopes=sorted(set(SCOPES) - {scope})) for scope in SCOPES}
        gone = self.operator.create_key(self.own.org_id)
        assert self.operator.request("DELETE", f"/v1/admin/organizations/{self.own.org_id}/keys/{gone['id']}").status_code == 204
        self.revoked = gone["key"]
        self.service = self.operator.create_service_key()["key"]
        self.session = requests.Session()

    def key(self, org, **fields):
        return self.operator.create_key(org.org_id, **fields)["key"]

    def ask(self, key, operation, ids, org_id=None, path=None):
        method, template, declared = operation
        path = path or filled(template, ids)
        body, media = body_of(declared)
        headers = {"X-Request-Id": "same", **headers_of(template, declared)}
        headers.update({"Authorization": f"Bearer {key}"} if key else {}, **({"X-Org-Id": org_id} if org_id else {}))
        headers.update({"Content-Type": media} if media else {})

        def answer():
            found = self.session.request(method, self.server.url + path, data=json.dumps(body) if media else None, headers=headers, timeout=30)
            # Many keys that a server does not know yet are looked up one after the other. (A refusal is false, hence the pair.)
            return (found, path) if found.status_code != 429 else None
        return Answered(*wait_until(answer, "the caller has its turn", 30))

    def ask_operator(self, key, operation, ids):
        method, template, declared = operation
        path = filled(template, ids)
        body, media = body_of(declared)
        headers = {"X-Request-Id": "same", "Authorization": f"Bearer {key}", **({"Content-Type": media} if media else {})}
        return Answered(Operator(self.server.admin_socket, key).request(method, path, body, headers), path)

    def fingerprint(self, org):
        """Everything that the database holds of an organization, last uses of keys apart."""
        tables = self.database.rows("""SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'org_id'""")
        found = {}
        for (table,) in tables:
            rows = self.database.rows(f"SELECT (to_jsonb(t) - 'last_used_at')::text FROM {table} t WHERE org_id = %s ORDER BY 1", org.org_id)
            found[table] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
        return found


@pytest.fixture(scope="module")
def world(start_server, database):
    return World(start_server(vendor_account="469725248735"), database)


@pytest.fixture(scope="module")
def prey(world):
    """What the victim has, by path, and what its rows look like before anybody tries anything."""
    made = {path: world.theirs.make(path) for _, path, _ in with_things(TENANT)}
    return made, world.fingerprint(world.victim)


def test_every_operation_has_its_place_in_the_matrix():
    assert len(OPEN) + len(ADMIN) + len(TENANT) == len(OPERATIONS) > 60
    assert {o[2]["x-scope"] for o in TENANT} == set(SCOPES), "a scope that nothing asks for, or one that nobody knows"
    assert not [o[1] for o in TENANT + OPEN if o[1].startswith("/v1/admin")] and all(o[1].startswith("/v1/admin") for o in ADMIN)
    missing = {h for o in OPERATIONS for h in holes(o[1])} - set(WORDS) - {name for name in vars(Things) if name.endswith("_id")}
    assert not missing, f"Things makes no {missing}"


@pytest.mark.parametrize("method, path, operation", named(TENANT))
def test_ones_own_is_there_for_who_has_the_scope(world, method, path, operation):
    asked, scope = (method, path, operation), operation["x-scope"]
    first = world.ask(world.own.key, asked, world.mine.make(path))
    assert 200 <= first.status < 300, first
    for key, org_id in ((world.only[scope], None), (world.service, world.own.org_id)):
        again = world.ask(key, asked, world.mine.make(path), org_id)
        # A key makes none that may more than itself, and an import is not made twice: both come after the question of scope.
        assert again.status == first.status or again.code in ("scope_not_held", "already_exists"), again


@pytest.mark.parametrize("method, path, operation", named(TENANT))
def test_who_lacks_the_scope_is_refused_before_anything_is_looked_up(world, prey, method, path, operation):
    asked, scope, mine = (method, path, operation), operation["x-scope"], world.mine.make(path)
    keys = [world.all_but[scope]]
    ranked = world.ask(world.viewer, asked, mine)
    if RANK[SCOPES[scope]] > RANK["VIEWER"]:
        keys.append(world.viewer)
    else:
        assert 200 <= ranked.status < 300, ranked
    for key in keys:
        refused = world.ask(key, asked, mine)
        assert (refused.status, refused.code) == (403, "forbidden"), refused
        for ids in (prey[0].get(path, {}), like(mine, uuid.uuid4().hex)):
            assert world.ask(key, asked, ids) == refused


@pytest.mark.parametrize("method, path, operation", named(TENANT))
def test_who_has_no_good_key_is_nobody(world, prey, method, path, operation):
    asked, mine = (method, path, operation), world.mine.make(path)
    nobody = world.ask(None, asked, mine)
    assert nobody.status == 401, nobody
    assert world.ask(world.revoked, asked, mine) == nobody
    for ids in (mine, prey[0].get(path, {}), like(mine, uuid.uuid4().hex)):
        for key in (None, world.operator.key, "x"):
            assert world.ask(key, asked, ids) == nobody
    assert world.ask(world.service, asked, mine).status == 400, "a service key names its organization"
    assert world.ask(world.service, asked, mine, str(uuid.uuid4())).status == 403
    assert world.ask(world.own.key, asked, mine, world.victim.org_id) == world.ask(world.own.key, asked, mine, str(uuid.uuid4()))


@pytest.mark.parametrize("method, path, operation", named(with_things(TENANT)))
def test_anothers_thing_is_answered_like_nothing_to_the_byte(world, prey, method, path, operation):
    asked, theirs, other = (method, path, operation), prey[0][path], world.other
    first = world.ask(other.key, asked, theirs)
    assert first.status == 404, first
    for ids in (like(theirs, uuid.uuid4().hex), like(theirs, "z" * 32)):
        assert world.ask(other.key, asked, ids) == first
    assert world.ask(world.service, asked, theirs, other.org_id) == first
    # One's own thing does not lead to another's below it.
    things = [h for h in holes(path) if h not in WORDS]
    if len(things) > 1:
        own = world.attacker.make(path)
        below = {**own, things[-1]: theirs[things[-1]]}
        nothing = {**own, things[-1]: like(theirs, uuid.uuid4().hex)[things[-1]]}
        assert world.ask(other.key, asked, below) == world.ask(other.key, asked, nothing)
        assert world.ask(other.key, asked, {**theirs, things[-1]: own[things[-1]]}) == first


@pytest.mark.parametrize("method, path, operation", named(o for o in TENANT if any(
    resolve(DOCUMENT, p)["name"] == "connection_id" for p in o[2].get("parameters", []))))
def test_a_filter_by_anothers_thing_is_one_by_nothing(world, prey, method, path, operation):
    theirs = prey[0]["/v1/connections/{conn_id}"]["conn_id"]
    answers = []
    for connection in (theirs, "conn_" + uuid.uuid4().hex):
        answers.append(world.ask(world.other.key, (method, path, operation), {}, path=f"{path}?connection_id={connection}"))
        answers[-1].text = re.sub(r'"next_cursor":"[^"]*"', "", answers[-1].text)  # it is bound to the filter
    assert answers[0] == answers[1] and answers[0].status == 200 and json.loads(answers[0].text.replace(",}", "}"))["data"] == []


@pytest.mark.parametrize("method, path, operation", named(TENANT))
def test_the_operators_listener_has_no_organization(world, method, path, operation):
    mine = world.mine.make(path)
    for key in (world.operator.key, world.own.key):
        assert world.ask_operator(key, (method, path, operation), mine).status == 404


@pytest.mark.parametrize("method, path, operation", named(ADMIN))
def test_the_operators_operations_are_his_on_his_listener(world, method, path, operation):
    asked, mine = (method, path, operation), world.mine.make(path)
    nobody = world.ask_operator("", asked, mine)
    assert nobody.status == 401, nobody
    for key in (world.own.key, world.service, world.revoked, world.operator.key[:-1], world.operator.key + "0", "x"):
        assert world.ask_operator(key, asked, mine) == nobody
    unknown = world.ask(world.own.key, ("GET", "/v1/admin/nothing", {}), {})
    for key in (world.operator.key, world.own.key, world.service, None):
        assert world.ask(key, asked, mine, world.own.org_id).status == unknown.status == 404
    assert 200 <= world.ask_operator(world.operator.key, asked, mine).status < 300
    if "{" in path:
        missing = world.ask_operator(world.operator.key, asked, like(mine, uuid.uuid4().hex))
        assert missing.status == 404, missing


@pytest.mark.parametrize("method, path, operation", named(ADMIN))
def test_a_key_of_one_organization_is_not_one_of_another_for_the_operator_either(world, prey, method, path, operation):
    if "{key_id}" not in path:
        return
    theirs = prey[0]["/v1/keys/{key_id}"]["key_id"]
    ids = {"org_id": world.other.org_id, "key_id": theirs}
    crossed = world.ask_operator(world.operator.key, (method, path, operation), ids)
    nothing = world.ask_operator(world.operator.key, (method, path, operation), {**ids, "key_id": "key_" + uuid.uuid4().hex})
    assert crossed == nothing and crossed.status == 404


@pytest.mark.parametrize("method, path, operation", named(OPEN))
def test_what_is_open_asks_nobody(world, method, path, operation):
    for key in (None, world.own.key, world.revoked, "x"):
        assert world.ask(key, (method, path, operation), {}).status == 200


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_other_methods_are_told_the_right_ones_and_other_paths_nothing(world, path):
    there = {m.upper() for m in METHODS if m in DOCUMENT["paths"][path]}
    ids = {hole: like({hole: "x_"}, "0" * 32)[hole] for hole in holes(path)}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
        if method in there:
            continue
        answer = requests.request(method, world.server.url + filled(path, ids), headers={"Authorization": f"Bearer {world.own.key}"}, timeout=30)
        if path.startswith("/v1/admin"):
            assert answer.status_code in (404, 501), (method, answer.text)
        else:
            assert answer.status_code == 405 or (method in ("TRACE", "BREW", "OPTIONS") and answer.status_code == 501), (method, answer.text)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == there
    for wrong in (filled(path, ids) + "/nothing/at/all", "/v2" + filled(path, ids)):
        assert requests.get(world.server.url + wrong, headers={"Authorization": f"Bearer {world.own.key}"}, timeout=30).status_code == 404, wrong


class Wire:
    """One kept connection and as little else as can be between a question and the end of its answer."""

    def __init__(self, server, key):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tail = f" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode()

    def get(self, path):
        """(status, seconds)"""
        asked, answer, whole = b"GET " + path.encode() + self.tail, b"", None
        began = time.perf_counter()
        self.socket.sendall(asked)
        while whole is None or len(answer) < whole:
            answer += self.socket.recv(65536)
            head = answer.find(b"\r\n\r\n")
            if whole is None and head >= 0:
                whole = head + 4 + int(re.search(rb"\r\nContent-Length: (\d+)", answer)[1])
        return int(answer[9:12]), time.perf_counter() - began


TIMED = ("/v1/connections/{conn_id}", "/v1/syncs/{sync_id}", "/v1/entities/{ent_id}", "/v1/webhooks/{whk_id}", "/v1/keys/{key_id}")
TIMINGS, APART = 10_000, 0.05


def apart(wire, things):
    """How far the medians are apart for each thing and for all of them: TIMINGS of another's ids and as many of ids that nobody has,
    each new, in turns."""
    took = {prefix: ([], []) for prefix in things}
    for n in range(TIMINGS // len(things)):
        for prefix, theirs in things.items():
            pair = [(took[prefix][0], prefix + theirs), (took[prefix][1], f"{prefix}{theirs.split('_')[0]}_{uuid.uuid4().hex}")]
            for times, path in pair if n % 2 else reversed(pair):
                status, seconds = wire.get(path)
                assert status == 404, path
                times.append(seconds)
    took["all"] = tuple([t for pair in took.values() for t in pair[side]] for side in (0, 1))
    assert [len(times) for times in took["all"]] == [TIMINGS] * 2
    return {name: abs(statistics.median(theirs) / statistics.median(nobodys) - 1) for name, (theirs, nobodys) in took.items()}


def test_anothers_thing_takes_as_long_as_nothing(world, prey, start_server):
    """A busy machine gets more chances; a look-up that tells would fail all of them."""
    wire = Wire(start_server(api_rate_per_key=0, api_rate_per_org=0), world.other.key)
    things = {path.split("{")[0]: prey[0][path][holes(path)[0]] for path in TIMED}
    least = apart(wire, things)
    for _ in range(2):
        if max(least.values()) >= APART:
            again = apart(wire, things)
            least = {name: min(least[name], again[name]) for name in least}
    assert max(least.values()) < APART, least


def test_the_victim_is_untouched(world, prey):
    assert world.fingerprint(world.victim) == prey[1]
