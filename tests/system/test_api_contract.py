"""The contract is what the server does: same routes, same parameters, examples that run, answers that fit."""
import json
import shutil
import subprocess
import uuid

import pytest
import requests
from api import Operator, expect
from contract import check_answer, contract, declared, faults, resolve
from inventory_rows import Inventory
from processes import ROOT

DOCUMENT = contract()


def test_the_served_contract_is_this_one(server):
    assert expect(requests.get(server.url + "/openapi.json", timeout=30), 200) == json.loads(json.dumps(DOCUMENT))


def test_the_checker_finds_what_is_wrong():
    problem = {"$ref": "#/components/schemas/Problem"}
    good = {"type": "x", "title": "x", "status": 1, "detail": "x", "code": "x", "instance": "x", "request_id": "x"}
    assert faults(DOCUMENT, problem, good) == []
    assert len(faults(DOCUMENT, problem, {**good, "status": "1"})) == 1
    assert len(faults(DOCUMENT, problem, {k: v for k, v in good.items() if k != "code"})) == 1
    new = {"$ref": "#/components/schemas/NewOrganization"}
    assert faults(DOCUMENT, new, {"name": "x", "more": 1}) == [": more is not declared"]


def examples():
    """(method, path, media type, label, body) of every request example."""
    for path, item in DOCUMENT["paths"].items():
        for method in ("post", "patch"):
            for media, content in item.get(method, {}).get("requestBody", {}).get("content", {}).items():
                found = {k: v["value"] for k, v in content.get("examples", {}).items()}
                if "example" in content:
                    found["example"] = content["example"]
                for label, body in found.items():
                    yield pytest.param(method.upper(), path, media, body, id=f"{method} {path} {label}")


def required_headers(method, path):
    item = DOCUMENT["paths"][path]
    given = [resolve(DOCUMENT, p) for p in item.get("parameters", []) + item[method.lower()].get("parameters", [])]
    return [p["name"] for p in given if p["in"] == "header" and p.get("required")]


@pytest.fixture(scope="module")
def server(start_server):
    """It knows whose account customers trust, as every deployment does in the end."""
    return start_server(vendor_account="469725248735")


@pytest.fixture(scope="module")
def speak(server, database):
    """Sends a request to the right listener with the right key, and checks the answer against the contract."""
    org = server.organization("contract")
    connection = org.connect("123456789012")
    rows = Inventory(database, org.org_id, connection["id"])
    user, group = rows.entity("aws.iam_user", "u", "u"), rows.entity("aws.iam_group", "g", "g")
    rows.edge("member_of", user, group)
    rows.change(user, "created", "2026-11-01T00:00:00Z", None, {"name": "u"})
    rows.coverage("users", "ok")
    rows.permission("iam:ListUsers", "granted")
    check = rows.check()
    sync = org.sync(connection["id"])
    webhook = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)["id"]
    delivery = expect(org.post(f"/v1/webhooks/{webhook}/test"), 202)["id"]
    ids = {"{whk_id}": webhook, "{dlv_id}": delivery, "{org_id}": org.org_id, "{conn_id}": connection["id"], "{sync_id}": sync["id"], "{ent_id}": user,
           "{key_id}": "key_" + org.key.split("_")[2], "{kind}": "verify", "{chk_id}": check}
    ids["{svc_id}"] = server.operator.create_service_key()["id"]

    def send(method, path, body=None, media="application/json", query="", **holes):
        filled = path
        for hole, value in {**ids, **{f"{{{k}}}": v for k, v in holes.items()}}.items():
            filled = filled.replace(hole, value)
        filled += query
        headers = {"Content-Type": media} if body is not None else {}
        headers.update({name: "*" for name in required_headers(method, path)})
        if path.startswith("/v1/admin"):
            operator = Operator(server.admin_socket, server.operator.key)
            answer = operator.request(method, filled, body, headers)
        else:
            answer = org.request(method, filled, data=json.dumps(body) if body is not None else None, headers=headers)
        check_answer(DOCUMENT, method, path, answer)
        return answer
    return send


def fresh_key(server, speak):
    """Keys that were not rotated yet: a key is rotated once at a time."""
    own = speak("POST", "/v1/keys", {"name": "to rotate", "role": "viewer"}).json()
    return {"key_id": own["id"], "svc_id": server.operator.create_service_key()["id"]}


@pytest.mark.parametrize("method, path, media, body", examples())
def test_every_example_runs_and_fits_its_schema(server, speak, database, method, path, media, body):
    schema = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"][media]["schema"]
    assert faults(DOCUMENT, schema, body) == []
    if "org_id" in body:  # imported once: a second run of this file needs another
        body = {**body, "org_id": str(uuid.uuid4())}
    holes = fresh_key(server, speak) if path.endswith("/rotate") else {}
    assert speak(method, path, body, media, **holes).status_code in (200, 201, 202)


@pytest.mark.parametrize("path", sorted(p for m, p in declared(DOCUMENT) if m == "GET"))
def test_every_read_fits_its_schema(speak, path):
    answer = speak("GET", path)
    assert answer.status_code == 200
    if not answer.headers["Content-Type"].endswith(("/json", "+json")):
        assert answer.text, "an empty document would prove nothing"
        return
    data = answer.json().get("data")
    assert data is None or len(data) > 0, "an empty list would prove nothing"
    if path != "/openapi.json":
        assert names(answer.json()) == names(shown(path)), "the example has other members than the answer"


def shown(path):
    """What the contract shows a read by."""
    content = resolve(DOCUMENT, DOCUMENT["paths"][path]["get"]["responses"]["200"])["content"]["application/json"]
    return content["example"] if "example" in content else resolve(DOCUMENT, next(iter(content["examples"].values())))["value"]


def names(document):
    """The members of an answer, and of the first thing that it lists."""
    return set(document), set(document.get("data", [{}])[0])


@pytest.mark.parametrize("method, path", sorted((m, p) for m, p in declared(DOCUMENT) if "{" in p))
def test_every_missing_thing_fits_the_problem_schema(speak, method, path):
    nothing = {"org_id": str(uuid.uuid4()), "conn_id": "conn_" + uuid.uuid4().hex, "sync_id": "sync_" + uuid.uuid4().hex,
               "ent_id": "ent_" + uuid.uuid4().hex, "key_id": "key_" + uuid.uuid4().hex,
               "whk_id": "whk_" + uuid.uuid4().hex, "dlv_id": "dlv_" + uuid.uuid4().hex, "chk_id": "chk_" + uuid.uuid4().hex}
    body = {} if method == "PATCH" else {"name": "x", "role": "owner"} if path.endswith("/keys") and method == "POST" else None
    assert speak(method, path, body, **nothing, svc_id="svc_" + uuid.uuid4().hex).status_code == 404


@pytest.mark.parametrize("method, path", sorted(declared(DOCUMENT)))
def test_every_operation_declares_its_refusal_of_an_unknown_parameter(speak, method, path):
    body = {} if method in ("POST", "PATCH") else None
    assert speak(method, path, body, query="?nonsense=1").status_code == 400


@pytest.mark.parametrize("path", ["/v1/connections/{conn_id}/syncs", "/v1/syncs/{sync_id}/cancel"])
def test_bodies_that_may_be_absent_are_still_bodies(speak, path):
    assert speak("POST", path, {}, media="text/plain").status_code == 415
    assert speak("POST", path, {"x": "y" * 70000}).status_code == 413
    assert speak("POST", path, {"full": True}).status_code == 400


def test_every_operation_with_a_key_declares_that_there_can_be_too_much_of_it():
    for method, path in declared(DOCUMENT):
        responses = DOCUMENT["paths"][path][method.lower()]["responses"]
        if path.startswith("/v1"):
            assert "500" in responses and "503" in responses, (method, path)
            assert ("429" in responses) == ("403" in responses) == (not path.startswith("/v1/admin")), (method, path)


def test_syncs_are_cancelled_and_connections_removed_as_declared(speak):
    assert speak("POST", "/v1/connections/{conn_id}/syncs").status_code == 409
    assert speak("POST", "/v1/syncs/{sync_id}/cancel").status_code == 202
    assert speak("POST", "/v1/syncs/{sync_id}/cancel").status_code == 409
    assert speak("POST", "/v1/connections/{conn_id}/syncs").status_code == 202
    assert speak("DELETE", "/v1/connections/{conn_id}").status_code == 202
    assert speak("DELETE", "/v1/connections/{conn_id}").status_code == 204


def test_other_methods_are_told_which_ones_there_are(server, org):
    answer = org.request("PUT", "/v1/connections")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    answer = org.request("POST", "/v1/connections/conn_" + "0" * 32)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PATCH, DELETE")
    assert org.get("/v1/nothing").status_code == 404
    assert org.get("/").status_code == 404


def test_request_ids_are_echoed_or_made(org):
    assert org.request("GET", "/v1/connections", headers={"X-Request-Id": "mine-1.2_3"}).headers["X-Request-Id"] == "mine-1.2_3"
    for bad in ("", "a b", "a" * 65, "é".encode(), "a;b"):
        made = org.request("GET", "/v1/nothing", headers={"X-Request-Id": bad})
        assert made.headers["X-Request-Id"].startswith("req_")
        assert made.json()["request_id"] == made.headers["X-Request-Id"]


def test_the_contract_passes_its_linter():
    here = ROOT / "tests/contract"
    linter = here / "node_modules/.bin/redocly"
    if not linter.exists():
        assert shutil.which("npm"), "npm is needed to lint the contract"
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=here, check=True, capture_output=True, timeout=300)
    done = subprocess.run([linter, "lint", ROOT / "api/openapi.yaml", "--config", "redocly.yaml"], cwd=here, capture_output=True, text=True,
                          timeout=120, env={"PATH": "/usr/local/bin:/usr/bin:/bin", "REDOCLY_TELEMETRY": "off", "HOME": str(here)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower().replace("deprecation warning", "")
